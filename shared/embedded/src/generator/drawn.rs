//! Line drawings in black ink: pen and ink, etching, manga.

use std::f32::consts::PI;

use image::GrayImage;
use imaging::hypotenuse;
use rand::{Rng, RngExt};

use super::brief::Bw;
use super::lines::contours;
use super::shot::Shot;
use super::texture::{Screen, clouds, grain};
use super::tone::{Plane, at, gray_from, smoothstep};
use super::{HEIGHT, WIDTH};

/// Draws a shot in one of the techniques of ink lines.
pub(super) fn draw(shot: &Shot, technique: Bw, rng: &mut impl Rng) -> GrayImage {
    match technique {
        Bw::Etching => etching(shot, rng),
        Bw::Manga => manga(shot, rng),
        _ => pen_and_ink(shot, rng),
    }
}

/// The coverage of a pixel by the lines of a screen. The lines widen with the darkness of the tone below `from`.
fn hatch(screen: Screen, x: u32, y: u32, bend: f32, tone: f32, from: f32) -> f32 {
    let share = ((from - tone) / from).clamp(0.0, 1.0) * 0.75;
    let thin = if share > 0.0 { 0.16 } else { 0.0 };
    let distance = screen.distance(x, y, bend);
    1.0 - smoothstep(share + thin - 0.14, share + thin + 0.14, distance) * f32::from(share > 0.0)
        - f32::from(share <= 0.0)
}

/// Contours and up to three crossing layers of hatching.
fn pen_and_ink(shot: &Shot, rng: &mut impl Rng) -> GrayImage {
    let tones = shot.tones(0.15);
    let outline = contours(&tones, 0.9, 18.0, 0.42);
    let bend = clouds(WIDTH, HEIGHT, 70, rng);
    let pressure = clouds(WIDTH, HEIGHT, 24, rng);
    let angle: f32 = rng.random_range(0.0..PI);
    let layers = [(0.62, 0.0, 5.5), (0.40, 0.9, 5.5), (0.22, 1.9, 4.5)];
    let screens = layers.map(|(from, turn, pitch)| (from, Screen::new(angle + turn, pitch)));
    gray_from(WIDTH, HEIGHT, |x, y| {
        let tone = at(&tones, x, y) + 0.12 * (at(&pressure, x, y) - 0.5);
        let ink = screens
            .iter()
            .map(|&(from, screen)| hatch(screen, x, y, 14.0 * at(&bend, x, y), tone, from))
            .fold(0.0, f32::max);
        let solid = 1.0 - smoothstep(0.04, 0.09, tone);
        at(&outline, x, y).min(1.0 - ink.max(solid))
    })
}

/// Dense fine parallel lines over a film of ink left on the plate.
fn etching(shot: &Shot, rng: &mut impl Rng) -> GrayImage {
    let tones = shot.tones(0.45);
    let outline = contours(&tones, 0.8, 16.0, 0.38);
    let bend = clouds(WIDTH, HEIGHT, 120, rng);
    let plate = clouds(WIDTH, HEIGHT, 90, rng);
    let noise = grain(WIDTH, HEIGHT, rng);
    let angle: f32 = rng.random_range(-0.5..0.5);
    let screens =
        [(0.85, Screen::new(angle, 4.6)), (0.50, Screen::new(angle + 1.2, 5.0)), (0.25, Screen::new(angle + 0.6, 4.6))];
    gray_from(WIDTH, HEIGHT, |x, y| {
        let tone = at(&tones, x, y);
        let ink = screens
            .iter()
            .map(|&(from, screen)| hatch(screen, x, y, 9.0 * at(&bend, x, y), tone, from))
            .fold(0.0, f32::max);
        let paper = 0.93 - 0.10 * at(&plate, x, y) + 0.012 * at(&noise, x, y);
        paper * (1.0 - 0.92 * ink) * (0.08 + 0.92 * at(&outline, x, y))
    })
}

/// Crisp outlines, solid blacks, and two screens of dots.
fn manga(shot: &Shot, rng: &mut impl Rng) -> GrayImage {
    let tones = shot.tones(0.35);
    let outline = contours(&tones, 1.3, 14.0, 0.30);
    let smooth = image::imageops::fast_blur(&tones, 1.6);
    let angle: f32 = rng.random_range(0.5..1.0);
    let pitch = rng.random_range(5.0..7.0);
    let (rows, columns) = (Screen::new(angle, pitch), Screen::new(angle + PI / 2.0, pitch));
    let dot = |x, y, size: f32| {
        let (u, v) = (rows.distance(x, y, 0.0), columns.distance(x, y, 0.0));
        smoothstep(size - 0.12, size + 0.12, hypotenuse(u, v))
    };
    gray_from(WIDTH, HEIGHT, |x, y| {
        let tone = at(&smooth, x, y);
        let screen = if tone < 0.17 {
            0.0
        } else if tone < 0.40 {
            dot(x, y, 0.92)
        } else if tone < 0.66 {
            dot(x, y, 0.5)
        } else {
            1.0
        };
        screen.min(at(&outline, x, y))
    })
}

/// The contours of a plane of tones with the lines of a broad nib, for the other techniques.
pub(super) fn broad_contours(tones: &Plane) -> Plane {
    contours(tones, 1.5, 12.0, 0.28)
}
