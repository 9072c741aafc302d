//! Drawings and paintings made from photographs by plain image filters.
//!
//! They keep the composition and the light of their photograph, so that the model can't distinguish kinds by those.

use domain::kind::Kind;
use image::{GrayImage, Luma, Rgb, RgbImage, imageops};
use imageproc::contrast::adaptive_threshold;
use imageproc::filter::{gaussian_blur_f32, median_filter};
use imageproc::gradients::sobel_gradients;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// Applies every filter once. Returns each picture with its kind.
pub(crate) fn stylized(photo: &RgbImage, rng: &mut ChaCha8Rng) -> Vec<(Kind, RgbImage)> {
    let gray = imageops::grayscale(photo);
    vec![
        (Kind::BwStylized, in_rgb(&pencil(&gray, rng))),
        (Kind::BwStylized, in_rgb(&ink(&gray, rng))),
        (Kind::BwStylized, in_rgb(&charcoal(&gray, rng))),
        (Kind::ColorStylized, comic(photo, rng)),
        (Kind::ColorStylized, watercolor(photo, rng)),
        (Kind::ColorStylized, colored_pencil(photo, rng)),
    ]
}

/// Colour dodge of the picture with its blurred negative leaves lines on white paper.
fn pencil(gray: &GrayImage, rng: &mut ChaCha8Rng) -> GrayImage {
    let blurred = gaussian_blur_f32(gray, rng.random_range(1.5..6.0));
    let depth = rng.random_range(1.0..3.0);
    zip(gray, &blurred, |tone, around| {
        let dodged = (tone / around.max(1.0)).min(1.0);
        255.0 * dodged.powf(depth)
    })
}

/// Black or white, by comparison with the surroundings, over solid black shadows.
fn ink(gray: &GrayImage, rng: &mut ChaCha8Rng) -> GrayImage {
    let lines = adaptive_threshold(&gaussian_blur_f32(gray, 0.8), rng.random_range(3..8), 5);
    let shadow = rng.random_range(40.0..90.0);
    zip(gray, &lines, |tone, line| if tone < shadow { 0.0 } else { line })
}

/// Raised contrast, lines from edges, and the tooth of the paper.
fn charcoal(gray: &GrayImage, rng: &mut ChaCha8Rng) -> GrayImage {
    let soft = gaussian_blur_f32(gray, rng.random_range(0.8..2.0));
    let edges = edges(&soft);
    let (gain, lift) = (rng.random_range(1.2..1.8), rng.random_range(10.0..70.0));
    let mut drawing = zip(&soft, &edges, |tone, edge| (tone - 128.0) * gain + 128.0 + lift - edge);
    let tooth = rng.random_range(8.0..30.0);
    for pixel in drawing.pixels_mut() {
        let noise = rng.random_range(-tooth..tooth);
        pixel[0] = (f32::from(pixel[0]) + noise).clamp(0.0, 255.0) as u8;
    }
    drawing
}

/// Few flat colours with black outlines.
fn comic(photo: &RgbImage, rng: &mut ChaCha8Rng) -> RgbImage {
    let outlines = edges(&imageops::grayscale(photo));
    let limit = rng.random_range(60.0..140.0);
    let mut picture = posterize(&vivid(&median_filter(photo, 3, 3), rng), rng.random_range(4.0..8.0));
    for (pixel, outline) in picture.pixels_mut().zip(outlines.pixels()) {
        if f32::from(outline[0]) > limit {
            *pixel = Rgb([10, 10, 10]);
        }
    }
    picture
}

/// Patches of one wash each, lightened towards the paper.
fn watercolor(photo: &RgbImage, rng: &mut ChaCha8Rng) -> RgbImage {
    let mut picture = vivid(&median_filter(&median_filter(photo, 4, 4), 3, 3), rng);
    picture = posterize(&picture, rng.random_range(8.0..16.0));
    let (strength, edge) = (rng.random_range(0.5..0.85), rng.random_range(0.2..0.8));
    let outlines = edges(&imageops::grayscale(photo));
    for (pixel, outline) in picture.pixels_mut().zip(outlines.pixels()) {
        let darker = f32::from(outline[0]) * edge;
        *pixel =
            Rgb(pixel.0.map(|value| (255.0 - (255.0 - f32::from(value)) * strength - darker).clamp(0.0, 255.0) as u8));
    }
    picture
}

/// A pencil drawing that keeps the colour of the photograph.
fn colored_pencil(photo: &RgbImage, rng: &mut ChaCha8Rng) -> RgbImage {
    let lines = pencil(&imageops::grayscale(photo), rng);
    let strength = rng.random_range(0.25..0.6);
    let mut picture = vivid(&gaussian_blur_f32(photo, 1.5), rng);
    for (pixel, line) in picture.pixels_mut().zip(lines.pixels()) {
        let dark = f32::from(line[0]) / 255.0;
        *pixel = Rgb(pixel.0.map(|value| ((255.0 - (255.0 - f32::from(value)) * strength) * dark) as u8));
    }
    picture
}

/// More saturated, as painters choose their colours.
fn vivid(photo: &RgbImage, rng: &mut ChaCha8Rng) -> RgbImage {
    let saturation = rng.random_range(1.0..1.8_f32);
    let mut picture = photo.clone();
    for pixel in picture.pixels_mut() {
        let gray = pixel.0.iter().map(|&value| f32::from(value)).sum::<f32>() / 3.0;
        *pixel = Rgb(pixel.0.map(|value| (gray + (f32::from(value) - gray) * saturation).clamp(0.0, 255.0) as u8));
    }
    picture
}

/// Rounds every channel to `levels` levels.
fn posterize(photo: &RgbImage, levels: f32) -> RgbImage {
    let step = 255.0 / levels;
    let mut picture = photo.clone();
    for pixel in picture.pixels_mut() {
        *pixel = Rgb(pixel.0.map(|value| ((f32::from(value) / step).round() * step).min(255.0) as u8));
    }
    picture
}

fn edges(gray: &GrayImage) -> GrayImage {
    let gradients = sobel_gradients(gray);
    GrayImage::from_fn(gray.width(), gray.height(), |x, y| {
        Luma([gradients.get_pixel(x, y)[0].min(1020).div_ceil(4) as u8])
    })
}

fn zip(first: &GrayImage, second: &GrayImage, combine: impl Fn(f32, f32) -> f32) -> GrayImage {
    GrayImage::from_fn(first.width(), first.height(), |x, y| {
        let value = combine(f32::from(first.get_pixel(x, y)[0]), f32::from(second.get_pixel(x, y)[0]));
        Luma([value.clamp(0.0, 255.0) as u8])
    })
}

/// The same picture with three equal channels.
pub(crate) fn in_rgb(gray: &GrayImage) -> RgbImage {
    RgbImage::from_fn(gray.width(), gray.height(), |x, y| Rgb([gray.get_pixel(x, y)[0]; 3]))
}
