//! What holds however many work at once, in whatever order, however often.
#![allow(clippy::unwrap_used, clippy::panic, reason = "that is how a test fails")]

mod answers;
mod bursts;
mod guards;
mod money;
mod numbers;
mod people;
