//! Reading image files that anybody may have made.

use std::borrow::Cow;
use std::io::Cursor;

use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits, Rgb, RgbImage, RgbaImage};
use moxcms::ColorProfile;

use super::{colour, inks, jpeg};

/// Files larger than this, in bytes, are refused unread.
pub const MAX_BYTES: u64 = 50 * 1024 * 1024;

/// Images with a longer side than this, in pixels, are refused undecoded.
pub const MAX_SIDE: u32 = 12_000;

/// Images with more pixels than this are refused undecoded. With 16 bits in each of four channels one of them takes 600
/// MB while it is decoded, and the evaluation function reads two at a time.
pub const MAX_PIXELS: u64 = 40_000_000;

/// Images with a shorter side than this, in pixels, show nothing that could be learnt.
pub const MIN_SIDE: u32 = 64;

/// What a decoder may allocate, in bytes: the largest accepted image with 16 bits in each of four channels.
const MAX_ALLOCATION: u64 = MAX_PIXELS * 8;

/// What a decoder may allocate, in bytes, for what stands before the image itself, such as a colour profile.
const MAX_PREAMBLE: u64 = 16 * 1024 * 1024;

/// Why a file is unusable as an image. Each says what to do about it; trying again never helps.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// No bytes at all.
    #[error("the file is empty; upload it again, or delete it")]
    Empty,
    /// More than [`MAX_BYTES`].
    #[error("the file has {} MB, more than the {} MB accepted; save it smaller", .0 / 1_048_576, MAX_BYTES / 1_048_576)]
    TooLarge(u64),
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
    /// A JPEG has an end-of-image marker before all of its rows.
    #[error("only the upper {rows} of its {height} rows are there; upload it again, or delete it")]
    RowsMissing {
        /// Rows of pixels that can be decoded.
        rows: u32,
        /// Rows of pixels that the image must have.
        height: u32,
    },
    /// The file is damaged.
    #[error("the file is damaged ({0}); upload it again, or delete it")]
    Damaged(String),
}

/// Reads a PNG, JPEG or WebP of any colour model and depth as upright RGB.
///
/// The content determines the format, whatever the name. Decoding applies the colour profile, so that the pixels are
/// sRGB, and the EXIF orientation; transparent parts become white. Memory is bounded before anything is decoded. A JPEG
/// is accepted only if its image is complete, whatever the decoder would substitute for lost parts.
///
/// # Errors
/// A [`DecodeError`] that says what is wrong with the file and what to do.
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
        ImageFormat::WebP => Cow::Borrowed(whole_webp(bytes)?),
        _ => return Err(DecodeError::NotAnImage),
    };
    let mut reader = ImageReader::with_format(Cursor::new(&*bytes), format);
    // A profile of a few kilobytes may unfold to gigabytes, and is read before the limits below hold.
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

/// Whether the content is that of a JPEG file.
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

