//! Decodes image files from untrusted sources, with bounded memory.

use std::borrow::Cow;
use std::io::Cursor;

use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits, Rgb, RgbImage, RgbaImage};
use moxcms::ColorProfile;

use super::{colour, inks, jpeg, webp};

/// The maximum size of a file, in bytes.
pub const MAX_BYTES: u64 = 50 * 1024 * 1024;

/// The maximum length of a side, in pixels.
pub const MAX_SIDE: u32 = 12_000;

/// The maximum number of pixels. With 16 bits in each of four channels, the decoding of such an image takes 600 MB, and
/// the evaluation function decodes two at a time.
pub const MAX_PIXELS: u64 = 40_000_000;

/// The minimum length of a side, in pixels. A model learns nothing from smaller images.
pub const MIN_SIDE: u32 = 64;

/// The bytes that a decoder may allocate: the largest accepted image with 16 bits in each of four channels.
const MAX_ALLOCATION: u64 = MAX_PIXELS * 8;

/// The bytes that a decoder may allocate for the data before the pixels, such as a colour profile.
const MAX_PREAMBLE: u64 = 16 * 1024 * 1024;

/// Why a file is unusable as an image, with the remedy. A retry can't succeed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    #[error("the file is empty; upload it again, or delete it")]
    Empty,
    #[error("the file has {} MB, more than the {} MB accepted; save it smaller", .0 / 1_048_576, MAX_BYTES / 1_048_576)]
    TooLarge(u64),
    #[error("the content is not PNG, JPEG or WebP; convert it, or delete it")]
    NotAnImage,
    #[error(
        "{width}×{height} pixels are more than the {MAX_SIDE} a side and {} million in all accepted; scale it down",
        MAX_PIXELS / 1_000_000
    )]
    TooManyPixels { width: u32, height: u32 },
    #[error("{width}×{height} pixels are too few; at least {MIN_SIDE} a side are needed, so upload a larger version")]
    TooFewPixels { width: u32, height: u32 },
    #[error("the file ends before its image does; upload it again, or delete it")]
    Truncated,
    /// A JPEG has an end-of-image marker before all of its rows.
    #[error("only the upper {rows} of its {height} rows are there; upload it again, or delete it")]
    RowsMissing {
        /// The number of rows that can be decoded.
        rows: u32,
        height: u32,
    },
    #[error("the file is damaged ({0}); upload it again, or delete it")]
    Damaged(String),
}

/// Decodes a PNG, JPEG or WebP of any colour model and depth as upright RGB.
///
/// The content determines the format, whatever the name. Decoding applies the colour profile, so that the pixels are
/// sRGB, and the EXIF orientation; transparent parts become white. The limits apply before the decoder allocates
/// memory. A JPEG must contain its complete image, because the decoder would substitute lost parts.
///
/// # Errors
/// If the file is unusable as an image.
pub fn decode(bytes: &[u8]) -> Result<RgbImage, DecodeError> {
    if bytes.is_empty() {
        return Err(DecodeError::Empty);
    }
    if bytes.len() as u64 > MAX_BYTES {
        return Err(DecodeError::TooLarge(bytes.len() as u64));
    }
    let format = image::guess_format(bytes).map_err(|_| DecodeError::NotAnImage)?;
    let bytes = match format {
        ImageFormat::Png => Cow::Borrowed(bytes),
        ImageFormat::Jpeg => jpeg::whole(bytes)?,
        ImageFormat::WebP => Cow::Borrowed(webp::whole(bytes)?),
        _ => return Err(DecodeError::NotAnImage),
    };
    let mut reader = ImageReader::with_format(Cursor::new(&*bytes), format);
    // A compressed profile of a few kilobytes may expand to gigabytes, and is read before the limits below apply.
    reader.limits(limits(MAX_PREAMBLE));
    let mut decoder = reader.into_decoder().map_err(damaged)?;
    let (width, height) = decoder.dimensions();
    check_dimensions(width, height)?;
    decoder.set_limits(limits(MAX_ALLOCATION)).map_err(damaged)?;
    let orientation = decoder.orientation().map_err(damaged)?;
    let profile = match format {
        ImageFormat::Png => colour::of_png(&bytes, MAX_PREAMBLE as usize),
        _ => decoder.icc_profile().ok().flatten().and_then(|icc| colour::from_icc(&icc)),
    };
    let mut image = in_srgb(decoder, format, &bytes, profile)?;
    image.apply_orientation(orientation);
    Ok(on_white(image))
}

fn in_srgb(
    decoder: impl ImageDecoder,
    format: ImageFormat,
    bytes: &[u8],
    profile: Option<ColorProfile>,
) -> Result<DynamicImage, DecodeError> {
    if let (ImageFormat::Jpeg, Some(profile)) = (format, &profile)
        && let Some(image) = inks::decode(bytes, profile)
    {
        return Ok(image.into());
    }
    let mut image = DynamicImage::from_decoder(decoder).map_err(damaged)?;
    if let Some(profile) = profile {
        colour::to_srgb(&mut image, &profile);
    }
    Ok(image)
}

#[must_use]
pub fn is_jpeg(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0xFF, 0xD8, 0xFF])
}

/// # Errors
/// If the image is larger or smaller than the limits.
pub(super) fn check_dimensions(width: u32, height: u32) -> Result<(), DecodeError> {
    let pixels = u64::from(width) * u64::from(height);
    if width.max(height) > MAX_SIDE || pixels > MAX_PIXELS {
        Err(DecodeError::TooManyPixels { width, height })
    } else if width.min(height) < MIN_SIDE {
        Err(DecodeError::TooFewPixels { width, height })
    } else {
        Ok(())
    }
}

fn limits(bytes: u64) -> Limits {
    let mut limits = Limits::default();
    limits.max_alloc = Some(bytes);
    limits
}

fn damaged(error: ImageError) -> DecodeError {
    match error {
        ImageError::IoError(cause) if cause.kind() == std::io::ErrorKind::UnexpectedEof => DecodeError::Truncated,
        other => DecodeError::Damaged(other.to_string().split_whitespace().collect::<Vec<_>>().join(" ")),
    }
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

#[cfg(test)]
mod tests;
