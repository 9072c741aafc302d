//! The three ways to use the product: uploads to S3, manual messages, and invocations of the functions.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod invoked;
mod logged;
mod manual;
mod uploads;
