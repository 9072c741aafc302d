//! How the brightness of a picture is spread.

use image::{RgbImage, imageops};

use super::plane::{Plane, mean, quantile, scale, share};

/// Longest side, in pixels, of the copy that is measured; brightness needs no detail.
const LONGEST_SIDE: f32 = 128.0;

/// The tones of a picture, in parts of full white.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Exposure {
    /// Mean brightness.
    pub(crate) mean: f32,
    /// Only one pixel in fifty is darker.
    pub(crate) shadow: f32,
    /// Only one pixel in fifty is lighter.
    pub(crate) highlight: f32,
    /// Share of pure white pixels, which hold no detail.
    pub(crate) burnt_share: f32,
}

impl Exposure {
    /// Measures a picture of any size.
    #[must_use]
    pub(crate) fn measure(image: &RgbImage) -> Self {
        let longest = image.width().max(image.height()).max(1) as f32;
        let copy = scale(image, (LONGEST_SIDE / longest).min(1.0));
        let tones = Plane::from_gray(&imageops::grayscale(&copy)).values;
        Self {
            mean: mean(&tones),
            shadow: quantile(&tones, 0.02),
            highlight: quantile(&tones, 0.98),
            burnt_share: share(&tones, |tone| tone > 0.992),
        }
    }
}
