//! Measures the width of a picture's sharpest edges.

use image::GrayImage;

/// The side of a tile, in pixels: wider than any edge that must be distinguished.
const TILE: u32 = 24;
/// The least difference between the lightest and the darkest pixel of a tile with an edge, of 255.
const MIN_RANGE: u8 = 24;
/// The share of the tiles with an edge, those with the most contrast, that counts.
const CONTRASTED: f32 = 0.4;
/// The rank among those tiles, from the sharpest: a subject that fills a twentieth of them suffices.
const SHARP: f32 = 0.05;

/// The width, in pixels, of the picture's sharper edges; `None` if it has no edge.
///
/// The width in a tile is the difference between its lightest and darkest pixel divided by its steepest step between
/// neighbours: 1 for a perfectly sharp edge, about 2.5 σ after a Gaussian blur of σ pixels. Only the sharper twentieth
/// counts, because a background out of focus is no fault.
pub(crate) fn edge_width(gray: &GrayImage) -> Option<f32> {
    let mut tiles: Vec<(u8, f32)> = tiles(gray).filter(|&(range, _)| range >= MIN_RANGE).collect();
    tiles.sort_unstable_by_key(|&(range, _)| std::cmp::Reverse(range));
    let contrasted = (tiles.len() as f32 * CONTRASTED).ceil() as usize;
    let mut widths: Vec<f32> = tiles.into_iter().take(contrasted).map(|(_, width)| width).collect();
    widths.sort_unstable_by(f32::total_cmp);
    let rank = (widths.len().saturating_sub(1) as f32 * SHARP).round() as usize;
    widths.get(rank).copied()
}

/// The range and the edge width of every tile.
fn tiles(gray: &GrayImage) -> impl Iterator<Item = (u8, f32)> + '_ {
    let starts = |length: u32| (0..length.saturating_sub(TILE - 1).max(1)).step_by(TILE as usize);
    starts(gray.height()).flat_map(move |top| starts(gray.width()).map(move |left| tile(gray, left, top)))
}

fn tile(gray: &GrayImage, left: u32, top: u32) -> (u8, f32) {
    let (right, bottom) = ((left + TILE).min(gray.width()), (top + TILE).min(gray.height()));
    let width = gray.width() as usize;
    let row = |y: u32| &gray.as_raw()[y as usize * width + left as usize..y as usize * width + right as usize];
    let (mut darkest, mut lightest, mut steepest) = (u8::MAX, 0, 1_u8);
    for y in top..bottom {
        let here = row(y);
        let below = row((y + 1).min(bottom - 1));
        for (index, &value) in here.iter().enumerate() {
            darkest = darkest.min(value);
            lightest = lightest.max(value);
            let next = here.get(index + 1).copied().unwrap_or(value);
            steepest = steepest.max(value.abs_diff(next)).max(value.abs_diff(below[index]));
        }
    }
    let range = lightest.saturating_sub(darkest);
    (range, f32::from(range) / f32::from(steepest))
}
