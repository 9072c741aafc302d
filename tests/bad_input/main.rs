//! What people upload and send by mistake: nothing is lost by it, and somebody is told.
#![allow(clippy::unwrap_used, clippy::panic, reason = "that is how a test fails")]

mod files;
mod hostile;
mod messages;
mod names;
mod needs_a_person;
