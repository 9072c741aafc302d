//! What is said about one image: its kind, its quality, and what is wrong with it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::domain::duplicates::{Duplicate, find_duplicates};
use crate::domain::kind::Kind;
use crate::imaging::Facts;

/// The best quality there is; the worst is 1.
pub const BEST_QUALITY: u8 = 10;

/// A byte-for-byte copy teaches nothing: whatever the model thought of it, it scores this.
const EXACT_DUPLICATE_QUALITY: u8 = 1;

/// A near duplicate teaches next to nothing: at most this.
const NEAR_DUPLICATE_QUALITY: u8 = 2;

/// Something that makes an image worse, or useless, for training.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Flag {
    /// The character looks into the camera.
    LookingAtCamera,
    /// Symmetrical, centred, like a passport photograph.
    Symmetrical,
    /// Hands, limbs or face are not as they grow.
    DistortedAnatomy,
    /// Out of focus, or full of compression artefacts.
    Blurry,
    /// Measured: far too dark, or far too light, to learn from.
    BadExposure,
    /// Measured: byte for byte another image of the set.
    ExactDuplicate,
    /// Measured: shows the same as another image of the set.
    NearDuplicate,
}

impl fmt::Display for Flag {
    /// As it is written everywhere: `looking_at_camera`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::LookingAtCamera => "looking_at_camera",
            Self::Symmetrical => "symmetrical",
            Self::DistortedAnatomy => "distorted_anatomy",
            Self::Blurry => "blurry",
            Self::BadExposure => "bad_exposure",
            Self::ExactDuplicate => "exact_duplicate",
            Self::NearDuplicate => "near_duplicate",
        })
    }
}

/// What a vision model sees in one image. It only observes; counting and planning are not its work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observation {
    /// The kind of the image.
    pub kind: Kind,
    /// How good it is for training, from 1 (useless) to 10 (perfect).
    pub quality: u8,
    /// What is wrong with it.
    pub flags: Vec<Flag>,
    /// Why, in a sentence for people.
    pub reason: String,
}

/// What is known about one image of a set once measured facts have joined the model's opinion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Assessment {
    /// The image's file name.
    pub filename: String,
    /// The kind of the image.
    pub kind: Kind,
    /// How good it is for training, from 1 (useless) to 10 (perfect).
    pub quality: u8,
    /// What is wrong with it.
    #[serde(default)]
    pub flags: Vec<Flag>,
    /// Why, in a sentence for people.
    #[serde(default)]
    pub reason: String,
    /// Whether somebody wants it to stay, whatever is thought of it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub pinned: bool,
}

/// An image as the model saw it and as it measures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observed {
    /// The image's file name.
    pub filename: String,
    /// What the model saw.
    pub observation: Observation,
    /// What was measured.
    pub facts: Facts,
}

/// Joins the model's opinions of a set with what is measured across it: duplicates lose their worth.
#[must_use]
pub fn assess(set: &[Observed]) -> Vec<Assessment> {
    let duplicates = find_duplicates(set);
    set.iter()
        .map(|image| {
            let assessment = Assessment::from_observation(&image.filename, image.observation.clone());
            match duplicates.get(image.filename.as_str()) {
                Some(duplicate) => assessment.devalued(duplicate),
                None => assessment,
            }
        })
        .collect()
}

impl Assessment {
    fn from_observation(filename: &str, observation: Observation) -> Self {
        let Observation { kind, quality, flags, reason } = observation;
        Self { filename: filename.to_owned(), kind, quality, flags, reason, pinned: false }
    }

    fn devalued(mut self, duplicate: &Duplicate<'_>) -> Self {
        let (quality, flag, finding) = match duplicate {
            Duplicate::Exact { of } => {
                (EXACT_DUPLICATE_QUALITY, Flag::ExactDuplicate, format!("The same file as {of}."))
            }
            Duplicate::Near { of } => (NEAR_DUPLICATE_QUALITY, Flag::NearDuplicate, format!("Shows the same as {of}.")),
        };
        self.quality = self.quality.min(quality);
        self.flags.push(flag);
        self.reason = finding;
        self
    }
}
