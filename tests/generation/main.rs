//! The generation stage against a stand-in for Replicate: what it makes of every answer.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod creation;
mod interrupted;
mod looks;
mod lost;
mod outage;
mod output;
mod reasons;
mod support;
mod time;
