//! Imports what earlier tools have left: manifests, folders of images with captions, and the images in a stack's bucket.
//!
//! An import only adds. It replaces and deletes nothing, and a repeated import changes nothing.
//! [`shape`] recognises the sources, [`gathered`] reads them, [`records`] has the rules for manifests, and
//! [`into_folder`] and [`into_stack`] write.

mod content;
mod gathered;
mod image_folder;
mod into_folder;
mod into_stack;
mod kohya;
mod records;
mod report;
mod s3_place;
mod shape;

pub use gathered::{Gathered, Gathering};
pub use into_folder::IntoFolder;
pub use into_stack::IntoStack;
pub use report::{ActorReport, Problem, totals};
