//! Colour profiles: converts the pixels of an image with a profile to sRGB.
//!
//! A profile is a hint. One that is broken, oversized, or made for other pixels than the image has is ignored, and the
//! pixels count as sRGB.

#[cfg(test)]
mod tests;

use std::io::Cursor;

use image::DynamicImage;
use moxcms::{
    Chromaticity, CicpProfile, ColorPrimaries, ColorProfile, DataColorSpace, Layout, MatrixCoefficients, ToneReprCurve,
    TransferCharacteristics, TransformExecutor, TransformOptions, XyY,
};

/// The maximum size of a profile, in bytes. The largest profiles of printing presses have 8 MB.
const MAX_PROFILE: usize = 10 * 1024 * 1024;

/// The difference up to which two channels count as equal: sRGB profiles differ in their rounding.
const TOLERANCE: u8 = 2;

type Transform<V> = dyn TransformExecutor<V> + Send + Sync;

/// Reads an ICC profile.
pub(super) fn from_icc(icc: &[u8]) -> Option<ColorProfile> {
    if icc.len() > MAX_PROFILE { None } else { ColorProfile::new_from_slice(icc).ok() }
}

/// The colour chunks of a PNG, by their precedence (PNG, third edition, 4.3): cICP, iCCP, sRGB, and gAMA with cHRM.
/// Chunks before the pixels may take `most_bytes` in memory.
pub(super) fn of_png(file: &[u8], most_bytes: usize) -> Option<ColorProfile> {
    let limits = png::Limits { bytes: most_bytes };
    let reader = png::Decoder::new_with_limits(Cursor::new(file), limits).read_info().ok()?;
    let info = reader.info();
    if let Some(points) = &info.coding_independent_code_points {
        return from_code_points(points);
    }
    if let Some(icc) = &info.icc_profile {
        return from_icc(icc);
    }
    if info.srgb.is_some() {
        return None;
    }
    let gamma = info.gama_chunk.map(png::ScaledFloat::into_value).filter(|gamma| !is_usual_gamma(*gamma));
    if matches!(info.color_type, png::ColorType::Grayscale | png::ColorType::GrayscaleAlpha) {
        return gamma.and_then(gray_of_gamma);
    }
    if gamma.is_none() && info.chrm_chunk.is_none() {
        return None;
    }
    let mut profile = ColorProfile::new_srgb();
    profile.cicp = None;
    if let Some(primaries) = &info.chrm_chunk {
        set_primaries(&mut profile, primaries)?;
    }
    if let Some(gamma) = gamma {
        let curve = Some(curve_of_gamma(gamma)?);
        (profile.red_trc, profile.green_trc, profile.blue_trc) = (curve.clone(), curve.clone(), curve);
    }
    Some(profile)
}

/// Converts an image to sRGB in place. If the profile doesn't fit the image, the image stays unchanged.
pub(super) fn to_srgb(image: &mut DynamicImage, profile: &ColorProfile) {
    let (layout, colours) = match image {
        DynamicImage::ImageLuma8(_) | DynamicImage::ImageLuma16(_) => (Layout::Gray, DataColorSpace::Gray),
        DynamicImage::ImageLumaA8(_) | DynamicImage::ImageLumaA16(_) => (Layout::GrayAlpha, DataColorSpace::Gray),
        DynamicImage::ImageRgb8(_) | DynamicImage::ImageRgb16(_) => (Layout::Rgb, DataColorSpace::Rgb),
        DynamicImage::ImageRgba8(_) | DynamicImage::ImageRgba16(_) => (Layout::Rgba, DataColorSpace::Rgb),
        _ => return,
    };
    if profile.color_space != colours {
        return;
    }
    let srgb = if colours == DataColorSpace::Gray { gray_srgb() } else { ColorProfile::new_srgb() };
    let options = TransformOptions::default();
    let Ok(transform) = profile.create_transform_8bit(layout, &srgb, layout, options) else { return };
    if !changes_colours(transform.as_ref(), layout) {
        return;
    }
    let line = image.width() as usize * layout.channels();
    match image {
        DynamicImage::ImageLuma8(image) => recolour(image, line, transform.as_ref()),
        DynamicImage::ImageLumaA8(image) => recolour(image, line, transform.as_ref()),
        DynamicImage::ImageRgb8(image) => recolour(image, line, transform.as_ref()),
        DynamicImage::ImageRgba8(image) => recolour(image, line, transform.as_ref()),
        _ => {
            let Ok(transform) = profile.create_transform_16bit(layout, &srgb, layout, options) else { return };
            match image {
                DynamicImage::ImageLuma16(image) => recolour(image, line, transform.as_ref()),
                DynamicImage::ImageLumaA16(image) => recolour(image, line, transform.as_ref()),
                DynamicImage::ImageRgb16(image) => recolour(image, line, transform.as_ref()),
                DynamicImage::ImageRgba16(image) => recolour(image, line, transform.as_ref()),
                _ => {}
            }
        }
    }
}

