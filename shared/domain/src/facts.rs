//! The measured facts of an image file. The `imaging` crate measures them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde::{Deserialize, Serialize};

/// The perceptual hashes of one picture differ in at most this many of their 256 bits. Measured on 48 real images:
/// recompressed, halved or trimmed by 1 % on each side, an image differs from itself in up to 22 bits; different images
/// differ in 36 or more. Sparse drawings differ in fewer bits, whatever their content, because most of their area is
/// bare paper.
const MAX_DISTANCE_OF_SAME_PICTURE: u32 = 26;

/// The measured facts of one image file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// SHA-256 of the file, in hexadecimal.
    pub sha256: String,
    /// 256-bit gradient hash of the picture, in base 64.
    pub perceptual_hash: String,
    /// The width of the upright image, in pixels.
    pub width: u32,
    /// The height of the upright image, in pixels.
    pub height: u32,
    /// The distribution of the brightness; `None` in older records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tones: Option<Tones>,
}

/// The tones of a picture, from 0 (black) to 255 (white).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tones {
    /// Mean brightness.
    pub mean: u8,
    /// The 2nd percentile: one pixel in fifty is darker.
    pub shadow: u8,
    /// The 98th percentile: one pixel in fifty is lighter.
    pub highlight: u8,
    /// One pixel in a thousand is darker: the lines of a sparse drawing.
    pub darkest: u8,
    /// One pixel in a thousand is lighter.
    pub lightest: u8,
    /// The share of pure white pixels, which contain no detail, in percent.
    pub burnt_percent: u8,
}

impl Facts {
    /// Whether both files may show the same picture. This is only a hint: different sparse drawings look alike to the
    /// hash.
    #[must_use]
    pub fn looks_like(&self, other: &Self) -> bool {
        self.hash_distance(other).is_some_and(|bits| bits <= MAX_DISTANCE_OF_SAME_PICTURE)
    }

    /// The number of bits in which the perceptual hashes differ; `None` if they can't be compared.
    #[must_use]
    pub fn hash_distance(&self, other: &Self) -> Option<u32> {
        let hash = |facts: &Self| STANDARD_NO_PAD.decode(&facts.perceptual_hash).ok();
        let (one, other) = (hash(self)?, hash(other)?);
        let is_comparable = one.len() == other.len() && !one.is_empty();
        is_comparable.then(|| one.iter().zip(&other).map(|(one, other)| (one ^ other).count_ones()).sum())
    }
}
