//! Measures of colour and of the spread of tones.

use image::{GrayImage, Rgb, RgbImage};
use imaging::hypotenuse;

use super::plane::deviation;

/// The largest minus the smallest channel of every pixel, 0 to 1.
pub(crate) fn chroma(image: &RgbImage) -> Vec<f32> {
    let of = |&Rgb([red, green, blue]): &Rgb<u8>| red.max(green).max(blue) - red.min(green).min(blue);
    image.pixels().map(|pixel| f32::from(of(pixel)) / 255.0).collect()
}

/// The standard deviation of the colour differences (red minus green, and blue minus green).
pub(crate) fn chroma_spread(image: &RgbImage) -> f32 {
    let difference = |channel: usize| -> Vec<f32> {
        let of = |pixel: &Rgb<u8>| f32::from(pixel[channel]) - f32::from(pixel[1]);
        image.pixels().map(|pixel| of(pixel) / 255.0).collect()
    };
    hypotenuse(deviation(&difference(0)), deviation(&difference(2)))
}

/// The Shannon entropy of the brightness in 64 steps, divided by its maximum.
pub(crate) fn tone_entropy(gray: &GrayImage) -> f32 {
    let mut histogram = [0_u32; 64];
    for value in gray.as_raw() {
        histogram[usize::from(value / 4)] += 1;
    }
    let total = gray.as_raw().len().max(1) as f32;
    let terms = histogram.iter().filter(|&&count| count > 0).map(|&count| {
        let probability = count as f32 / total;
        -probability * probability.log2()
    });
    terms.sum::<f32>() / 6.0
}
