//! Brightness as numbers, for the comparison of two pictures.

use image::RgbImage;
use image::imageops::grayscale;

/// One channel of a picture, or its brightness, row by row, from 0 (black) to 255 (white).
#[derive(Debug, Clone)]
pub(crate) struct Plane {
    pub(crate) width: usize,
    pub(crate) height: usize,
    /// `width * height` values.
    pub(crate) values: Vec<f32>,
}

impl Plane {
    pub(crate) fn brightness(image: &RgbImage) -> Self {
        Self::new(image, grayscale(image).as_raw().iter().map(|&value| f32::from(value)).collect())
    }

    /// The red (0), green (1) or blue (2) channel.
    pub(crate) fn channel(image: &RgbImage, channel: usize) -> Self {
        Self::new(image, image.pixels().map(|pixel| f32::from(pixel[channel])).collect())
    }

    fn new(image: &RgbImage, values: Vec<f32>) -> Self {
        Self { width: image.width() as usize, height: image.height() as usize, values }
    }

    pub(crate) fn at(&self, x: usize, y: usize) -> f32 {
        self.values[y * self.width + x]
    }

    /// The value between four pixels, by bilinear interpolation; `None` outside of the picture.
    pub(crate) fn between(&self, x: f32, y: f32) -> Option<f32> {
        let is_inside = x >= 0.0 && y >= 0.0 && x < self.width as f32 - 1.0 && y < self.height as f32 - 1.0;
        if !is_inside {
            return None;
        }
        let (left, top) = (x as usize, y as usize);
        let (right_share, low_share) = (x - left as f32, y - top as f32);
        let row = |y: usize| self.at(left, y) * (1.0 - right_share) + self.at(left + 1, y) * right_share;
        Some(row(top) * (1.0 - low_share) + row(top + 1) * low_share)
    }

    pub(crate) fn variance(&self) -> f32 {
        let count = self.values.len().max(1) as f32;
        let mean = self.values.iter().sum::<f32>() / count;
        self.values.iter().map(|value| (value - mean) * (value - mean)).sum::<f32>() / count
    }

    /// The picture after a filter with the weights 1, 2, 1 along each axis: it removes the noise of single pixels and
    /// leaves lines in place.
    pub(crate) fn softened(&self) -> Self {
        let (width, height) = (self.width, self.height);
        let weighted = |before: f32, here: f32, after: f32| (before + 2.0 * here + after) / 4.0;
        let mut rows = self.values.clone();
        for y in 0..height {
            for x in 0..width {
                let (left, right) = (x.saturating_sub(1), (x + 1).min(width - 1));
                rows[y * width + x] = weighted(self.at(left, y), self.at(x, y), self.at(right, y));
            }
        }
        let mut values = rows.clone();
        for y in 0..height {
            let (above, below) = (y.saturating_sub(1) * width, (y + 1).min(height - 1) * width);
            for x in 0..width {
                values[y * width + x] = weighted(rows[above + x], rows[y * width + x], rows[below + x]);
            }
        }
        Self { width, height, values }
    }
}
