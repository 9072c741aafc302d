//! Small copies of pictures for pages.

use image::codecs::jpeg::JpegEncoder;
use imaging::{decode, shrink};

/// The JPEG quality of thumbnails, from 1 to 100: small files, and the faults that an assessment names stay visible.
const QUALITY: u8 = 80;

/// A JPEG whose longest side is at most `side` pixels. It contains nothing of the file but its decoded pixels. Fails if
/// the file is unusable as an image.
pub fn thumbnail(bytes: &[u8], side: u32) -> anyhow::Result<Vec<u8>> {
    let picture = shrink(&decode(bytes)?, side);
    let mut jpeg = Vec::new();
    JpegEncoder::new_with_quality(&mut jpeg, QUALITY).encode_image(&picture)?;
    Ok(jpeg)
}
