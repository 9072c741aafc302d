//! What people upload and send by mistake: nothing is lost by it, and somebody is told.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod files;
mod hostile;
mod messages;
mod names;
mod needs_attention;
