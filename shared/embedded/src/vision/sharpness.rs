//! Measures the width of the edges of a preview, which shows the focus of a picture of any kind.
//!
//! `imaging` measures the edges of the full-size image for every vision model, and limits only photographs by them. The
//! scale, the tiles and the thresholds differ: one of the two can't replace the other without a new version of the model.

use image::{RgbImage, imageops};

use super::plane::{Plane, quantile, scale};

/// The longest side of the measured copy, in pixels. Smaller pictures are not enlarged: sharp thumbnails would look
/// blurred.
const LONGEST_SIDE: f32 = 256.0;
/// The side of the square windows, in pixels: wider than any edge that must be distinguished.
const WINDOW: usize = 13;
/// The distance from one window to the next, in pixels.
const STRIDE: usize = 4;
/// The minimum difference between lightest and darkest pixel of a window with an edge.
const MIN_RANGE: f32 = 0.08;

/// The width, in pixels, of the picture's sharper edges, or `None` if it has no edge at all.
///
/// The width in a window is the difference between its lightest and darkest pixel, divided by its steepest step: 1 for
/// a perfectly sharp edge, about 2.5 σ after a Gaussian blur of σ pixels. Only the windows with the most contrast
/// count, and of these the sharper ones, because a background out of focus is no fault.
#[must_use]
pub(crate) fn preview_edge_width(image: &RgbImage) -> Option<f32> {
    let longest = image.width().max(image.height()).max(1) as f32;
    let gray = imageops::grayscale(&scale(image, (LONGEST_SIDE / longest).min(1.0)));
    let luma = Plane::from_gray(&gray);
    let windows = windows(&luma);
    let ranges: Vec<f32> = windows.iter().map(|window| window.range).collect();
    let enough = quantile(&ranges, 0.8).max(MIN_RANGE);
    let widths: Vec<f32> =
        windows.iter().filter(|window| window.range >= enough).map(|window| window.range / window.steepest).collect();
    (!widths.is_empty()).then(|| quantile(&widths, 0.25))
}

struct Window {
    /// Lightest minus darkest pixel.
    range: f32,
    /// The largest step between neighbours.
    steepest: f32,
}

fn windows(luma: &Plane) -> Vec<Window> {
    let steps = luma.gradient();
    let starts = |length: usize| (0..=length.saturating_sub(WINDOW)).step_by(STRIDE);
    let mut windows = Vec::new();
    for top in starts(steps.height) {
        for left in starts(steps.width) {
            windows.push(window(luma, &steps, left, top));
        }
    }
    windows
}

fn window(luma: &Plane, steps: &Plane, left: usize, top: usize) -> Window {
    let (mut darkest, mut lightest, mut steepest) = (1.0_f32, 0.0_f32, f32::EPSILON);
    for y in top..(top + WINDOW).min(steps.height) {
        for x in left..(left + WINDOW).min(steps.width) {
            darkest = darkest.min(luma.at(x, y));
            lightest = lightest.max(luma.at(x, y));
            steepest = steepest.max(steps.at(x, y));
        }
    }
    Window { range: lightest - darkest, steepest }
}
