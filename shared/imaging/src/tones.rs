//! Measures the distribution of a picture's brightness.

use domain::facts::Tones;
use image::imageops::{self, FilterType};
use image::{GrayImage, RgbImage};

/// The longest side, in pixels, of the copy for most measurements: brightness needs no detail, and shrinking averages
/// grain.
const LONGEST_SIDE: u32 = 128;

/// Measures the tones of a picture. 512 pixels on the longer side are enough for all measurements.
#[must_use]
pub fn tones_of(image: &RgbImage) -> Tones {
    let gray = imageops::grayscale(image);
    let (width, height) = image.dimensions();
    let scale = (LONGEST_SIDE as f32 / width.max(height).max(1) as f32).min(1.0);
    let side = |length: u32| ((length as f32 * scale).round() as u32).max(1);
    let even = Histogram::of(&imageops::resize(&gray, side(width), side(height), FilterType::Triangle));
    // After averaging, a thin line on white paper would be nearly white.
    let fine = Histogram::of(&gray);
    Tones {
        mean: even.mean(),
        shadow: even.quantile(0.02),
        highlight: even.quantile(0.98),
        darkest: fine.quantile(0.001),
        lightest: fine.quantile(0.999),
        burnt_percent: even.percent_above(252),
    }
}

struct Histogram {
    pixels: [u64; 256],
    all: u64,
}

impl Histogram {
    fn of(image: &GrayImage) -> Self {
        let mut pixels = [0; 256];
        for &level in image.as_raw() {
            pixels[usize::from(level)] += 1;
        }
        Self { pixels, all: image.as_raw().len() as u64 }
    }

    fn levels(&self) -> impl Iterator<Item = (u8, u64)> + '_ {
        (0..=u8::MAX).zip(self.pixels.iter().copied())
    }

    fn mean(&self) -> u8 {
        let sum: u64 = self.levels().map(|(level, pixels)| u64::from(level) * pixels).sum();
        (sum / self.all.max(1)) as u8
    }

    /// The level below which the share `rank` (0 to 1) of the pixels lies.
    fn quantile(&self, rank: f64) -> u8 {
        let darker = (self.all.saturating_sub(1) as f64 * rank).round() as u64;
        let mut counted = 0;
        let reached = self.levels().find(|(_, pixels)| {
            counted += pixels;
            counted > darker
        });
        reached.map_or(u8::MAX, |(level, _)| level)
    }

    fn percent_above(&self, limit: u8) -> u8 {
        let above: u64 = self.levels().filter(|(level, _)| *level > limit).map(|(_, pixels)| pixels).sum();
        (above * 100 / self.all.max(1)) as u8
    }
}

#[cfg(test)]
mod tests {
    use image::Rgb;

    use super::*;

    #[test]
    fn tones_of_a_ramp_are_measured() {
        let ramp = RgbImage::from_fn(256, 64, |x, _| Rgb([x as u8; 3]));
        let Tones { mean, shadow, highlight, darkest, lightest, burnt_percent } = tones_of(&ramp);
        assert!((126..=128).contains(&mean), "{mean}");
        assert!((3..=7).contains(&shadow) && (248..=252).contains(&highlight), "{shadow} {highlight}");
        assert_eq!((darkest, lightest, burnt_percent), (0, 255, 1));
    }

    #[test]
    fn thin_line_on_white_is_the_darkest_tone() {
        let line = RgbImage::from_fn(512, 288, |x, _| Rgb([if x == 200 { 20 } else { 255 }; 3]));
        let tones = tones_of(&line);
        assert!(tones.darkest == 20 && tones.shadow > 200 && tones.burnt_percent > 90, "{tones:?}");
    }
}
