//! Real images: reading them safely, and what can be measured without an opinion.

mod colour;
mod decode;
mod facts;
pub mod grid;
mod inks;
mod jpeg;
mod tones;

use fast_image_resize as fir;
use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, ImageError, RgbImage};

pub use decode::{DecodeError, MAX_BYTES, MAX_PIXELS, MAX_SIDE, MIN_SIDE, decode, is_jpeg};
pub use facts::{measure, sha256};
pub use tones::tones_of;

/// The length of what goes so far across and so far down. [`f32::hypot`] says it too, for figures that would overflow as
/// squares, as pixels never do; but where functions are built on a newer system, it needs a newer glibc than Lambda has.
#[must_use]
pub fn hypotenuse(x: f32, y: f32) -> f32 {
    (x * x + y * y).sqrt()
}

/// The quality at which JPEGs are written, of 100.
pub const JPEG_QUALITY: u8 = 95;

/// Longest side, in pixels, of what is kept of an image while its set is judged: enough for the largest cell of a
/// grid, and little memory for a set of a hundred.
pub const PREVIEW_SIDE: u32 = 512;

/// The image shrunk so that its longest side is at most `longest` pixels; never enlarged.
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

/// The image at another size, by Lanczos' filter.
#[must_use]
pub fn resize(image: &RgbImage, width: u32, height: u32) -> RgbImage {
    let source = DynamicImage::ImageRgb8(image.clone());
    let mut resized = DynamicImage::ImageRgb8(RgbImage::new(width, height));
    let options = fir::ResizeOptions::new().resize_alg(fir::ResizeAlg::Convolution(fir::FilterType::Lanczos3));
    match fir::Resizer::new().resize(&source, &mut resized, &options) {
        Ok(()) => resized.into_rgb8(),
        // Both images are RGB8, so only an empty one can fail, and that has nothing to show at any size.
        Err(_) => RgbImage::new(width, height),
    }
}

/// The image as a JPEG of quality [`JPEG_QUALITY`].
///
/// # Errors
/// If the image has a side of 0 or of more than 65,535 pixels.
pub fn encode_jpeg(image: &RgbImage) -> Result<Vec<u8>, ImageError> {
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, JPEG_QUALITY).encode_image(image)?;
    Ok(bytes)
}
