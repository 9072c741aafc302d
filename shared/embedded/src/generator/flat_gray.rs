//! Pictures of flat gray shapes: monochrome vector art and cut paper.

use image::GrayImage;
use imageproc::filter::median_filter;
use rand::{Rng, RngExt};

use super::brief::Bw;
use super::drawn::broad_contours;
use super::shot::Shot;
use super::texture::grain;
use super::tone::{at, gray_from, smoothstep};
use super::{HEIGHT, WIDTH};

/// Builds a shot from flat shapes.
pub(super) fn cut(shot: &Shot, technique: Bw, rng: &mut impl Rng) -> GrayImage {
    match technique {
        Bw::CutPaper => cut_paper(shot, rng),
        _ => vector(shot, rng),
    }
}

/// Four flat tones with smooth boundaries and dark contours.
fn vector(shot: &Shot, rng: &mut impl Rng) -> GrayImage {
    let tones = shot.tones(0.3);
    let outline = broad_contours(&tones);
    let shapes = median_filter(&gray_from(WIDTH, HEIGHT, |x, y| at(&tones, x, y)), 4, 4);
    let (low, middle, high) =
        (rng.random_range(0.17..0.25), rng.random_range(0.40..0.48), rng.random_range(0.66..0.74));
    gray_from(WIDTH, HEIGHT, |x, y| {
        let tone = f32::from(shapes.get_pixel(x, y).0[0]) / 255.0;
        let step = |at: f32| smoothstep(at - 0.008, at + 0.008, tone);
        let flat = 0.04 + 0.34 * step(low) + 0.34 * step(middle) + 0.26 * step(high);
        flat * at(&outline, x, y)
    })
}

/// Layers of black, gray and white paper, each casting a thin shadow on the one below.
fn cut_paper(shot: &Shot, rng: &mut impl Rng) -> GrayImage {
    let tones = shot.tones(0.25);
    let shapes = median_filter(&gray_from(WIDTH, HEIGHT, |x, y| at(&tones, x, y)), 5, 5);
    let fibre = grain(WIDTH, HEIGHT, rng);
    let cuts: [f32; 3] = [rng.random_range(0.26..0.34), rng.random_range(0.48..0.56), rng.random_range(0.72..0.8)];
    let sheets = [0.05, 0.42, 0.72, 0.97];
    let layer = |x: u32, y: u32| {
        let tone = f32::from(shapes.get_pixel(x.min(WIDTH - 1), y.min(HEIGHT - 1)).0[0]) / 255.0;
        cuts.iter().filter(|&&cut| tone > cut).count()
    };
    gray_from(WIDTH, HEIGHT, |x, y| {
        let here = layer(x, y);
        // Darker sheets lie above lighter ones; the light comes from the lower left.
        let covered = layer(x.saturating_sub(4), y + 4) < here;
        let edge = layer(x + 1, y) > here || layer(x, y.saturating_sub(1)) > here;
        let shadow = if covered { 0.62 } else { 1.0 };
        let rim = if edge { 0.10 } else { 0.0 };
        sheets[here] * shadow + rim + 0.008 * at(&fibre, x, y)
    })
}
