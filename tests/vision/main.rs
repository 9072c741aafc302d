//! The vision service over real HTTP, against a stand-in as strict as the vendor.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod accuracy;
mod answers;
mod budgets;
mod compatible_servers;
mod cost;
mod evaluation;
mod failures;
mod grid_position;
mod keys;
mod passes;
mod support;
