//! The features that distinguish photographs, drawings without colour, and drawings with colour.
//!
//! All features are measured on a copy of about 160 by 160 pixels, so that they depend on the content of the picture
//! and not on its size. They were selected among thirty by backward elimination on the cross-validated loss of the
//! training pictures, so the model's cross-validated accuracy is somewhat optimistic.

use image::{RgbImage, imageops};

use super::plane::{Plane, mean, quantile, scale, share};
use super::{color, detail};

/// The number of pixels of the measured copy.
const WORKING_AREA: f32 = 160.0 * 160.0;
/// The step in brightness below which a place is flat. JPEG noise of good pictures stays below it.
const FLAT_STEP: f32 = 0.006;
/// Steps between [`FLAT_STEP`] and this are soft shading.
const SOFT_STEP: f32 = 0.04;
/// Steps above this are hard edges.
const HARD_STEP: f32 = 0.16;
/// Keeps logarithms of measures that may be 0 finite.
const TINY: f32 = 1e-3;

pub const COUNT: usize = 15;

/// The features of one picture. Shares are between 0 and 1; steps, chroma and brightness are fractions of full white.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Features {
    /// The logarithm of the spread of the chroma around its mean: low without colour, even on tinted paper.
    pub chroma_spread: f32,
    /// Mean chroma (largest minus smallest channel).
    pub chroma_mean: f32,
    /// The logarithm of the 95th percentile of the chroma.
    pub chroma_peak: f32,
    /// Share of nearly white pixels, such as bare paper.
    pub white_share: f32,
    /// Entropy of the histogram of brightness, 0 to 1: photographs use all tones, ink and posters few.
    pub tone_entropy: f32,
    /// Share of places without a visible step in brightness.
    pub flat_share: f32,
    /// Share of places with soft shading, such as light on skin or cloth.
    pub soft_share: f32,
    /// Share of places with hard edges.
    pub hard_share: f32,
    /// Logarithm of the median absolute Laplacian: texture that covers the whole picture.
    pub grain: f32,
    /// The predominance of thin dark lines over thin light ones, -1 to 1: outlines are dark.
    pub outline_bias: f32,
    /// Median step around edges, as a fraction of the edges' height: low if fills meet cleanly.
    pub edge_clutter: f32,
    /// Share of middle tones around edges: low if strokes are hard.
    pub edge_midtones: f32,
    /// Logarithm of the finest detail's strength over that of the next coarser.
    pub fineness: f32,
    /// Skewness of the finest detail: negative if it consists of thin dark lines.
    pub detail_skew: f32,
    /// Logarithm of the finest detail's kurtosis: high if few sharp edges separate smooth areas.
    pub detail_peakedness: f32,
}

impl Features {
    /// Names in the order of [`Self::to_array`].
    pub const NAMES: [&'static str; COUNT] = [
        "chroma_spread",
        "chroma_mean",
        "chroma_peak",
        "white_share",
        "tone_entropy",
        "flat_share",
        "soft_share",
        "hard_share",
        "grain",
        "outline_bias",
        "edge_clutter",
        "edge_midtones",
        "fineness",
        "detail_skew",
        "detail_peakedness",
    ];

    /// Measures a picture of any size.
    #[must_use]
    pub fn measure(image: &RgbImage) -> Self {
        let area = (image.width() as f32 * image.height() as f32).max(1.0);
        let copy = scale(image, (WORKING_AREA / area).sqrt());
        let gray = imageops::grayscale(&copy);
        let luma = Plane::from_gray(&gray);
        let steps = luma.gradient();
        let chroma = color::chroma(&copy);
        let edges = detail::around_edges(&luma, &steps);
        let band = detail::finest_band(&gray);
        Self {
            chroma_spread: (color::chroma_spread(&copy) + TINY).ln(),
            chroma_mean: mean(&chroma),
            chroma_peak: (quantile(&chroma, 0.95) + TINY).ln(),
            white_share: share(&luma.values, |tone| tone > 0.94),
            tone_entropy: color::tone_entropy(&gray),
            flat_share: share(&steps.values, |step| step < FLAT_STEP),
            soft_share: share(&steps.values, |step| (FLAT_STEP..SOFT_STEP).contains(&step)),
            hard_share: share(&steps.values, |step| step > HARD_STEP),
            grain: (detail::grain(&luma) + TINY).ln(),
            outline_bias: detail::outline_bias(&gray),
            edge_clutter: edges.clutter,
            edge_midtones: edges.midtones,
            fineness: band.fineness,
            detail_skew: band.skew,
            detail_peakedness: band.peakedness,
        }
    }

    /// The features in the order of [`Self::NAMES`].
    #[must_use]
    pub const fn to_array(self) -> [f32; COUNT] {
        [
            self.chroma_spread,
            self.chroma_mean,
            self.chroma_peak,
            self.white_share,
            self.tone_entropy,
            self.flat_share,
            self.soft_share,
            self.hard_share,
            self.grain,
            self.outline_bias,
            self.edge_clutter,
            self.edge_midtones,
            self.fineness,
            self.detail_skew,
            self.detail_peakedness,
        ]
    }
}
