//! The vision model over real HTTP, against a stand-in as strict as the vendor.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

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
