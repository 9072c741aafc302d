//! Deletion is careful: never a pinned image, never another version than was judged, never too much at once, and
//! nothing that can't be put back.
#![allow(clippy::unwrap_used, clippy::panic, reason = "that is how a test fails")]

mod approval;
mod half_done;
mod own_images;
mod pins;
mod records;
mod redriving;
mod repeated;
mod restoring;
mod sidecars;
