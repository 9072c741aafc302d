//! The sample actor of the demonstration: a small robot, rendered by sphere tracing signed distance fields, so that
//! there is a training set to try the program on where there are no photographs.
//!
//! The set has what a careless collection has: pictures out of focus, one far too dark, copies, a passport
//! photograph, too many drawings in colour and too few without.

mod camera;
mod character;
mod distance_field;
mod faults;
mod film;
mod lighting;
mod material;
mod noise;
mod pose;
mod props;
mod render;
mod sample;
mod setting;
mod shading;
mod shots;
#[cfg(test)]
mod tests;
mod texture;

pub use sample::{ACTOR_ID, write_sample};
