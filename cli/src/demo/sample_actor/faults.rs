//! What goes wrong with pictures: blur, darkness, and copies that pass for new ones.

use image::codecs::jpeg::JpegEncoder;
use image::{ImageResult, Pixel, RgbImage, imageops};

/// A picture out of focus: Gaussian blur with the given standard deviation in pixels.
pub fn out_of_focus(picture: &RgbImage, sigma: f32) -> RgbImage {
    imageops::blur(picture, sigma)
}

/// A picture exposed too little, by a number of stops (halvings of the light); for the display gamma of 2.2.
pub fn underexposed(picture: &RgbImage, stops: f32) -> RgbImage {
    let factor = (-stops / 2.2).exp2();
    let mut dark = picture.clone();
    for pixel in dark.pixels_mut() {
        pixel.apply(|level| (f32::from(level) * factor).round() as u8);
    }
    dark
}

/// A picture that has lost a narrow margin on two sides.
pub fn trimmed(picture: &RgbImage, margin: u32) -> RgbImage {
    let (width, height) = picture.dimensions();
    let kept = (width.saturating_sub(margin).max(1), height.saturating_sub(margin).max(1));
    imageops::crop_imm(picture, margin.min(width - 1), margin.min(height - 1), kept.0, kept.1).to_image()
}

/// The picture as a JPEG file.
pub fn jpeg(picture: &RgbImage, quality: u8) -> ImageResult<Vec<u8>> {
    let mut file = Vec::new();
    JpegEncoder::new_with_quality(&mut file, quality).encode_image(picture)?;
    Ok(file)
}
