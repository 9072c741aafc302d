//! The commands, one file each.

pub mod assess;
pub mod demo;
pub mod grid;
pub mod local;
pub mod plan;
pub mod send;
pub mod status;
