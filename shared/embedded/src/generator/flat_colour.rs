//! The colour techniques of flat shapes: comic, vector art and collage.

use std::f32::consts::FRAC_PI_2;

use image::RgbImage;
use image::imageops::fast_blur;
use imageproc::filter::median_filter;
use imaging::hypotenuse;
use rand::{Rng, RngExt};

use super::colour::{dabbed, strokes_of};
use super::lines::contours;
use super::painterly::{ink, kuwahara, nearest, palette, recolor};
use super::shot::Shot;
use super::texture::{Screen, clouds, grain};
use super::tone::{at, from_pixel, luma_plane, luminance, mix, saturate};
use super::{HEIGHT, WIDTH};

/// Flat saturated colours, dark outlines, and a screen of dots in the half-shadows.
pub(super) fn comic(scene: &RgbImage, shot: &Shot, rng: &mut impl Rng) -> RgbImage {
    let luma = luma_plane(scene);
    let outline = contours(&fast_blur(&luma, 0.6), 1.3, 16.0, 0.20);
    let flat = flatten(scene, shot, 16);
    let (rows, columns) = (Screen::new(0.78, 6.0), Screen::new(0.78 + FRAC_PI_2, 6.0));
    let shift = rng.random_range(0.0..6.0);
    let dotted = recolor(&flat, |x, y, color| {
        let tone = luminance(color);
        let dot = hypotenuse(rows.distance(x, y, shift), columns.distance(x, y, shift));
        let shaded = (0.12..0.38).contains(&tone) && dot < 0.5;
        saturate(color.map(|c| if shaded { c * 0.7 } else { c }), 1.6)
    });
    ink(&dotted, &outline, [0.03, 0.03, 0.05])
}

/// A few flat colours with smooth outlines.
pub(super) fn vector(scene: &RgbImage, shot: &Shot, rng: &mut impl Rng) -> RgbImage {
    let flat = flatten(scene, shot, rng.random_range(10..14));
    let smooth = median_filter(&flat, 3, 3);
    recolor(&smooth, |_, _, color| saturate(mix(color, [1.0; 3], 0.04), 1.5))
}

/// Reduces a picture to the nearest of a few colours in patches without small detail.
fn flatten(scene: &RgbImage, shot: &Shot, colors: usize) -> RgbImage {
    let patches = strokes_of(&kuwahara(scene, 2), shot, 4);
    let paints = palette(&patches, colors);
    recolor(&patches, |_, _, color| paints[nearest(&paints, color)])
}

/// Pieces of coloured paper with torn white edges and shadows.
pub(super) fn collage(scene: &RgbImage, shot: &Shot, rng: &mut impl Rng) -> RgbImage {
    let patches = strokes_of(&dabbed(scene, shot, 3, rng), shot, 5);
    let paints = palette(&patches, 11);
    let piece = |x: u32, y: u32| nearest(&paints, from_pixel(*patches.get_pixel(x.min(WIDTH - 1), y.min(HEIGHT - 1))));
    let pieces: Vec<usize> =
        (0..HEIGHT).flat_map(|y| (0..WIDTH).map(move |x| (x, y))).map(|(x, y)| piece(x, y)).collect();
    let piece_at = |x: u32, y: u32| pieces[(y.min(HEIGHT - 1) * WIDTH + x.min(WIDTH - 1)) as usize];
    let (fibre, print) = (grain(WIDTH, HEIGHT, rng), clouds(WIDTH, HEIGHT, 40, rng));
    recolor(scene, |x, y, _| {
        let here = piece_at(x, y);
        let sheet = saturate(paints[here], 1.8).map(|c| c * (0.92 + 0.16 * at(&print, x, y)) + 0.02 * at(&fibre, x, y));
        // Sheets are stacked in the order of their brightness, darkest on top.
        let torn = piece_at(x + 2, y) > here || piece_at(x, y + 2) > here;
        let shaded = piece_at(x.saturating_sub(4), y.saturating_sub(4)) < here;
        match (torn, shaded) {
            (true, _) => mix(sheet, [1.0, 0.99, 0.96], 0.75),
            (false, true) => sheet.map(|c| c * 0.6),
            (false, false) => sheet,
        }
    })
}
