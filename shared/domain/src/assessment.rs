//! Observations and assessments of images: kind, quality and flags.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::duplicates::{Duplicate, find_duplicates};
use crate::facts::Facts;
use crate::kind::Kind;
use crate::limits;
use crate::limits::{FrontalImages, Limit};

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
    /// The image is out of focus, or full of compression artefacts.
    Blurry,
    /// Measured: the image is far too dark, or far too light, for training.
    BadExposure,
    /// Measured: the image has fewer pixels than trainers require.
    Small,
    /// Measured: the file is a byte-for-byte copy of another image of the set.
    ExactDuplicate,
    /// Measured: possibly the same picture as another image of the set. A perceptual hash can't be certain.
    NearDuplicate,
}

impl Flag {
    /// The words for a sentence, such as `face turned to the camera`.
    #[must_use]
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::LookingAtCamera => "face turned to the camera",
            Self::Symmetrical => "symmetrical",
            Self::DistortedAnatomy => "distorted anatomy",
            Self::Blurry => "blurry",
            Self::BadExposure => "badly exposed",
            Self::Small => "small",
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
}

/// The assessment of one image of a set: the observation joined with the facts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Assessment {
    /// The image's file name.
    pub filename: String,
    /// The kind of the image.
    pub kind: Kind,
    /// The quality for training, from 1 (useless) to 10 (perfect).
    pub quality: u8,
    /// The faults and properties that were found.
    #[serde(default)]
    pub flags: Vec<Flag>,
    /// The reason, as a sentence for the user.
    #[serde(default)]
    pub reason: String,
    /// Whether the operator pinned the image.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub pinned: bool,
    /// The origin; an uploaded image if omitted.
    #[serde(default, skip_serializing_if = "Origin::is_uploaded")]
    pub origin: Origin,
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

/// Joins the model's observations of a set with the measurements of each image and of the set, and limits each quality
/// by the image's faults ([`limits`]).
#[must_use]
pub fn assess(set: &[Observed], frontal_images: FrontalImages) -> Vec<Assessment> {
    let duplicates = find_duplicates(set);
    set.iter()
        .map(|image| {
            let assessment = Assessment::measured(image).limited_by(frontal_images);
            match duplicates.get(image.filename.as_str()) {
                Some(duplicate) => assessment.repeating(duplicate),
                None => assessment,
            }
        })
        .collect()
}

impl Assessment {
    /// The requested kind of a generated image that came out as a different one.
    #[must_use]
    pub fn missed_kind(&self) -> Option<Kind> {
        match self.origin {
            Origin::Generated { requested } => requested.filter(|&kind| kind != self.kind),
            Origin::Uploaded => None,
        }
    }

    /// Limits the quality of a frontal image if the setting asks for that.
    #[must_use]
    pub fn limited_by(self, frontal_images: FrontalImages) -> Self {
        match frontal_images.limit(&self.flags) {
            Some(limit) => self.limited(limit),
            None => self,
        }
    }

    fn measured(Observed { filename, observation, facts, origin, pinned }: &Observed) -> Self {
        let Observation { kind, quality, flags, reason } = observation.clone();
        let (filename, pinned, origin) = (filename.clone(), *pinned, *origin);
        let assessment = Self { filename, kind, quality, flags, reason, pinned, origin };
        let measured = [(Flag::Small, limits::of_size(facts)), (Flag::BadExposure, limits::of_exposure(facts, kind))];
        let found = measured.into_iter().filter_map(|(flag, limit)| Some((flag, limit?)));
        let assessment = found.fold(assessment, |assessment, (flag, limit)| assessment.flagged(flag, limit));
        limits::of_faults(&observation.flags).into_iter().fold(assessment, Self::limited)
    }

    /// Adds a measured fault.
    fn flagged(mut self, flag: Flag, limit: Limit) -> Self {
        if !self.flags.contains(&flag) {
            self.flags.push(flag);
        }
        self.quality = self.quality.min(limit.most);
        self.with_finding(&limit.finding)
    }

    /// Lowers the quality to a fault's limit, and records the reason.
    fn limited(mut self, limit: Limit) -> Self {
        if self.quality <= limit.most {
            return self;
        }
        self.quality = limit.most;
        self.with_finding(&limit.finding)
    }

    fn repeating(mut self, duplicate: &Duplicate<'_>) -> Self {
        match duplicate {
            Duplicate::Exact { of } => {
                self.reason.clear();
                self.flagged(Flag::ExactDuplicate, limits::of_copy(of))
            }
            Duplicate::Near { of } => self.flagged(Flag::NearDuplicate, limits::of_likeness(of)),
        }
    }

    fn with_finding(mut self, finding: &str) -> Self {
        self.reason = format!("{} {finding}", self.reason.trim_end()).trim_start().to_owned();
        self
    }
}
