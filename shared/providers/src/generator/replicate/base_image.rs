//! The base image as Replicate takes it: a data URL, which is for images below 1 MB.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use image::{ImageError, RgbImage};
use imaging::{encode_jpeg, shrink};

use super::{ReplicateError, cut_off};

/// More pixels along a side than the model itself works with.
const LONGEST_SIDE: u32 = 1536;

/// In base64 a third is added; a megabyte is the limit.
const MOST_BYTES: usize = 700_000;

/// The image as a data URL of a JPEG, shrunk as far as it must be.
pub(super) async fn data_url(image: &Arc<RgbImage>) -> Result<String, ReplicateError> {
    let image = Arc::clone(image);
    let written = tokio::task::spawn_blocking(move || small_jpeg(&image)).await;
    let jpeg = written.map_err(|error| cut_off("writing the base image", &error))??;
    Ok(format!("data:image/jpeg;base64,{}", STANDARD.encode(jpeg)))
}

/// The quality stays; what is too large gets fewer pixels.
fn small_jpeg(image: &RgbImage) -> Result<Vec<u8>, ImageError> {
    let (image, mut side) = (shrink(image, LONGEST_SIDE), LONGEST_SIDE);
    loop {
        let jpeg = encode_jpeg(&shrink(&image, side))?;
        if jpeg.len() <= MOST_BYTES {
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

    /// Nothing is harder to compress.
    fn noise(width: u32, height: u32) -> RgbImage {
        let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(1);
        RgbImage::from_fn(width, height, |_, _| Rgb(random.random()))
    }

    #[test]
    fn an_image_that_is_small_enough_keeps_its_pixels() {
        let image = RgbImage::from_fn(1200, 900, |x, y| Rgb([(x / 5) as u8, (y / 4) as u8, 90]));
        assert_eq!(decode(&small_jpeg(&image).unwrap()).unwrap().dimensions(), (1200, 900));
    }

    #[test]
    fn a_large_image_is_shrunk_until_it_may_be_sent() {
        let smooth = RgbImage::from_fn(6000, 4000, |x, y| Rgb([(x / 30) as u8, (y / 20) as u8, 90]));
        assert_eq!(decode(&small_jpeg(&smooth).unwrap()).unwrap().dimensions(), (1536, 1024));
        let noisy = small_jpeg(&noise(2000, 3000)).unwrap();
        let (width, height) = decode(&noisy).unwrap().dimensions();
        assert!(noisy.len() <= MOST_BYTES && height > 500, "{} bytes, {width}×{height}", noisy.len());
    }
}
