//! The vision model over real HTTP, against a stand-in as strict as the vendor.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "that is how a test fails")]

mod cost;
mod eyes;
mod failures;
mod gaps;
mod keys;
mod money;
mod passes;
mod position;
mod servers;
mod stage;
mod support;
