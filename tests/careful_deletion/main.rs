//! Deletion is careful: never a pinned image, never another version than was judged, never too much at once, and
//! nothing that can't be put back.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod approval;
mod generated_images;
mod interrupted;
mod pins;
mod records;
mod redelivered;
mod redriving;
mod restoring;
mod sidecars;
