//! Encodes the base image for a request. Replicate limits data URLs to 1 MB.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use image::{ImageError, RgbImage};
use imaging::{encode_jpeg, shrink};

use super::failure::Failure;
use super::output::interrupted;

/// In pixels; the model itself works with fewer.
const MAX_SIDE: u32 = 1536;

/// The limit of all images of a request together: base64 adds a third, and a page of Replicate's list contains the images
/// of 100 requests.
pub(super) const MAX_JPEG_BYTES: usize = 700_000;

/// The image as a data URL of a JPEG of at most `max_bytes`, shrunk as far as necessary.
pub(super) async fn data_url(image: &Arc<RgbImage>, max_bytes: usize) -> Result<String, Failure> {
    Ok(format!("data:image/jpeg;base64,{}", STANDARD.encode(jpeg(image, max_bytes).await?)))
}

/// The image as a JPEG of at most `max_bytes`, shrunk as far as necessary.
pub(super) async fn jpeg(image: &Arc<RgbImage>, max_bytes: usize) -> Result<Vec<u8>, Failure> {
    let image = Arc::clone(image);
    let encoded = tokio::task::spawn_blocking(move || small_jpeg(&image, max_bytes)).await;
    Ok(encoded.map_err(|error| interrupted("encoding the base image", &error))??)
}

/// Keeps the quality, and reduces the number of pixels until the JPEG is small enough.
fn small_jpeg(image: &RgbImage, max_bytes: usize) -> Result<Vec<u8>, ImageError> {
    let (image, mut side) = (shrink(image, MAX_SIDE), MAX_SIDE);
    loop {
        let jpeg = encode_jpeg(&shrink(&image, side))?;
        if jpeg.len() <= max_bytes {
            return Ok(jpeg);
        }
        side = side * 3 / 4;
    }
}

#[cfg(test)]
mod tests {
    use image::Rgb;
    use imaging::decode;
    use rand::{RngExt, SeedableRng};

    use super::*;

    /// The hardest image to compress.
    fn noise(width: u32, height: u32) -> RgbImage {
        let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(1);
        RgbImage::from_fn(width, height, |_, _| Rgb(random.random()))
    }

    #[test]
    fn small_image_keeps_its_pixels() {
        let image = RgbImage::from_fn(1200, 900, |x, y| Rgb([(x / 5) as u8, (y / 4) as u8, 90]));
        assert_eq!(decode(&small_jpeg(&image, MAX_JPEG_BYTES).unwrap()).unwrap().dimensions(), (1200, 900));
    }

    #[test]
    fn large_image_is_shrunk_to_the_limit() {
        let smooth = RgbImage::from_fn(6000, 4000, |x, y| Rgb([(x / 30) as u8, (y / 20) as u8, 90]));
        assert_eq!(decode(&small_jpeg(&smooth, MAX_JPEG_BYTES).unwrap()).unwrap().dimensions(), (1536, 1024));
        let noisy = small_jpeg(&noise(2000, 3000), MAX_JPEG_BYTES).unwrap();
        let (width, height) = decode(&noisy).unwrap().dimensions();
        assert!(noisy.len() <= MAX_JPEG_BYTES && height > 500, "{} bytes, {width}×{height}", noisy.len());
    }
}
