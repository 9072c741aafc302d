//! The suites that share one emulator and run in one process, so that some tests compute while others wait.
//! `tests/README.md` describes each.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod bad_input;
mod careful_deletion;
mod comparisons;
mod contract;
mod generation;
mod idempotence;
mod paid;
mod prompts;
mod races;
mod recorded_data;
mod settings;
mod template;
mod three_ways;
mod vision;