/// The transform from shares of cyan, magenta, yellow and black ink (255 is all of it) to sRGB.
pub(super) fn from_inks(profile: &ColorProfile) -> Option<impl Fn(&[u8], &mut [u8]) -> bool> {
    if profile.color_space != DataColorSpace::Cmyk {
        return None;
    }
    let srgb = ColorProfile::new_srgb();
    let transform =
        profile.create_transform_8bit(Layout::Rgba, &srgb, Layout::Rgb, TransformOptions::default()).ok()?;
    let mut paper = [0; 3];
    transform.transform(&[0; 4], &mut paper).ok()?;
    let convert = move |inks: &[u8], colours: &mut [u8]| transform.transform(inks, colours).is_ok();
    is_light(&paper).then_some(convert)
}

/// Whether a transform converts between colour spaces and is not a broken one.
fn changes_colours(transform: &Transform<u8>, layout: Layout) -> bool {
    const STEPS: [u8; 6] = [255, 0, 51, 102, 153, 204];
    let is_gray = matches!(layout, Layout::Gray | Layout::GrayAlpha);
    let has_alpha = layout.has_alpha();
    let mut before = Vec::new();
    for red in STEPS {
        for green in STEPS {
            for blue in STEPS {
                before.extend(&[red, green, blue][..if is_gray { 1 } else { 3 }]);
                before.extend(has_alpha.then_some(255));
            }
        }
    }
    let mut after = vec![0; before.len()];
    if transform.transform(&before, &mut after).is_err() {
        return false;
    }
    // The first sample is white.
    is_light(&after[..layout.channels()]) && before.iter().zip(&after).any(|(old, new)| old.abs_diff(*new) > TOLERANCE)
}

fn is_light(white: &[u8]) -> bool {
    white.iter().all(|channel| *channel > 127)
}

fn recolour<V: Copy + Default>(samples: &mut [V], line: usize, transform: &Transform<V>) {
    let mut before = vec![V::default(); line];
    for samples in samples.chunks_exact_mut(line) {
        before.copy_from_slice(samples);
        if transform.transform(&before, samples).is_err() {
            samples.copy_from_slice(&before);
        }
    }
}

/// Gray with the tones of sRGB.
fn gray_srgb() -> ColorProfile {
    let mut gray = ColorProfile::new_gray_with_gamma(2.2);
    gray.gray_trc = ColorProfile::new_srgb().red_trc;
    gray
}

/// Whether this is a gamma that encoders write for sRGB.
fn is_usual_gamma(gamma: f32) -> bool {
    (0.43..0.48).contains(&gamma)
}

fn gray_of_gamma(gamma: f32) -> Option<ColorProfile> {
    let mut gray = ColorProfile::new_gray_with_gamma(2.2);
    gray.gray_trc = Some(curve_of_gamma(gamma)?);
    Some(gray)
}

fn curve_of_gamma(gamma: f32) -> Option<ToneReprCurve> {
    (0.1..10.0).contains(&gamma).then(|| ToneReprCurve::Parametric(vec![1.0 / gamma]))
}

fn set_primaries(profile: &mut ColorProfile, chunk: &png::SourceChromaticities) -> Option<()> {
    let place = |(x, y): (png::ScaledFloat, png::ScaledFloat)| {
        let (x, y) = (x.into_value(), y.into_value());
        (y > 0.0 && x + y <= 1.0).then_some(Chromaticity { x, y })
    };
    let primaries = ColorPrimaries { red: place(chunk.red)?, green: place(chunk.green)?, blue: place(chunk.blue)? };
    let white = place(chunk.white)?;
    profile.update_rgb_colorimetry(XyY { x: white.x.into(), y: white.y.into(), yb: 1.0 }, primaries);
    let colorants = [profile.red_colorant, profile.green_colorant, profile.blue_colorant];
    colorants.iter().all(|colorant| (colorant.x + colorant.y + colorant.z).is_finite()).then_some(())
}

/// `None` for HDR transfer functions: they have no fixed white, so their values have no sRGB equivalent.
fn from_code_points(points: &png::CodingIndependentCodePoints) -> Option<ColorProfile> {
    let transfer_characteristics = TransferCharacteristics::try_from(points.transfer_function).ok()?;
    if matches!(transfer_characteristics, TransferCharacteristics::Smpte2084 | TransferCharacteristics::Hlg) {
        return None;
    }
    let profile = ColorProfile::new_from_cicp(CicpProfile {
        color_primaries: points.color_primaries.try_into().ok()?,
        transfer_characteristics,
        matrix_coefficients: MatrixCoefficients::Identity,
        full_range: true,
    });
    profile.is_matrix_shaper().then_some(profile)
}
