//! Writes large text into pictures, in the rasterised Noto Sans Mono of the crate `noto-sans-mono-bitmap`.

use image::{Pixel, Rgb, RgbImage};
use noto_sans_mono_bitmap::{FontWeight, RasterHeight, get_raster, get_raster_width};

const WEIGHT: FontWeight = FontWeight::Bold;
const HEIGHT: RasterHeight = RasterHeight::Size32;

/// The height of a line of text, in pixels.
pub const TEXT_HEIGHT: u32 = HEIGHT.val() as u32;

/// The width of a text, in pixels.
#[must_use]
pub fn text_width(text: &str) -> u32 {
    (text.chars().count() * get_raster_width(WEIGHT, HEIGHT)) as u32
}

/// Writes `text` with its upper left corner at (`x`, `y`), clipped to the canvas. A question mark replaces letters that
/// the font lacks.
pub fn draw_text(canvas: &mut RgbImage, text: &str, x: u32, y: u32, colour: Rgb<u8>) {
    let mut left = x;
    for letter in text.chars() {
        let Some(glyph) = get_raster(letter, WEIGHT, HEIGHT).or_else(|| get_raster('?', WEIGHT, HEIGHT)) else {
            continue;
        };
        for (row, intensities) in (y..).zip(glyph.rows()) {
            for (column, &intensity) in (left..).zip(intensities) {
                if let Some(pixel) = canvas.get_pixel_mut_checked(column, row) {
                    *pixel = pixel.map2(&colour, |under, over| mix(under, over, intensity));
                }
            }
        }
        left += glyph.width() as u32;
    }
}

fn mix(under: u8, over: u8, intensity: u8) -> u8 {
    let [under, over, intensity] = [under, over, intensity].map(u16::from);
    ((under * (255 - intensity) + over * intensity) / 255) as u8
}
