//! Decodes image files from untrusted sources, with bounded memory.

use std::borrow::Cow;
use std::io::Cursor;

use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits, Rgb, RgbImage, RgbaImage};
use moxcms::ColorProfile;

use super::decode_error::{DecodeError, MAX_BYTES, MAX_PIXELS, check_dimensions};
use super::{colour, inks, jpeg, webp};

/// The bytes that a decoder may allocate: the largest accepted image with 16 bits in each of four channels.
const MAX_ALLOCATION: u64 = MAX_PIXELS * 8;

/// The bytes that a decoder may allocate for the data before the pixels, such as a colour profile.
const MAX_PREAMBLE: u64 = 16 * 1024 * 1024;

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
    let bytes = whole(bytes, format)?;
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

/// The part of the file that is the image.
fn whole(bytes: &[u8], format: ImageFormat) -> Result<Cow<'_, [u8]>, DecodeError> {
    match format {
        ImageFormat::Png => Ok(Cow::Borrowed(bytes)),
        ImageFormat::Jpeg => jpeg::whole(bytes),
        ImageFormat::WebP => Ok(Cow::Borrowed(webp::whole(bytes)?)),
        _ => Err(DecodeError::NotAnImage),
    }
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

/// The format of an image file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// JPEG.
    Jpeg,
    /// PNG.
    Png,
    /// WebP.
    WebP,
}

impl Encoding {
    /// The encoding of a file, by its content. `None` if [`decode`] can't read it.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Option<Self> {
        match image::guess_format(bytes) {
            Ok(ImageFormat::Jpeg) => Some(Self::Jpeg),
            Ok(ImageFormat::Png) => Some(Self::Png),
            Ok(ImageFormat::WebP) => Some(Self::WebP),
            _ => None,
        }
    }
}

/// Whether the stored pixels are upright, so that programs that ignore the EXIF orientation show the image as others do.
///
/// # Errors
/// If the beginning of the file can't be read.
pub fn is_upright(bytes: &[u8]) -> Result<bool, DecodeError> {
    let format = image::guess_format(bytes).map_err(|_| DecodeError::NotAnImage)?;
    let bytes = whole(bytes, format)?;
    let mut reader = ImageReader::with_format(Cursor::new(&*bytes), format);
    reader.limits(limits(MAX_PREAMBLE));
    let mut decoder = reader.into_decoder().map_err(damaged)?;
    Ok(decoder.orientation().map_err(damaged)? == Orientation::NoTransforms)
}

#[must_use]
pub fn is_jpeg(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0xFF, 0xD8, 0xFF])
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
