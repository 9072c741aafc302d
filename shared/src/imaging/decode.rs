//! Reading image files that anybody may have made.

use std::io::Cursor;

use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits, Rgb, RgbImage, RgbaImage};

/// Files larger than this, in bytes, are refused unread.
pub const MAX_BYTES: usize = 50 * 1024 * 1024;

/// Images with a longer side than this, in pixels, are refused undecoded.
pub const MAX_SIDE: u32 = 12_000;

/// Images with more pixels than this are refused undecoded: as RGB they take 192 MB.
pub const MAX_PIXELS: u64 = 64_000_000;

/// Images with a shorter side than this, in pixels, show nothing that could be learnt.
pub const MIN_SIDE: u32 = 64;

/// What a decoder may allocate, in bytes: the largest accepted image with 16 bits in each of four channels.
const MAX_ALLOCATION: u64 = MAX_PIXELS * 8;

/// Why a file is no use as an image. Each says what to do about it; trying again never helps.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// No bytes at all.
    #[error("the file is empty; upload it again, or delete it")]
    Empty,
    /// More than [`MAX_BYTES`].
    #[error("the file has {} MB, more than the {} MB accepted; save it smaller", .0 / 1_048_576, MAX_BYTES / 1_048_576)]
    TooLarge(usize),
    /// Not PNG, JPEG or WebP.
    #[error("the content is not PNG, JPEG or WebP; convert it, or delete it")]
    NotAnImage,
    /// More than [`MAX_SIDE`] or [`MAX_PIXELS`].
    #[error(
        "{width}×{height} pixels are more than the {MAX_SIDE} a side and {} million in all accepted; scale it down",
        MAX_PIXELS / 1_000_000
    )]
    TooManyPixels {
        /// Pixels across.
        width: u32,
        /// Pixels down.
        height: u32,
    },
    /// Less than [`MIN_SIDE`].
    #[error("{width}×{height} pixels are too few; at least {MIN_SIDE} a side are needed, so upload a larger version")]
    TooFewPixels {
        /// Pixels across.
        width: u32,
        /// Pixels down.
        height: u32,
    },
    /// The file ends before its image does.
    #[error("the file ends before its image does; upload it again, or delete it")]
    Truncated,
    /// The file is damaged.
    #[error("the file is damaged ({0}); upload it again, or delete it")]
    Damaged(String),
}

/// Reads a PNG, JPEG or WebP of any colour model and depth as upright RGB.
///
/// The format is told by the content, whatever the name; the EXIF orientation is applied; transparent parts become
/// white. Memory is bounded before anything is decoded.
///
/// # Errors
/// A [`DecodeError`] that says what is wrong with the file and what to do.
pub fn decode(bytes: &[u8]) -> Result<RgbImage, DecodeError> {
    if bytes.is_empty() {
        return Err(DecodeError::Empty);
    }
    if bytes.len() > MAX_BYTES {
        return Err(DecodeError::TooLarge(bytes.len()));
    }
    let reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format().map_err(|_| DecodeError::NotAnImage)?;
    let format =
        reader.format().filter(|format| matches!(format, ImageFormat::Png | ImageFormat::Jpeg | ImageFormat::WebP));
    let Some(format) = format else { return Err(DecodeError::NotAnImage) };
    let mut decoder = reader.into_decoder().map_err(damaged)?;
    let (width, height) = decoder.dimensions();
    check_dimensions(width, height)?;
    decoder.set_limits(limits()).map_err(damaged)?;
    let orientation = decoder.orientation().map_err(damaged)?;
    if format == ImageFormat::Jpeg && !jpeg_is_complete(bytes) {
        return Err(DecodeError::Truncated);
    }
    let mut image = DynamicImage::from_decoder(decoder).map_err(damaged)?;
    image.apply_orientation(orientation);
    Ok(on_white(image))
}

fn check_dimensions(width: u32, height: u32) -> Result<(), DecodeError> {
    let pixels = u64::from(width) * u64::from(height);
    if width.max(height) > MAX_SIDE || pixels > MAX_PIXELS {
        Err(DecodeError::TooManyPixels { width, height })
    } else if width.min(height) < MIN_SIDE {
        Err(DecodeError::TooFewPixels { width, height })
    } else {
        Ok(())
    }
}

fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.max_alloc = Some(MAX_ALLOCATION);
    limits
}

fn damaged(error: ImageError) -> DecodeError {
    match error {
        ImageError::IoError(cause) if cause.kind() == std::io::ErrorKind::UnexpectedEof => DecodeError::Truncated,
        other => DecodeError::Damaged(other.to_string()),
    }
}

/// Whether an end-of-image marker follows the scan: the decoder fills what is missing with gray and says nothing.
/// Markers by ITU-T T.81, annex B.
fn jpeg_is_complete(bytes: &[u8]) -> bool {
    const START_OF_SCAN: u8 = 0xDA;
    const END_OF_IMAGE: [u8; 2] = [0xFF, 0xD9];
    let mut at = 2;
    while let Some(&[0xFF, marker, high, low]) = bytes.get(at..at + 4) {
        at += 2 + usize::from(u16::from_be_bytes([high, low]));
        if marker == START_OF_SCAN {
            return bytes.get(at..).is_some_and(|scan| scan.windows(2).any(|pair| pair == END_OF_IMAGE));
        }
    }
    false
}

fn on_white(image: DynamicImage) -> RgbImage {
    if !image.color().has_alpha() {
        return image.into_rgb8();
    }
    let image: RgbaImage = image.into_rgba8();
    RgbImage::from_fn(image.width(), image.height(), |x, y| {
        let [red, green, blue, alpha] = image.get_pixel(x, y).0.map(u16::from);
        Rgb([red, green, blue].map(|value| ((value * alpha + 255 * (255 - alpha)) / 255) as u8))
    })
}
