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
use domain::content::Content;
use domain::kind::Kind;
use image::RgbImage;

use face::FaceFinder;
use features::Features;
use kind_model::kind_of;
use quality::Findings;

/// The embedded vision model. Threads can share it.
#[derive(Clone)]
pub struct EmbeddedVision {
    faces: FaceFinder,
}

impl EmbeddedVision {
    /// Reads the face cascade in the program.
    ///
    /// # Errors
    /// If the cascade is damaged, which would be a fault of the build.
    pub fn new() -> io::Result<Self> {
        Ok(Self { faces: FaceFinder::new()? })
    }

    /// Observes an upright picture. 512 pixels on the longer side are enough for all measurements.
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
            content: Content { framing: findings.framing(), ..Content::default() },
        }
    }
}

/// The kind, with the most obvious evidence.
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

/// The chroma that very few pixels of a picture without colour exceed.
const COLORLESS: f32 = 0.06;
