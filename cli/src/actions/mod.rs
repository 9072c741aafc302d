//! What people do to a set: one implementation for the commands and the pages.

mod approve;
mod edit;
mod in_folder;
mod notice;
mod problem;
mod redrive;
mod request;
mod restore;

pub use approve::approve;
pub use edit::{checked_caption, set_caption, set_pinned};
pub use problem::{Problem, as_known};
pub use redrive::redrive;
pub use request::Request;
pub use restore::{RestoredImage, Wanted, restore};
