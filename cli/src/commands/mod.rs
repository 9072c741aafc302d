//! The commands, one file each.

pub mod approve;
pub mod assess;
pub mod caption;
pub mod completions;
mod conclusion;
pub mod dashboard;
pub mod demo;
pub mod doctor;
pub mod drain;
pub mod env;
pub mod evaluate;
pub mod export;
pub mod grid;
pub mod history;
pub mod images;
pub mod import;
pub mod local;
pub mod pause;
pub mod pin;
pub mod plan;
pub mod prompts;
pub mod redrive;
pub mod report;
pub mod restore;
pub mod send;
pub mod status;
pub mod trash;

use conclusion::conclude;
