//! The harness of the tests; see `tests/README.md`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

pub mod coded;
pub mod comfyui;
pub mod cost;
pub mod harness;
pub mod image_edits;
pub mod openai;
pub mod pictures;
mod prompt_kinds;
mod proxy;
pub mod recorder;
pub mod replicate;
pub mod runtime_api;
pub mod server;
pub mod set;
pub mod stack;
pub mod world;
