//! What can be measured of an image: cheap, and never imagined.

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use image::RgbImage;
use image_hasher::{HashAlg, HasherConfig, ImageHash};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Bits in which the 256-bit perceptual hashes of two pictures of the same may differ. Recompressing, rescaling and
/// cropping by 2 % change at most this many bits; different pictures of one actor differ in 40 and more.
const SAME_PICTURE_BITS: u32 = 10;

/// The measured facts of one image file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// SHA-256 of the file, in hexadecimal.
    pub sha256: String,
    /// 256-bit double-gradient hash of the picture, in base 64.
    pub perceptual_hash: String,
    /// Pixels across, upright.
    pub width: u32,
    /// Pixels down, upright.
    pub height: u32,
}

impl Facts {
    /// Whether both files show the same picture.
    #[must_use]
    pub fn looks_like(&self, other: &Self) -> bool {
        let hashes = (
            ImageHash::<Box<[u8]>>::from_base64(&self.perceptual_hash),
            ImageHash::from_base64(&other.perceptual_hash),
        );
        matches!(hashes, (Ok(one), Ok(another)) if one.dist(&another) <= SAME_PICTURE_BITS)
    }
}

/// Measures a file and the upright image it holds.
#[must_use]
pub fn measure(file: &[u8], image: &RgbImage) -> Facts {
    let hasher = HasherConfig::new().hash_size(16, 16).hash_alg(HashAlg::DoubleGradient).to_hasher();
    Facts {
        sha256: hex(&Sha256::digest(file)),
        perceptual_hash: STANDARD_NO_PAD.encode(hasher.hash_image(image).as_bytes()),
        width: image.width(),
        height: image.height(),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
