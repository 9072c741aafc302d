//! The measured facts of an image file. The `imaging` crate measures them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde::{Deserialize, Serialize};

/// The hexadecimal digits of a SHA-256 that name a file among those of one actor: 64 bits.
const SHORT_DIGITS: usize = 16;

/// The beginning of a SHA-256 that names a file in the records of one actor.
#[must_use]
pub fn short_name(sha256: &str) -> &str {
    sha256.get(..SHORT_DIGITS).unwrap_or(sha256)
}

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
    /// Sharpness and other properties of the full-size image; `None` in older records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<Details>,
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

/// Properties of the full-size image that a small copy doesn't show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Details {
    /// The width of the picture's sharper edges, in tenths of a pixel, in a copy whose shorter side has at most 1024
    /// pixels; `None` if it has no edge. About 14 in a sharp picture, 40 in one that was enlarged four times.
    pub edge_width: Option<u16>,
    /// The share of the picture, in percent, that black or white bars on two opposite sides cover.
    pub bars_percent: u8,
    /// How visible the blocks of a JPEG are: below 100 in a good file, 350 or more at quality 10.
    pub blockiness: u16,
}

impl Facts {
    /// Whether the record has every measurement. Otherwise the file is measured again.
    #[must_use]
    pub const fn is_complete(&self) -> bool {
        self.tones.is_some() && self.details.is_some()
    }

    /// The number of bits in which the perceptual hashes differ; `None` if they can't be compared.
    #[must_use]
    pub fn hash_distance(&self, other: &Self) -> Option<u32> {
        self.hash()?.distance(&other.hash()?)
    }

    /// The perceptual hash; `None` if it can't be decoded.
    #[must_use]
    pub fn hash(&self) -> Option<PerceptualHash> {
        STANDARD_NO_PAD.decode(&self.perceptual_hash).ok().map(PerceptualHash)
    }
}

/// A decoded perceptual hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PerceptualHash(Vec<u8>);

impl PerceptualHash {
    /// The number of bits in which two hashes differ; `None` if their lengths differ.
    #[must_use]
    pub fn distance(&self, other: &Self) -> Option<u32> {
        let is_comparable = self.0.len() == other.0.len() && !self.0.is_empty();
        is_comparable.then(|| self.0.iter().zip(&other.0).map(|(one, other)| (one ^ other).count_ones()).sum())
    }

    /// The hash of the mirror image, roughly: mirroring reverses each row of 16 bits and inverts it, except where
    /// neighbours are equal.
    #[must_use]
    pub fn mirrored(&self) -> Self {
        let mirrored = |row: &[u8]| row.iter().rev().map(|byte| !byte.reverse_bits()).collect::<Vec<_>>();
        Self(self.0.chunks(2).flat_map(mirrored).collect())
    }
}
