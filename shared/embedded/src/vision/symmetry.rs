//! Measures how far the left half of a picture mirrors the right half.

use image::RgbImage;
use image::imageops::{self, FilterType};

/// The number of columns and rows of the compared copy: few, so that an upright subject is symmetrical although its
/// hands differ.
const SIDE: u32 = 48;
/// The distances of the axis from the middle, in half columns (up to about 4 % of the width). Farther out, the subject
/// isn't centred.
const AXIS_SHIFTS: std::ops::RangeInclusive<i32> = -4..=4;
/// The minimum variance from left to right. Below it, the picture is an even surface.
const MIN_VARIANCE: f32 = 2e-5;

/// The correlation, 0 to 1, of the picture with its mirror image about the best vertical axis near the middle.
///
/// The mean of every row is subtracted first: a sky over a plain mirrors itself, but harms no training.
#[must_use]
pub(crate) fn mirror_correlation(image: &RgbImage) -> f32 {
    let copy = imageops::resize(image, SIDE, SIDE, FilterType::Triangle);
    let rows = centred_rows(&copy);
    AXIS_SHIFTS.map(|shift| correlation(&rows, shift)).fold(0.0, f32::max)
}

/// Every row of every channel, minus its mean.
fn centred_rows(image: &RgbImage) -> Vec<Vec<f32>> {
    let mut rows = Vec::new();
    for y in 0..image.height() {
        for channel in 0..3 {
            let row: Vec<f32> = (0..image.width()).map(|x| f32::from(image.get_pixel(x, y)[channel]) / 255.0).collect();
            let mean = super::plane::mean(&row);
            rows.push(row.iter().map(|value| value - mean).collect());
        }
    }
    rows
}

/// The correlation of each column with the column that mirrors it, for an axis `shift` half columns from the middle.
fn correlation(rows: &[Vec<f32>], shift: i32) -> f32 {
    let (mut product, mut energy, mut count) = (0.0, 0.0, 0);
    for row in rows {
        for (x, value) in row.iter().enumerate() {
            let mirrored = row.len() as i32 - 1 - x as i32 + shift;
            if let Some(other) = usize::try_from(mirrored).ok().and_then(|index| row.get(index)) {
                product += value * other;
                energy += (value * value + other * other) / 2.0;
                count += 1;
            }
        }
    }
    if energy < MIN_VARIANCE * count as f32 { 0.0 } else { product / energy }
}
