//! Drawings in dry media rubbed into the grain of paper: graphite, charcoal, conté.

use std::f32::consts::PI;

use image::GrayImage;
use image::imageops::fast_blur;
use rand::{Rng, RngExt};

use super::brief::Bw;
use super::lines::contours;
use super::shot::Shot;
use super::texture::{Screen, clouds, coarse_grain};
use super::tone::{at, gray_from, lerp, smoothstep};
use super::{HEIGHT, WIDTH};

/// Draws a shot in one of the dry media.
pub(super) fn rub(shot: &Shot, technique: Bw, rng: &mut impl Rng) -> GrayImage {
    match technique {
        Bw::Charcoal => charcoal(shot, rng),
        Bw::Conte => conte(shot, rng),
        _ => pencil(shot, rng),
    }
}

/// Graphite: contours by the dodge blend, shading in soft strokes.
fn pencil(shot: &Shot, rng: &mut impl Rng) -> GrayImage {
    let tones = shot.tones(0.4);
    let mut negative = tones.clone();
    for tone in negative.iter_mut() {
        *tone = 1.0 - *tone;
    }
    let veil = fast_blur(&negative, 4.0);
    let outline = contours(&tones, 0.8, 14.0, 0.35);
    let paper = coarse_grain(WIDTH, HEIGHT, 0.7, rng);
    let bend = clouds(WIDTH, HEIGHT, 90, rng);
    let stroke = Screen::new(rng.random_range(0.5..1.1) * if rng.random() { 1.0 } else { -1.0 }, 3.7);
    gray_from(WIDTH, HEIGHT, |x, y| {
        let tone = at(&tones, x, y);
        let dodged = (tone / (1.0 - at(&veil, x, y)).max(0.02)).min(1.0);
        let line = dodged.powf(2.2) * lerp(0.35, 1.0, at(&outline, x, y));
        let streak = stroke.distance(x, y, 18.0 * at(&bend, x, y)) - 0.5;
        let shade = (0.30 + 0.78 * tone + 0.20 * streak * (1.0 - tone)).min(1.0);
        let graphite = 1.0 - line * shade;
        let caught = graphite * (1.0 + 0.18 * at(&paper, x, y) * (1.0 - 0.4 * graphite));
        0.97 - 0.93 * caught.clamp(0.0, 1.0)
    })
}

/// Charcoal: broad smudged masses that catch on coarse paper, accents pressed hard.
fn charcoal(shot: &Shot, rng: &mut impl Rng) -> GrayImage {
    let tones = shot.tones(0.35);
    let smudge = fast_blur(&tones, 3.0);
    let outline = contours(&tones, 1.7, 12.0, 0.34);
    let paper = coarse_grain(WIDTH, HEIGHT, 1.0, rng);
    let patches = clouds(WIDTH, HEIGHT, 40, rng);
    let bend = clouds(WIDTH, HEIGHT, 60, rng);
    let stroke = Screen::new(rng.random_range(0.0..PI), 9.0);
    gray_from(WIDTH, HEIGHT, |x, y| {
        let tone = lerp(at(&smudge, x, y), at(&tones, x, y), 0.65);
        let streak = 0.16 * (stroke.distance(x, y, 22.0 * at(&bend, x, y)) - 0.5);
        let mass = smoothstep(0.0, 0.95, 1.0 - tone + streak + 0.16 * (at(&patches, x, y) - 0.5));
        let accent = (1.0 - at(&outline, x, y)) * 0.9;
        let applied = mass.max(accent);
        let caught = smoothstep(-0.45, 0.45, applied - 0.5 + 0.13 * at(&paper, x, y));
        0.96 - 0.92 * lerp(applied, caught, 0.6)
    })
}

/// Conté: black and white crayon on gray paper, which stands for the middle tones.
fn conte(shot: &Shot, rng: &mut impl Rng) -> GrayImage {
    let tones = shot.tones(0.15);
    let outline = contours(&tones, 1.3, 14.0, 0.34);
    let paper = coarse_grain(WIDTH, HEIGHT, 0.8, rng);
    let bend = clouds(WIDTH, HEIGHT, 60, rng);
    let stroke = Screen::new(rng.random_range(0.3..1.2), 6.0);
    let ground: f32 = rng.random_range(0.56..0.66);
    gray_from(WIDTH, HEIGHT, |x, y| {
        let streak = 0.18 * (stroke.distance(x, y, 16.0 * at(&bend, x, y)) - 0.5);
        let tone = at(&tones, x, y) + streak;
        let catch = 0.11 * at(&paper, x, y);
        let black = smoothstep(0.0, 0.42, 0.50 - tone + catch).max((1.0 - at(&outline, x, y)) * 0.85);
        let white = smoothstep(0.0, 0.30, tone - 0.72 + catch);
        let toned = ground + 0.018 * at(&paper, x, y);
        lerp(lerp(toned, 0.06, black), 0.97, white * (1.0 - black))
    })
}
