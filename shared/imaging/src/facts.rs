//! Measures the facts of an image file.

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use domain::facts::{Facts, short_name};
use image::RgbImage;
use image_hasher::{HashAlg, HasherConfig};
use sha2::{Digest, Sha256};

use super::details::details_of;
use super::{PREVIEW_SIDE, shrink, tones_of};

/// Measures a file and the upright image in it.
#[must_use]
pub fn measure(file: &[u8], image: &RgbImage) -> Facts {
    measure_and_shrink(file, image).0
}

/// Measures a file and the upright image in it, and returns the image's preview, which the measurements need too. Its
/// longest side has at most [`PREVIEW_SIDE`] pixels.
#[must_use]
pub fn measure_and_shrink(file: &[u8], image: &RgbImage) -> (Facts, RgbImage) {
    let preview = shrink(image, PREVIEW_SIDE);
    let hasher = HasherConfig::new().hash_size(16, 16).hash_alg(HashAlg::Gradient).to_hasher();
    let facts = Facts {
        sha256: sha256(file),
        perceptual_hash: STANDARD_NO_PAD.encode(hasher.hash_image(&preview).as_bytes()),
        width: image.width(),
        height: image.height(),
        tones: Some(tones_of(&preview)),
        details: Some(details_of(image)),
    };
    (facts, preview)
}

/// SHA-256 of a file's content, in hexadecimal.
#[must_use]
pub fn sha256(content: &[u8]) -> String {
    Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Identifies a base image among those of an actor: the beginning of its SHA-256.
#[must_use]
pub fn reference_id(file: &[u8]) -> String {
    short_name(&sha256(file)).to_owned()
}
