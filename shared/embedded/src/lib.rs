//! The offline models: a vision model that measures pixels, and a generator that varies the base image.

pub mod generator;
pub mod vision;
