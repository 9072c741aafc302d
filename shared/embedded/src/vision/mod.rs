//! A vision model without a network connection or a large model: its results are measurements.
//!
//! The kind comes from plain pixel statistics ([`features`]) through two logistic regressions, the quality from
//! focus and light, flags from focus, symmetry and a face detector. It does not understand the content: it counts no
//! fingers, and a frontal face counts as a look into the camera.

mod color;
mod detail;
mod face;
pub mod features;
mod kind_model;
pub mod plane;
mod quality;
mod sharpness;
mod symmetry;
#[cfg(test)]
mod tests;

use std::io;

use domain::assessment::Observation;
use domain::kind::Kind;
use image::RgbImage;

use face::FaceFinder;
use features::Features;
use kind_model::kind_of;
use quality::Findings;

/// The built-in vision model. Cheap to share: it is only read.
#[derive(Clone)]
pub struct EmbeddedVision {
    faces: FaceFinder,
}

impl EmbeddedVision {
    /// Loads the built-in face cascade; kinds need nothing loaded.
    ///
    /// # Errors
    ///
    /// If the cascade built into the program can't be read, which would be a fault of the build.
    pub fn new() -> io::Result<Self> {
        Ok(Self { faces: FaceFinder::new()? })
    }

    /// Judges one upright picture; 512 pixels on the longer side show all that is measured.
    #[must_use]
    pub fn observe(&self, image: &RgbImage) -> Observation {
        let features = Features::measure(image);
        let kind = kind_of(&features);
        let findings = Findings::measure(image, &self.faces);
        Observation {
            kind,
            quality: findings.quality(),
            flags: findings.flags(),
            reason: format!("{}; {}.", kind_evidence(kind, &features), findings.description()),
        }
    }
}

/// The kind, and the plainest of what speaks for it.
fn kind_evidence(kind: Kind, features: &Features) -> &'static str {
    match kind {
        Kind::Photorealistic if features.chroma_peak < COLORLESS.ln() => {
            "Photograph without colour: continuous tones and fine texture"
        }
        Kind::Photorealistic => "Photograph: continuous tones and fine texture",
        Kind::BwStylized if features.white_share > 0.3 => "Drawing without colour: dark lines on bare paper",
        Kind::BwStylized => "Drawing without colour: hard strokes and grey shading",
        Kind::ColorStylized if features.white_share > 0.2 => "Drawing in colour: bare paper shows",
        Kind::ColorStylized if features.flat_share > 0.5 => "Drawing in colour: flat fills and hard edges",
        Kind::ColorStylized => "Painting or drawing in colour: outlines and patches instead of fine texture",
    }
}

/// Chroma that hardly a pixel of a picture without colour exceeds.
const COLORLESS: f32 = 0.06;
