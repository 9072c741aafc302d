//! The rules of the product as pure functions and plain data. Nothing here reads a clock, a file or a socket.

#![warn(missing_docs)]

pub mod actor;
pub mod assessment;
pub mod budget;
pub mod caption;
pub mod content;
pub mod coverage;
pub mod disposition;
pub mod duplicates;
pub mod facts;
pub mod files;
pub mod format;
pub mod json;
pub mod keys;
pub mod kind;
pub mod lifecycle;
pub mod limits;
pub mod manifest;
pub mod messages;
pub mod money;
pub mod numbering;
mod observation;
pub mod plan;
pub mod planner;
pub mod prompts;
pub mod reconciliation;
pub mod resemblance;
pub mod settings;
mod shares;
pub mod sidecars;
pub mod slot;
pub mod stall;
pub mod status;
pub mod suspension;
pub mod target;
pub mod trash;
