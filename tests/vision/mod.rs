//! The vision service over real HTTP, against a stand-in as strict as the vendor.

mod accuracy;
mod answers;
mod budgets;
mod compatible_servers;
mod cost;
mod evaluation;
mod failures;
mod grid_position;
mod keys;
mod likeness;
mod passes;
mod support;
