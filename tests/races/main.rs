//! What holds however many work at once, in whatever order, however often.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod answers;
mod bursts;
mod guards;
mod money;
mod numbers;
mod operator_actions;
