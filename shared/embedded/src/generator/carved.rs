//! Carved prints and drawings: woodcut, linocut, scratchboard.

use std::f32::consts::PI;

use image::GrayImage;
use image::imageops::fast_blur;
use rand::{Rng, RngExt};

use super::brief::Bw;
use super::lines::contours;
use super::shot::Shot;
use super::texture::{Screen, clouds, grain};
use super::tone::{at, gradient, gray_from, lerp, smoothstep};
use super::{HEIGHT, WIDTH};

/// Renders a shot in one of the carved techniques.
pub(super) fn carve(shot: &Shot, technique: Bw, rng: &mut impl Rng) -> GrayImage {
    match technique {
        Bw::Scratchboard => scratchboard(shot, rng),
        Bw::Linocut => relief(shot, Gouge { pitch: 9.0, bend: 36.0, smoothing: 1.1, gamma: 1.15 }, rng),
        _ => relief(shot, Gouge { pitch: 6.5, bend: 24.0, smoothing: 0.8, gamma: 1.2 }, rng),
    }
}

/// A cutting tool.
struct Gouge {
    /// Distance between cuts in pixels.
    pitch: f32,
    /// The sideways deviation of cuts, in pixels.
    bend: f32,
    /// Blur before cutting, in pixels: coarse tools lose small forms.
    smoothing: f32,
    /// Exponent on the tones; below 1 leaves more white.
    gamma: f32,
}

/// A relief print: cuts leave white lines whose width follows the tone; shadows stay solid.
fn relief(shot: &Shot, gouge: Gouge, rng: &mut impl Rng) -> GrayImage {
    let tones = fast_blur(&shot.tones(0.1), gouge.smoothing);
    let outline = contours(&tones, 1.2, 12.0, 0.25);
    let wander = clouds(WIDTH, HEIGHT, 110, rng);
    let nicks = clouds(WIDTH, HEIGHT, 5, rng);
    let screen = Screen::new(rng.random_range(0.0..PI), gouge.pitch);
    let cross = Screen::new(rng.random_range(0.0..PI), gouge.pitch * 1.1);
    gray_from(WIDTH, HEIGHT, |x, y| {
        let tone = at(&tones, x, y).powf(gouge.gamma);
        // The direction of the cuts follows the form: the gradient pushes the lines aside.
        let (dx, dy) = gradient(&tones, x, y);
        let bend = gouge.bend * at(&wander, x, y) + 25.0 * (dx + dy);
        let family = if tone > 0.55 { cross } else { screen };
        let ridge = family.distance(x, y, bend) + 0.25 * (at(&nicks, x, y) - 0.5);
        let cut = if tone < 0.16 { 0.0 } else { lerp(0.15, 1.12, (tone - 0.16) / 0.74) };
        let white = smoothstep(-0.1, 0.1, cut - ridge);
        let worn = if at(&nicks, x, y) > 0.97 { 0.7 } else { 0.0 };
        (white * at(&outline, x, y)).max(worn)
    })
}

/// White scratches on black, longer and denser where the picture is light.
fn scratchboard(shot: &Shot, rng: &mut impl Rng) -> GrayImage {
    let tones = shot.tones(0.0);
    let rims = contours(&tones, 0.9, 20.0, 0.35);
    let wander = clouds(WIDTH, HEIGHT, 80, rng);
    let strokes = clouds(WIDTH, HEIGHT, 9, rng);
    let noise = grain(WIDTH, HEIGHT, rng);
    let angle = rng.random_range(0.0..PI);
    let screens = [(0.16, 0.0, 4.4), (0.45, 0.8, 4.4), (0.72, 1.7, 4.0)]
        .map(|(from, turn, pitch)| (from, Screen::new(angle + turn, pitch)));
    gray_from(WIDTH, HEIGHT, |x, y| {
        let tone = at(&tones, x, y) + 0.22 * (at(&strokes, x, y) - 0.5) + 0.02 * at(&noise, x, y);
        let scratch = screens.iter().map(|&(from, screen)| {
            let wide = ((tone - from) / (1.0 - from)).clamp(0.0, 1.0);
            let distance = screen.distance(x, y, 20.0 * at(&wander, x, y));
            if wide > 0.0 { 1.0 - smoothstep(0.08 + 0.6 * wide, 0.28 + 0.7 * wide, distance) } else { 0.0 }
        });
        let white = scratch.fold(0.0, f32::max);
        let outline = 1.0 - at(&rims, x, y);
        // Dark outlines are drawn as a gap between scratches and a thin rim of light.
        (white * (1.0 - 0.85 * outline)).max(0.02)
    })
}
