//! The generation handler against a stand-in for Replicate: its response to every answer.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod creation;
mod interruptions;
mod lost_creations;
mod outage;
mod output;
mod polling;
mod reasons;
mod support;
mod time_limits;
