//! The faults that measurements detect.

use super::{Fault, Limit, QualityLimits};
use crate::facts::{Facts, Tones};
use crate::kind::Kind;

/// A shorter side, in pixels, below which an image is small.
const SMALL_BELOW: u32 = 768;
/// A shorter side, in pixels, below which trainers omit or enlarge an image.
const FAR_TOO_SMALL_BELOW: u32 = 512;

/// The width, in tenths of a pixel, of the sharper edges of a blurred photograph. Measured on 48 real images and on
/// altered copies: 11 to 19, also at JPEG quality 20; enlarged twice 20 to 27, three times 28 to 38, four times 34 to 54;
/// after a Gaussian blur of 1 pixel 23 to 34, of 2 pixels 40 to 59.
const BLURRED_FROM: u16 = 40;
/// The same for a photograph that is a little soft.
const SOFT_FROM: u16 = 30;
/// The share of bars, in percent, that is no accident.
const LETTERBOXED_FROM: u8 = 4;
/// The blockiness of a JPEG whose blocks disturb the picture. Measured on 48 real images and on compressed copies: up to
/// 188 originally and 540 at quality 50. The limit applies to 1 copy at quality 30, to 6 at 20, to 22 at 15, to 41 at 10.
const BLOCKY_FROM: u16 = 1000;

/// The limit of a small image; `None` for other images.
#[must_use]
pub fn of_size(facts: &Facts, limits: &QualityLimits) -> Option<Limit> {
    let faults: &[Fault] = match facts.width.min(facts.height) {
        side if side < FAR_TOO_SMALL_BELOW => &[Fault::FarTooSmall, Fault::Small],
        side if side < SMALL_BELOW => &[Fault::Small],
        _ => return None,
    };
    Some(limits.lowest(faults, format!("Small: {}×{} px.", facts.width, facts.height)))
}

/// The limit of an image that is far too dark or far too light. `None` for other images, and without measured tones.
#[must_use]
pub fn of_exposure(facts: &Facts, kind: Kind, limits: &QualityLimits) -> Option<Limit> {
    let tones = facts.tones?;
    let is_lost = match kind {
        Kind::Photorealistic => is_lost_photograph(tones),
        Kind::BwStylized | Kind::ColorStylized => is_lost_drawing(tones),
    };
    let finding = if tones.mean < 128 { "Far too dark." } else { "Far too light." };
    is_lost.then(|| limits.limit(Fault::BadExposure, finding.to_owned()))
}

/// The limit of a photograph without a sharp place, such as one that is out of focus or was enlarged. Drawings and
/// paintings may have soft outlines on purpose.
#[must_use]
pub fn of_sharpness(facts: &Facts, kind: Kind, limits: &QualityLimits) -> Option<Limit> {
    let width = facts.details?.edge_width.filter(|_| kind == Kind::Photorealistic)?;
    let (faults, finding): (&[Fault], _) = match width {
        BLURRED_FROM.. => (&[Fault::Blurry, Fault::Soft], "Blurred or enlarged"),
        SOFT_FROM.. => (&[Fault::Soft], "Soft or enlarged"),
        _ => return None,
    };
    let finding = format!("{finding}: the sharpest edges are {}.{} px wide.", width / 10, width % 10);
    Some(limits.lowest(faults, finding))
}

/// The limit of an image with black or white bars on opposite sides.
#[must_use]
pub fn of_bars(facts: &Facts, limits: &QualityLimits) -> Option<Limit> {
    let percent = facts.details?.bars_percent;
    let finding = || format!("Bars cover {percent} % of the picture.");
    (percent >= LETTERBOXED_FROM).then(|| limits.limit(Fault::Letterboxed, finding()))
}

/// The limit of an image with visible JPEG blocks.
#[must_use]
pub fn of_blocks(facts: &Facts, limits: &QualityLimits) -> Option<Limit> {
    let finding = || "Blocks of a strongly compressed JPEG are visible.".to_owned();
    (facts.details?.blockiness >= BLOCKY_FROM).then(|| limits.limit(Fault::Blocky, finding()))
}

/// Calibrated by eye on 48 pictures and on darkened and lightened copies of them.
fn is_lost_photograph(tones: Tones) -> bool {
    let is_invisible = tones.highlight < 38 || tones.shadow > 184;
    let is_dark = tones.mean < 12;
    let is_burnt = tones.burnt_percent > 40 && (tones.shadow > 89 || tones.mean > 224);
    is_invisible || is_dark || is_burnt
}

/// A drawing may be almost all bare paper, or almost all black, as long as its lines stand out. A model may classify a
/// photograph that is far too dark as a drawing: its few lights stay dark.
fn is_lost_drawing(tones: Tones) -> bool {
    let is_dark = tones.highlight < 38 && tones.lightest < 90;
    is_dark || tones.darkest > 230
}
