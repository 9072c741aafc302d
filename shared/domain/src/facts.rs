//! The measured facts of an image file. The `imaging` crate measures them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde::{Deserialize, Serialize};

/// Bits in which the 256-bit perceptual hashes of two pictures of the same may differ. Measured on 48 real images:
/// recompressed, halved or trimmed by 1 % on each side they differ from themselves in up to 22 bits, and from one
/// another in 36 and more. Sparse drawings differ in fewer, whatever their content: most of their bits are bare paper.
const SAME_PICTURE_BITS: u32 = 26;

/// The measured facts of one image file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// SHA-256 of the file, in hexadecimal.
    pub sha256: String,
    /// 256-bit gradient hash of the picture, in base 64.
    pub perceptual_hash: String,
    /// Pixels across, upright.
    pub width: u32,
    /// Pixels down, upright.
    pub height: u32,
    /// The distribution of its brightness; `None` in records from before it was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tones: Option<Tones>,
}

/// The tones of a picture, from 0 (black) to 255 (white).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tones {
    /// Mean brightness.
    pub mean: u8,
    /// Only one pixel in fifty is darker.
    pub shadow: u8,
    /// Only one pixel in fifty is lighter.
    pub highlight: u8,
    /// Only one pixel in a thousand is darker: the lines of a sparse drawing.
    pub darkest: u8,
    /// Only one pixel in a thousand is lighter.
    pub lightest: u8,
    /// Percent of pure white pixels, which contain no detail.
    pub burnt_percent: u8,
}

impl Facts {
    /// Whether both files may show the same picture. This is only a hint: different sparse drawings look alike to the
    /// hash.
    #[must_use]
    pub fn looks_like(&self, other: &Self) -> bool {
        self.hash_distance(other).is_some_and(|bits| bits <= SAME_PICTURE_BITS)
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
