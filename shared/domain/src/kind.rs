//! The three kinds of image in a training set, and numbers of images by kind.

use std::fmt;
use std::ops::{Index, IndexMut};
use std::str::FromStr;

use serde::de::{IntoDeserializer, value};
use serde::{Deserialize, Serialize};

/// The kind of an image. Each image of a set has exactly one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A photograph, or indistinguishable from one.
    Photorealistic,
    /// A drawing or print without colour.
    BwStylized,
    /// A drawing, painting or comic in colour.
    ColorStylized,
}

impl Kind {
    /// Every kind, in the order used wherever kinds are listed.
    pub const ALL: [Self; 3] = [Self::Photorealistic, Self::BwStylized, Self::ColorStylized];

    /// The words for a sentence, such as `black-and-white`.
    #[must_use]
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Photorealistic => "photorealistic",
            Self::BwStylized => "black-and-white",
            Self::ColorStylized => "colour",
        }
    }
}

impl fmt::Display for Kind {
    /// The serialised name, such as `bw_stylized`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

impl FromStr for Kind {
    type Err = UnknownKind;

    fn from_str(name: &str) -> Result<Self, UnknownKind> {
        let kind: Result<Self, value::Error> = Self::deserialize(name.into_deserializer());
        kind.map_err(|_| UnknownKind(name.to_owned()))
    }
}

/// The error for a name that is none of the three kinds.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a kind of image; write photorealistic, bw_stylized or color_stylized")]
pub struct UnknownKind(pub String);

/// A number of images for each kind. Kinds left out of a message count 0.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct KindCounts {
    /// Photorealistic images.
    pub photorealistic: u32,
    /// Black-and-white stylized images.
    pub bw_stylized: u32,
    /// Colour stylized images.
    pub color_stylized: u32,
}

impl KindCounts {
    /// The number of images of all kinds together.
    #[must_use]
    pub const fn total(self) -> u32 {
        self.photorealistic + self.bw_stylized + self.color_stylized
    }

    /// Counts the images of each kind.
    pub fn tally(kinds: impl IntoIterator<Item = Kind>) -> Self {
        let mut counts = Self::default();
        for kind in kinds {
            counts[kind] += 1;
        }
        counts
    }

    /// Each kind, repeated by its count, in the order of [`Kind::ALL`].
    pub fn each(self) -> impl Iterator<Item = Kind> {
        Kind::ALL.into_iter().flat_map(move |kind| std::iter::repeat_n(kind, self[kind] as usize))
    }
}

impl Index<Kind> for KindCounts {
    type Output = u32;

    fn index(&self, kind: Kind) -> &u32 {
        match kind {
            Kind::Photorealistic => &self.photorealistic,
            Kind::BwStylized => &self.bw_stylized,
            Kind::ColorStylized => &self.color_stylized,
        }
    }
}

impl IndexMut<Kind> for KindCounts {
    fn index_mut(&mut self, kind: Kind) -> &mut u32 {
        match kind {
            Kind::Photorealistic => &mut self.photorealistic,
            Kind::BwStylized => &mut self.bw_stylized,
            Kind::ColorStylized => &mut self.color_stylized,
        }
    }
}

impl fmt::Display for KindCounts {
    /// The three numbers, as in `13/4/3`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.photorealistic, self.bw_stylized, self.color_stylized)
    }
}
