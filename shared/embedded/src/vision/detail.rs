//! Measures of lines, edges and texture.

use image::GrayImage;
use imageproc::filter::gaussian_blur_f32;
use imageproc::morphology::{Mask, grayscale_close, grayscale_open};

use super::plane::{Plane, deviation, mean, quantile, share};

/// The side of the square windows around edges, in pixels.
const WINDOW: usize = 9;
/// The distance from one window to the next, in pixels.
const STRIDE: usize = 4;
/// The difference between lightest and darkest pixel from which a window contains an edge.
const EDGE_RANGE: f32 = 0.12;
/// Keeps ratios of measures that may be 0 finite.
const TINY: f32 = 1e-3;

/// Median absolute Laplacian.
pub(crate) fn grain(luma: &Plane) -> f32 {
    let inner = |length: usize| 1..length.saturating_sub(1).max(1);
    let values: Vec<f32> = inner(luma.height)
        .flat_map(|y| inner(luma.width).map(move |x| (x, y)))
        .map(|(x, y)| {
            let around = luma.at(x - 1, y) + luma.at(x + 1, y) + luma.at(x, y - 1) + luma.at(x, y + 1);
            (around / 4.0 - luma.at(x, y)).abs()
        })
        .collect();
    quantile(&values, 0.5)
}

/// Black-hat minus top-hat over their sum. These morphological transforms (closing minus picture, picture minus
/// opening) keep only the dark, or the light, lines that are thinner than five pixels.
pub(crate) fn outline_bias(gray: &GrayImage) -> f32 {
    let mask = Mask::square(2);
    let brightness = |image: &GrayImage| mean(&Plane::from_gray(image).values);
    let here = brightness(gray);
    let dark = brightness(&grayscale_close(gray, &mask)) - here;
    let light = here - brightness(&grayscale_open(gray, &mask));
    (dark - light) / (dark + light + TINY)
}

/// Measures of the surroundings of edges.
pub(crate) struct EdgeSurroundings {
    /// The median over all windows of a window's median step, divided by its range.
    pub(crate) clutter: f32,
    /// The mean over all windows of the share of a window's pixels in the middle half of its range.
    pub(crate) midtones: f32,
}

/// Measures the windows that contain an edge. A picture without edges gets medium values.
pub(crate) fn around_edges(luma: &Plane, steps: &Plane) -> EdgeSurroundings {
    let (mut clutter, mut midtones) = (Vec::new(), Vec::new());
    for top in (0..steps.height.saturating_sub(WINDOW)).step_by(STRIDE) {
        for left in (0..steps.width.saturating_sub(WINDOW)).step_by(STRIDE) {
            let tones = window(luma, left, top);
            let (darkest, lightest) = (quantile(&tones, 0.0), quantile(&tones, 1.0));
            let range = lightest - darkest;
            if range > EDGE_RANGE {
                let (low, high) = (darkest + range / 4.0, lightest - range / 4.0);
                clutter.push(quantile(&window(steps, left, top), 0.5) / range);
                midtones.push(share(&tones, |tone| tone > low && tone < high));
            }
        }
    }
    if clutter.is_empty() {
        return EdgeSurroundings { clutter: 0.1, midtones: 0.3 };
    }
    EdgeSurroundings { clutter: quantile(&clutter, 0.5), midtones: mean(&midtones) }
}

fn window(plane: &Plane, left: usize, top: usize) -> Vec<f32> {
    (top..top + WINDOW).flat_map(|y| (left..left + WINDOW).map(move |x| plane.at(x, y))).collect()
}

/// Measures of the finest detail: the part that a Gaussian blur of one pixel removes.
pub(crate) struct FinestBand {
    /// The logarithm of its deviation over that of the next octave.
    pub(crate) fineness: f32,
    /// The third standardised moment, clamped to ±4.
    pub(crate) skew: f32,
    /// The logarithm of the fourth standardised moment.
    pub(crate) peakedness: f32,
}

/// Separates the two finest octaves of detail (a difference-of-Gaussians pyramid) and measures the finest.
pub(crate) fn finest_band(gray: &GrayImage) -> FinestBand {
    let sharp = Plane::from_gray(gray).values;
    let soft = Plane::from_gray(&gaussian_blur_f32(gray, 1.0)).values;
    let softer = Plane::from_gray(&gaussian_blur_f32(gray, 2.0)).values;
    let between = |finer: &[f32], coarser: &[f32]| -> Vec<f32> {
        finer.iter().zip(coarser).map(|(fine, coarse)| fine - coarse).collect()
    };
    let finest = between(&sharp, &soft);
    let strength = deviation(&finest) + TINY;
    let moment = |power: i32| mean(&finest.iter().map(|value| (value / strength).powi(power)).collect::<Vec<_>>());
    FinestBand {
        fineness: (strength / (deviation(&between(&soft, &softer)) + TINY)).ln(),
        skew: moment(3).clamp(-4.0, 4.0),
        peakedness: (moment(4) + TINY).ln(),
    }
}
