//! The vision models and image generators: services over HTTP, and the embedded ones.

mod http;

pub mod generator;
pub mod vision;
