//! Scenery under an open sky: hills, dunes and shore.

use std::f32::consts::TAU;

use rand::{Rng, RngExt};

use super::super::tone::{Rgb01, mix, to_pixel};
use super::canvas::Canvas;

/// A wavy outline, in pixels above its own level, from a few sine waves.
struct Outline {
    waves: Vec<(f32, f32, f32)>,
}

impl Outline {
    fn random(height: f32, jaggedness: f32, rng: &mut impl Rng) -> Self {
        let waves = (0..6).map(|octave| {
            let frequency = 0.004 * 1.9_f32.powi(octave) * rng.random_range(0.8..1.25);
            let amplitude = height * (0.35 + 0.35 * jaggedness).powi(octave);
            (amplitude, frequency, rng.random_range(0.0..TAU))
        });
        Self { waves: waves.collect() }
    }

    fn at(&self, x: f32) -> f32 {
        self.waves.iter().map(|(amplitude, frequency, phase)| amplitude * (x * frequency + phase).sin()).sum()
    }
}

/// Ridges behind ridges, from round dunes (jaggedness 0) to rocky hills (1).
pub(super) fn ridges(canvas: &mut Canvas, jaggedness: f32, rng: &mut impl Rng) {
    canvas.sky(rng);
    let ground = canvas.palette.ground;
    let count = rng.random_range(3..=5);
    for layer in 0..count {
        let depth = layer as f32 / count as f32;
        let level = canvas.horizon + depth * (canvas.height() - canvas.horizon) * 0.7;
        let outline = Outline::random(canvas.height() * (0.10 - 0.05 * depth), jaggedness, rng);
        let far = mix(canvas.palette.distant(0.55), ground, 0.35);
        let color = mix(mix(canvas.palette.horizon, far, 0.45 + 0.55 * depth), ground, depth);
        fill_below(canvas, &outline, level, color);
        if jaggedness > 0.3 && layer > 0 {
            trees(canvas, &outline, level, 10.0 + 40.0 * depth, mix(canvas.palette.shade, color, 0.35), rng);
        }
    }
    tufts(canvas, if jaggedness > 0.3 { 900 } else { 250 }, rng);
    canvas.mottle(0.22, rng);
}

/// Fills everything below an outline; slopes that rise to the right lie in the shade.
fn fill_below(canvas: &mut Canvas, outline: &Outline, level: f32, color: Rgb01) {
    let bottom = canvas.height();
    for column in 0..canvas.picture.width() {
        let x = column as f32;
        let slope = outline.at(x + 30.0) - outline.at(x - 30.0);
        let light = 1.0 - (slope / 400.0).clamp(-0.1, 0.1);
        let top = (level - outline.at(x)).max(0.0);
        for y in top as u32..canvas.picture.height() {
            let near = (y as f32 - top) / (bottom - top).max(1.0);
            let shade = color.map(|c| c * (light - 0.25 * near));
            canvas.picture.put_pixel(column, y, to_pixel(shade));
        }
    }
}

/// Fir trees along an outline.
fn trees(canvas: &mut Canvas, outline: &Outline, level: f32, size: f32, color: Rgb01, rng: &mut impl Rng) {
    for _ in 0..rng.random_range(6..22) {
        let x = rng.random_range(0.0..canvas.width());
        let foot = level - outline.at(x) + 3.0;
        let tall = size * rng.random_range(0.7..1.6);
        for tier in 0..3 {
            let up = tall * 0.27 * tier as f32;
            let half = tall * (0.24 - 0.06 * tier as f32);
            canvas.polygon(&[(x - half, foot - up), (x + half, foot - up), (x, foot - up - tall * 0.46)], color);
        }
    }
}

/// Blades and pebbles on the near ground.
fn tufts(canvas: &mut Canvas, count: usize, rng: &mut impl Rng) {
    let top = canvas.horizon + (canvas.height() - canvas.horizon) * 0.45;
    let bright = mix(canvas.palette.ground, canvas.palette.horizon, 0.5);
    let dark = mix(canvas.palette.ground, canvas.palette.shade, 0.55);
    for _ in 0..count {
        let (x, y) = (rng.random_range(0.0..canvas.width()), rng.random_range(top..canvas.height()));
        let near = (y - top) / (canvas.height() - top);
        let (lean, tall) = (rng.random_range(-5.0..5.0), 5.0 + 26.0 * near * rng.random_range(0.4..1.0));
        let color = if rng.random::<bool>() { bright } else { dark };
        canvas.polygon(&[(x, y), (x + 2.0 + near, y), (x + lean, y - tall)], color);
    }
}

/// A shore: sea, surf, sand and boats.
pub(super) fn shore(canvas: &mut Canvas, rng: &mut impl Rng) {
    canvas.sky(rng);
    let (horizon, ground) = (canvas.horizon * rng.random_range(0.75..0.95), canvas.palette.ground);
    let sand = canvas.height() * rng.random_range(0.78..0.92);
    let deep = mix(canvas.palette.zenith, [0.08, 0.26, 0.32], 0.45);
    canvas.ground(horizon, deep, rng);
    for _ in 0..rng.random_range(2..5) {
        boat(canvas, rng.random_range(0.0..canvas.width()), horizon + rng.random_range(2.0..40.0), rng);
    }
    for _ in 0..420 {
        let depth = rng.random_range(0.0_f32..1.0).powf(1.6);
        let y = horizon + 4.0 + depth * (sand - horizon);
        let long = rng.random_range(6.0..30.0) * (0.4 + 2.2 * depth);
        let x = rng.random_range(-20.0..canvas.width());
        let tone = if rng.random_range(0..3) > 0 { canvas.palette.horizon } else { canvas.palette.shade };
        canvas.block(x, y, long, 1.0 + 2.0 * depth, mix(deep, tone, rng.random_range(0.2..0.6)));
    }
    let outline = Outline::random(14.0, 0.3, rng);
    fill_below(canvas, &outline, sand - 12.0, mix(canvas.palette.horizon, [1.0; 3], 0.4));
    fill_below(canvas, &outline, sand, ground);
    tufts(canvas, 160, rng);
    canvas.mottle(0.2, rng);
}

/// A boat with a sail.
fn boat(canvas: &mut Canvas, x: f32, y: f32, rng: &mut impl Rng) {
    let size = (y - canvas.horizon * 0.7) * rng.random_range(0.25..0.6);
    let hull = canvas.palette.distant(0.15);
    let sail = mix(canvas.palette.horizon, [1.0, 0.96, 0.9], 0.6);
    canvas.polygon(
        &[(x - size, y), (x + size, y), (x + size * 0.7, y + size * 0.35), (x - size * 0.7, y + size * 0.35)],
        hull,
    );
    canvas.polygon(&[(x - size * 0.1, y - 2.0), (x - size * 0.1, y - size * 2.4), (x + size * 0.8, y - 4.0)], sail);
    canvas.polygon(
        &[(x - size * 0.2, y - 2.0), (x - size * 0.2, y - size * 1.9), (x - size * 0.7, y - 4.0)],
        sail.map(|c| c * 0.85),
    );
}
