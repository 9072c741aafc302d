//! Invalid uploads and messages damage nothing and are reported.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod files;
mod hostile;
mod messages;
mod names;
mod needs_attention;
