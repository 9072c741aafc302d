//! The parts of HTML pages that show sets, for the report and the dashboard: pure functions from an
//! [`ActorSet`](crate::sets::ActorSet) to markup.
//!
//! File names, ids, reasons, prompts and captions are strangers' texts. They reach a page only through maud, which
//! escapes them, and through [`names`], which makes invisible characters visible.

pub mod activity;
pub mod actors;
mod approval;
pub mod back;
pub mod base;
mod card;
pub mod filters;
pub mod frame;
pub mod history;
pub mod image;
mod kind_bar;
mod medium;
mod names;
pub mod notice;
pub mod offer;
pub mod picture;
pub mod plan;
pub mod problem;
pub mod report;
pub mod set;
pub mod settings;
mod shown;
mod words;

pub use medium::{LARGE, SMALL, events_of, picture_id};
pub use names::plain;
pub use shown::{Details, Shown};

/// The style sheet of the report and the dashboard.
pub const STYLE: &str = include_str!("../../assets/dashboard/style.css");