/// The file without the bytes after its own end. Every chunk must end within the file: the decoder allocates as much
/// memory as a chunk claims, up to 4 GB. Sizes by RFC 9649, sections 2.3 and 2.4.
fn whole_webp(bytes: &[u8]) -> Result<&[u8], DecodeError> {
    let size = |at: usize| Some(u32::from_le_bytes(bytes.get(at..)?.first_chunk().copied()?) as usize);
    let riff = size(4).ok_or(DecodeError::Truncated)?;
    let end = bytes.len().min(8 + riff + riff % 2);
    let mut at = 12;
    while at + 8 <= end {
        let chunk = size(at + 4).ok_or(DecodeError::Truncated)?;
        let next = at + 8 + chunk;
        if next > bytes.len() {
            return Err(DecodeError::Truncated);
        }
        at = next + chunk % 2;
    }
    Ok(&bytes[..bytes.len().min(at.max(end))])
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
mod tests {
    use image::{ImageBuffer, Luma, Rgba};

    use super::*;

    fn encoded(image: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        image.into().write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    /// Wider than high, the upper left quarter white.
    fn sample() -> RgbImage {
        RgbImage::from_fn(160, 96, |x, y| if x < 80 && y < 48 { Rgb([255; 3]) } else { Rgb([20, 40, 60]) })
    }

    /// The JPEG with an EXIF block that says `orientation`.
    fn with_orientation(jpeg: &[u8], orientation: u8) -> Vec<u8> {
        let mut exif = b"Exif\0\0MM\0\x2A\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
        exif.extend([orientation, 0, 0, 0, 0, 0, 0]);
        let length = u16::try_from(exif.len() + 2).unwrap().to_be_bytes();
        [&jpeg[..2], &[0xFF, 0xE1], &length, &exif, &jpeg[2..]].concat()
    }

    #[test]
    fn the_format_is_told_by_the_content() {
        for format in [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::WebP] {
            assert_eq!(decode(&encoded(sample(), format)).unwrap().dimensions(), (160, 96), "{format:?}");
        }
    }

    #[test]
    fn an_image_is_turned_upright() {
        let upright = decode(&with_orientation(&encoded(sample(), ImageFormat::Jpeg), 6)).unwrap();
        assert_eq!(upright.dimensions(), (96, 160));
        assert!(upright.get_pixel(80, 20).0[0] > 200, "what was at the upper left is at the upper right");
    }

    #[test]
    fn sixteen_bits_and_gray_become_eight_bits_of_rgb() {
        let gray = ImageBuffer::<Luma<u16>, _>::from_pixel(64, 64, Luma([0x8000]));
        assert_eq!(decode(&encoded(gray, ImageFormat::Png)).unwrap().get_pixel(9, 9), &Rgb([128; 3]));
    }

    #[test]
    fn transparent_parts_become_white() {
        let clear = RgbaImage::from_pixel(64, 64, Rgba([10, 10, 10, 0]));
        assert_eq!(decode(&encoded(clear, ImageFormat::Png)).unwrap().get_pixel(9, 9), &Rgb([255; 3]));
    }

    #[test]
    fn a_file_that_is_no_use_is_refused_with_what_to_do() {
        let jpeg = encoded(sample(), ImageFormat::Jpeg);
        let png = encoded(sample(), ImageFormat::Png);
        let line = encoded(RgbImage::new(20_000, 64), ImageFormat::Png);
        let dot = encoded(RgbImage::new(1, 1), ImageFormat::Png);
        for (bytes, says) in [
            (&b""[..], "empty"),
            (b"a shopping list", "not PNG, JPEG or WebP"),
            (&jpeg[..jpeg.len() / 2], "ends before"),
            (&png[..png.len() / 2], "ends before"),
            (&line, "20000×64 pixels are more than"),
            (&dot, "1×1 pixels are too few"),
            (b"\x89PNG\r\n\x1a\nand nothing of the kind", "damaged"),
        ] {
            let error = decode(bytes).unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
    }

    #[test]
    fn a_jpeg_cut_off_anywhere_is_never_taken_for_whole() {
        let jpeg = with_orientation(&encoded(sample(), ImageFormat::Jpeg), 1);
        for length in 0..jpeg.len() - 2 {
            assert!(decode(&jpeg[..length]).is_err(), "cut at {length} of {}", jpeg.len());
        }
    }

    /// A WebP file whose EXIF block is said to have this many bytes.
    fn webp_with_exif_of(size: u32) -> Vec<u8> {
        let plain = encoded(sample(), ImageFormat::WebP);
        let mut extended = b"VP8X\x0A\0\0\0\x08\0\0\0".to_vec();
        extended.extend([159, 0, 0, 95, 0, 0]);
        let exif = [b"EXIF", &size.to_le_bytes()[..], b"MM\0\x2A"].concat();
        let body = [&b"WEBP"[..], &extended, &plain[12..], &exif].concat();
        [b"RIFF", &u32::try_from(body.len()).unwrap().to_le_bytes()[..], &body].concat()
    }

    #[test]
    fn bytes_behind_an_images_end_do_no_harm() {
        let plain = [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::WebP].map(|format| encoded(sample(), format));
        for file in plain.into_iter().chain([webp_with_exif_of(4)]) {
            let followed = [&file[..], b"ANMF\xFF\xFF\xFF\xFFand more"].concat();
            assert_eq!(decode(&followed), decode(&file));
            assert!(decode(&followed).is_ok());
        }
    }

    #[test]
    fn a_webp_that_claims_more_than_it_has_is_refused_before_memory_is_set_aside() {
        assert!(decode(&webp_with_exif_of(4)).is_ok());
        assert_eq!(decode(&webp_with_exif_of(u32::MAX - 9)), Err(DecodeError::Truncated));
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_whatever_make_it_panic(start in 0_usize..3, bytes in proptest::collection::vec(0_u8.., 0..400)) {
            let magic: [&[u8]; 3] = [b"\xFF\xD8\xFF", b"\x89PNG\r\n\x1a\n", b"RIFF\0\0\0\0WEBP"];
            drop(decode(&[magic[start], &bytes].concat()));
        }
    }
}
