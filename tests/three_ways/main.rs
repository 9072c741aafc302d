//! The three ways to use the product: images land in S3, a message is put on a queue by hand, a function is invoked.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod invoked;
mod logged;
mod manual;
mod uploads;
