//! Deletion is careful: it never deletes a pinned image, another version than the assessed one, or a large share of a
//! set without approval, and every deleted image can be restored.

mod approval;
mod captions;
mod generated_images;
mod interrupted;
mod lifecycle;
mod pins;
mod records;
mod redelivered;
mod redriving;
mod restoring;
mod sidecars;
