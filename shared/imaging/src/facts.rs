//! Measures the facts of an image file.

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use domain::facts::Facts;
use image::RgbImage;
use image_hasher::{HashAlg, HasherConfig};
use sha2::{Digest, Sha256};

use super::{PREVIEW_SIDE, shrink, tones_of};

/// Measures a file and the upright image in it.
#[must_use]
pub fn measure(file: &[u8], image: &RgbImage) -> Facts {
    let preview = shrink(image, PREVIEW_SIDE);
    let hasher = HasherConfig::new().hash_size(16, 16).hash_alg(HashAlg::Gradient).to_hasher();
    Facts {
        sha256: sha256(file),
        perceptual_hash: STANDARD_NO_PAD.encode(hasher.hash_image(&preview).as_bytes()),
        width: image.width(),
        height: image.height(),
        tones: Some(tones_of(&preview)),
    }
}

/// SHA-256 of a file's content, in hexadecimal.
#[must_use]
pub fn sha256(content: &[u8]) -> String {
    Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use image::codecs::jpeg::JpegEncoder;
    use image::imageops::crop_imm;

    use super::*;
    use crate::{decode, resize};

    fn real_images() -> Vec<RgbImage> {
        let decoded = |image: real_data::LabelledImage| decode(&std::fs::read(image.path).unwrap()).unwrap();
        real_data::labelled_images().into_iter().map(decoded).collect()
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

    #[test]
    fn altered_image_looks_like_its_original() {
        for image in real_images() {
            let original = facts(&image);
            let half = resize(&image, image.width() / 2, image.height() / 2);
            for altered in [recompressed(&image), half, trimmed(&image)] {
                let altered = facts(&altered);
                assert!(original.looks_like(&altered), "{} bits differ", original.hash_distance(&altered).unwrap());
            }
        }
    }

    #[test]
    fn different_images_are_distinguished() {
        let all: Vec<Facts> = real_images().iter().map(facts).collect();
        for (index, one) in all.iter().enumerate() {
            for other in &all[..index] {
                assert!(!one.looks_like(other), "only {} bits differ", one.hash_distance(other).unwrap());
            }
        }
    }
}
