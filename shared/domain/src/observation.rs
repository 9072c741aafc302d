//! Observations of images: kind, quality and flags, as a vision model reports them.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::content::Content;
use crate::facts::Facts;
use crate::kind::Kind;

/// The best quality; the worst is 1.
pub const BEST_QUALITY: u8 = 10;

/// A named fault or property that makes an image worse, or useless, for training.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Flag {
    /// The character looks into the camera.
    LookingAtCamera,
    /// The image is symmetrical and centred, like a passport photograph.
    Symmetrical,
    /// Hands, limbs or face are malformed.
    DistortedAnatomy,
    /// The image is out of focus, enlarged, or full of compression artefacts.
    Blurry,
    /// A watermark, signature or logo covers a part of the image.
    Watermark,
    /// The image contains lettering, such as a caption or a speech bubble.
    Text,
    /// The image consists of several pictures.
    Collage,
    /// The image shows other people beside the character.
    SeveralPeople,
    /// Measured: the image is far too dark, or far too light, for training.
    BadExposure,
    /// Measured: the image has fewer pixels than trainers require.
    Small,
    /// Measured: black or white bars cover two opposite sides.
    Letterboxed,
    /// Measured: the blocks of a strongly compressed JPEG are visible.
    Blocky,
    /// Measured: the file is a byte-for-byte copy of another image of the set.
    ExactDuplicate,
    /// Measured: the same picture as another image of the set, compressed, resized or trimmed.
    NearDuplicate,
}

impl Flag {
    /// The flags that a vision model may report; the others are measured.
    pub const REPORTED: [Self; 8] = [
        Self::LookingAtCamera,
        Self::Symmetrical,
        Self::DistortedAnatomy,
        Self::Blurry,
        Self::Watermark,
        Self::Text,
        Self::Collage,
        Self::SeveralPeople,
    ];

    /// The words for a sentence, such as `face turned to the camera`.
    #[must_use]
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::LookingAtCamera => "face turned to the camera",
            Self::Symmetrical => "symmetrical",
            Self::DistortedAnatomy => "distorted anatomy",
            Self::Blurry => "blurry",
            Self::Watermark => "watermark",
            Self::Text => "lettering",
            Self::Collage => "collage",
            Self::SeveralPeople => "several people",
            Self::BadExposure => "badly exposed",
            Self::Small => "small",
            Self::Letterboxed => "with bars at its edges",
            Self::Blocky => "strongly compressed",
            Self::ExactDuplicate => "copy of another file",
            Self::NearDuplicate => "much like another image",
        }
    }

    /// Whether the flag, which may leave the quality unchanged, decides between images of equal quality.
    #[must_use]
    pub const fn loses_ties(self) -> bool {
        matches!(self, Self::LookingAtCamera | Self::Symmetrical | Self::NearDuplicate)
    }
}

impl fmt::Display for Flag {
    /// The serialised name, such as `looking_at_camera`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

/// The origin of an image.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Origin {
    /// The user provided the image.
    #[default]
    Uploaded,
    /// The balancer generated the image.
    Generated {
        /// The requested kind; `None` if no record contains it any more.
        #[serde(default)]
        requested: Option<Kind>,
    },
}

impl Origin {
    /// The requested kind of a generated image that came out as another one.
    #[must_use]
    pub fn missed_kind(&self, observed: Kind) -> Option<Kind> {
        match *self {
            Self::Generated { requested } => requested.filter(|&kind| kind != observed),
            Self::Uploaded => None,
        }
    }

    /// Whether the user provided the image.
    #[must_use]
    pub const fn is_uploaded(&self) -> bool {
        matches!(self, Self::Uploaded)
    }
}

/// A vision model's report on one image. The model only observes: other code counts, plans, and limits the quality of
/// faulty images.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observation {
    /// The kind of the image.
    pub kind: Kind,
    /// The quality for training, from 1 (useless) to 10 (perfect).
    pub quality: u8,
    /// The faults and properties that were found.
    pub flags: Vec<Flag>,
    /// The reason, as a sentence for the user.
    pub reason: String,
    /// What the image shows.
    pub content: Content,
}

/// An image with the model's observation and the facts of its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observed {
    /// The image's file name.
    pub filename: String,
    /// The model's observation.
    pub observation: Observation,
    /// The measurements of the file.
    pub facts: Facts,
    /// The origin.
    pub origin: Origin,
    /// Whether the operator pinned the image.
    pub pinned: bool,
}
