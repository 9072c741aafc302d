//! What can be measured of an image: cheap, and never imagined.

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use image::RgbImage;
use image_hasher::{HashAlg, HasherConfig, ImageHash};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{PREVIEW_SIDE, Tones, shrink};

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

impl Facts {
    /// Whether both files may show the same picture. This is only a hint: different sparse drawings look alike to the
    /// hash.
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
    let hasher = HasherConfig::new().hash_size(16, 16).hash_alg(HashAlg::Gradient).to_hasher();
    Facts {
        sha256: sha256(file),
        perceptual_hash: STANDARD_NO_PAD.encode(hasher.hash_image(image).as_bytes()),
        width: image.width(),
        height: image.height(),
        tones: Some(Tones::measure(&shrink(image, PREVIEW_SIDE))),
    }
}

/// SHA-256 of a file's content, in hexadecimal.
#[must_use]
pub fn sha256(content: &[u8]) -> String {
    Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imaging::{decode, resize};
    use image::codecs::jpeg::JpegEncoder;
    use image::imageops::crop_imm;

    /// The real images, where they are at hand.
    fn real_images() -> Vec<RgbImage> {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data/images");
        let Ok(entries) = std::fs::read_dir(folder) else {
            eprintln!("skipped: there are no images in {folder}");
            return Vec::new();
        };
        entries.map(|entry| decode(&std::fs::read(entry.unwrap().path()).unwrap()).unwrap()).collect()
    }

    fn facts(image: &RgbImage) -> Facts {
        measure(b"", image)
    }

    fn recompressed(image: &RgbImage) -> RgbImage {
        let mut bytes = Vec::new();
        JpegEncoder::new_with_quality(&mut bytes, 60).encode_image(image).unwrap();
        decode(&bytes).unwrap()
    }

    fn trimmed(image: &RgbImage) -> RgbImage {
        let (width, height) = image.dimensions();
        crop_imm(image, width / 100, height / 100, width - width / 50, height - height / 50).to_image()
    }

    fn distance(one: &Facts, other: &Facts) -> u32 {
        let hash = |facts: &Facts| ImageHash::<Box<[u8]>>::from_base64(&facts.perceptual_hash).unwrap();
        hash(one).dist(&hash(other))
    }

    #[test]
    fn recompressing_halving_and_trimming_leave_the_picture_the_same() {
        for image in real_images() {
            let original = facts(&image);
            let half = resize(&image, image.width() / 2, image.height() / 2);
            for altered in [recompressed(&image), half, trimmed(&image)] {
                let altered = facts(&altered);
                assert!(original.looks_like(&altered), "{} bits differ", distance(&original, &altered));
            }
        }
    }

    #[test]
    fn different_pictures_are_told_apart() {
        let all: Vec<Facts> = real_images().iter().map(facts).collect();
        for (index, one) in all.iter().enumerate() {
            for other in &all[..index] {
                assert!(!one.looks_like(other), "only {} bits differ", distance(one, other));
            }
        }
    }
}
