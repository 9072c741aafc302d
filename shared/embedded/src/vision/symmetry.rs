//! How much the left half of a picture mirrors the right.

use image::RgbImage;
use image::imageops::{self, FilterType};

/// Columns and rows of the copy that is compared: coarse, so that a subject that merely stands straight
/// mirrors itself although its two hands differ.
const SIDE: u32 = 48;
/// How far, in columns, the axis may lie from the middle (about 4 % of the width): further out the
/// subject isn't centred.
const AXIS_SHIFTS: std::ops::RangeInclusive<i32> = -4..=4;
/// Variance from left to right below which there is nothing to mirror (an even surface).
const LEAST_VARIANCE: f32 = 2e-5;

/// Correlation, -1 to 1, of the picture with its mirror image about the best upright axis near the middle.
///
/// The mean of every row is taken out first: a sky over a plain mirrors itself without being symmetrical
/// in any way that harms training.
#[must_use]
pub(crate) fn mirror_correlation(image: &RgbImage) -> f32 {
    let copy = imageops::resize(image, SIDE, SIDE, FilterType::Triangle);
    let rows = centred_rows(&copy);
    AXIS_SHIFTS.map(|shift| correlation(&rows, shift)).fold(0.0, f32::max)
}

/// Every row of every channel, less its mean.
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

/// Correlation of each column `x` with the column that mirrors it, the axis `shift` half columns off.
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
    if energy < LEAST_VARIANCE * count as f32 { 0.0 } else { product / energy }
}
