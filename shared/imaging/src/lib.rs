//! Decodes images safely, measures them, and lays them out on a grid.

mod colour;
mod decode;
mod decode_error;
mod details;
mod facts;
pub mod grid;
mod inks;
mod jpeg;
mod resemblance;
mod tones;
mod webp;

use fast_image_resize as fir;
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::{DynamicImage, ImageError, RgbImage};

pub use decode::{Encoding, decode, is_jpeg, is_upright};
pub use decode_error::{DecodeError, MAX_BYTES, MAX_PIXELS, MAX_SIDE, MIN_SIDE};
pub use facts::{measure, measure_and_shrink, reference_id, sha256};
pub use resemblance::{Comparable, compare_nominated};
pub use tones::tones_of;

/// The square root of `x² + y²`, without protection against overflow. [`f32::hypot`] would link a symbol of glibc that
/// Lambda's runtime lacks if the functions are built on a newer system.
#[must_use]
pub fn hypotenuse(x: f32, y: f32) -> f32 {
    (x * x + y * y).sqrt()
}

/// The quality of written JPEGs, from 1 to 100.
pub const JPEG_QUALITY: u8 = 95;

/// The longest side, in pixels, of the copy of an image that an evaluation keeps in memory: enough for a cell of the
/// grid, and little memory for a hundred images.
pub const PREVIEW_SIDE: u32 = 512;

/// Shrinks an image so that its longest side is at most `longest` pixels. Never enlarges it.
#[must_use]
pub fn shrink(image: &RgbImage, longest: u32) -> RgbImage {
    let (width, height) = image.dimensions();
    if width.max(height) <= longest {
        return image.clone();
    }
    let scale = f64::from(longest) / f64::from(width.max(height));
    let scaled = |side: u32| ((f64::from(side) * scale).round() as u32).clamp(1, longest);
    resize(image, scaled(width), scaled(height))
}

/// Resizes an image with a Lanczos filter.
#[must_use]
pub fn resize(image: &RgbImage, width: u32, height: u32) -> RgbImage {
    let source = DynamicImage::ImageRgb8(image.clone());
    let mut resized = DynamicImage::ImageRgb8(RgbImage::new(width, height));
    let options = fir::ResizeOptions::new().resize_alg(fir::ResizeAlg::Convolution(fir::FilterType::Lanczos3));
    match fir::Resizer::new().resize(&source, &mut resized, &options) {
        Ok(()) => resized.into_rgb8(),
        // Both images are RGB8, so only an empty one can fail, and it is black at any size.
        Err(_) => RgbImage::new(width, height),
    }
}

/// Encodes an image as a JPEG of quality [`JPEG_QUALITY`].
///
/// # Errors
/// If the image has a side of 0 or of more than 65,535 pixels.
pub fn encode_jpeg(image: &RgbImage) -> Result<Vec<u8>, ImageError> {
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, JPEG_QUALITY).encode_image(image)?;
    Ok(bytes)
}

/// Encodes an image as a PNG.
///
/// # Errors
/// If the image has a side of 0.
pub fn encode_png(image: &RgbImage) -> Result<Vec<u8>, ImageError> {
    let mut bytes = Vec::new();
    image.write_with_encoder(PngEncoder::new(&mut bytes))?;
    Ok(bytes)
}
