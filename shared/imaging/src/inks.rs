//! Decodes CMYK JPEGs, whose colours a profile defines.

use image::RgbImage;
use moxcms::ColorProfile;
use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;

use super::colour;

/// Decodes a JPEG of four inks by its profile. `None` if it has other components, or the profile is unusable.
pub(super) fn decode(jpeg: &[u8], profile: &ColorProfile) -> Option<RgbImage> {
    let convert = colour::from_inks(profile)?;
    let options = DecoderOptions::default()
        .set_strict_mode(false)
        .set_max_width(usize::MAX)
        .set_max_height(usize::MAX)
        .jpeg_set_out_colorspace(ColorSpace::CMYK);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(jpeg), options);
    decoder.decode_headers().ok()?;
    let space = decoder.input_colorspace().filter(|space| matches!(space, ColorSpace::CMYK | ColorSpace::YCCK))?;
    let (width, height) = decoder.dimensions()?;
    decoder.set_options(options.jpeg_set_out_colorspace(space));
    let mut inks = decoder.decode().ok()?;
    for ink in inks.as_chunks_mut::<4>().0 {
        *ink = if space == ColorSpace::YCCK { from_ycck(*ink) } else { ink.map(|share| 255 - share) };
    }
    let mut image = RgbImage::new(u32::try_from(width).ok()?, u32::try_from(height).ok()?);
    let mut lines = inks.chunks_exact(width * 4).zip(image.chunks_exact_mut(width * 3));
    lines.all(|(inks, colours)| convert(inks, colours)).then_some(image)
}

/// Converts samples to shares of ink. Adobe's programs, and all others since, store them inverted, the first three as
/// luma and chroma (ITU-T T.872, 6.5.3).
fn from_ycck([luma, blue, red, black]: [u8; 4]) -> [u8; 4] {
    let (luma, blue, red) = (f32::from(luma), f32::from(blue) - 128.0, f32::from(red) - 128.0);
    let share = |value: f32| value.round().clamp(0.0, 255.0) as u8;
    [
        share(luma + 1.402 * red),
        share(luma - 0.344_136 * blue - 0.714_136 * red),
        share(luma + 1.772 * blue),
        255 - black,
    ]
}
