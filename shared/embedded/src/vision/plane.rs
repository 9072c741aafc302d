//! One channel of a picture as numbers, and the operations that the measurements share.

use image::imageops::{self, FilterType};
use image::{GrayImage, RgbImage};
use imaging::hypotenuse;

/// A grid of values, row by row; brightness runs from 0 (black) to 1 (white).
#[derive(Debug, Clone)]
pub struct Plane {
    /// The number of columns, at least 1.
    pub width: usize,
    /// The number of rows, at least 1.
    pub height: usize,
    /// `width * height` values.
    pub values: Vec<f32>,
}

impl Plane {
    /// The brightness of a grey picture.
    #[must_use]
    pub fn from_gray(image: &GrayImage) -> Self {
        Self {
            width: image.width() as usize,
            height: image.height() as usize,
            values: image.as_raw().iter().map(|&value| f32::from(value) / 255.0).collect(),
        }
    }

    /// The value at column `x` of row `y`.
    #[must_use]
    pub fn at(&self, x: usize, y: usize) -> f32 {
        self.values[y * self.width + x]
    }

    /// The length of the gradient at every pixel except those of the last row and column, by forward differences.
    #[must_use]
    pub fn gradient(&self) -> Self {
        let (width, height) = (self.width.saturating_sub(1), self.height.saturating_sub(1));
        let values = (0..height)
            .flat_map(|y| (0..width).map(move |x| (x, y)))
            .map(|(x, y)| {
                let here = self.at(x, y);
                hypotenuse(self.at(x + 1, y) - here, self.at(x, y + 1) - here)
            })
            .collect();
        Self { width, height, values }
    }
}

/// Scales `image` by `factor`, keeping its proportions; never below one pixel a side.
#[must_use]
pub fn scale(image: &RgbImage, factor: f32) -> RgbImage {
    let side = |length: u32| ((length as f32 * factor).round() as u32).max(1);
    imageops::resize(image, side(image.width()), side(image.height()), FilterType::Triangle)
}

/// The arithmetic mean; 0 for no values.
#[must_use]
pub fn mean(values: &[f32]) -> f32 {
    values.iter().sum::<f32>() / values.len().max(1) as f32
}

/// The standard deviation; 0 for no values.
#[must_use]
pub fn deviation(values: &[f32]) -> f32 {
    let mean = mean(values);
    let squares = values.iter().map(|value| (value - mean).powi(2)).sum::<f32>();
    (squares / values.len().max(1) as f32).sqrt()
}

/// The share, 0 to 1, of the values for which `holds` is true.
#[must_use]
pub fn share(values: &[f32], holds: impl Fn(f32) -> bool) -> f32 {
    let count = values.iter().filter(|&&value| holds(value)).count();
    count as f32 / values.len().max(1) as f32
}

/// The value below which the share `rank` (0 to 1) of the values lies; 0 for no values.
#[must_use]
pub fn quantile(values: &[f32], rank: f32) -> f32 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f32::total_cmp);
    let last = sorted.len().saturating_sub(1);
    sorted.get((last as f32 * rank).round() as usize).copied().unwrap_or(0.0)
}
