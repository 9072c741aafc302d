//! The vision providers and image generators: paid services over HTTP, and the embedded models.

mod checks;
#[cfg(test)]
mod dispositions;
mod http;
mod openai;
mod wording;

pub mod generator;
pub mod vision;

pub use checks::{Check, Level, Remedy};
