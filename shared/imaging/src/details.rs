//! Measures properties of an image that only its full size shows.

mod bars;
mod blocks;
mod edges;

use std::borrow::Cow;

use domain::facts::Details;
use image::RgbImage;
use image::imageops::grayscale;

use super::shrink;

/// The shorter side, in pixels, of the copy whose edges are measured: trainers use no more, and a photograph of 24
/// megapixels is never sharp to the pixel.
const TRAINED_SIDE: u32 = 1024;

/// Measures the details of an upright image at its full size.
pub(crate) fn details_of(image: &RgbImage) -> Details {
    let gray = grayscale(image);
    let (width, height) = image.dimensions();
    let trained = match width.min(height) {
        side if side <= TRAINED_SIDE => Cow::Borrowed(&gray),
        side => {
            let longest = u64::from(width.max(height)) * u64::from(TRAINED_SIDE) / u64::from(side);
            Cow::Owned(grayscale(&shrink(image, u32::try_from(longest).unwrap_or(u32::MAX))))
        }
    };
    Details {
        edge_width: edges::edge_width(&trained).map(|width| (width * 10.0).round() as u16),
        bars_percent: bars::bars_percent(&gray),
        blockiness: blocks::blockiness(&gray),
    }
}
