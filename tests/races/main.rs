//! Concurrent workers, uploads and operators, in any order and with repetitions.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod answers;
mod bursts;
mod guards;
mod money;
mod numbers;
mod operator_actions;
mod suspension;
