//! Random textures: grain, clouds of soft noise, and line screens.

use image::Luma;
use image::imageops::fast_blur;
use rand::{Rng, RngExt};

use super::tone::{Plane, at, lerp};

/// Independent noise per pixel, bell-shaped around 0 with a standard deviation of about 1.
pub(super) fn grain(width: u32, height: u32, rng: &mut impl Rng) -> Plane {
    Plane::from_fn(width, height, |_, _| {
        // The sum of the four bytes of a word is close to normal (mean 510, deviation 147.8).
        let sum: u16 = rng.random::<u32>().to_le_bytes().map(u16::from).iter().sum();
        Luma([(f32::from(sum) - 510.0) / 147.8])
    })
}

/// Grain with blotches a few times `size` pixels wide, with a standard deviation of 1.
pub(super) fn coarse_grain(width: u32, height: u32, size: f32, rng: &mut impl Rng) -> Plane {
    let mut plane = grain(width, height, rng);
    // The blur clips to 0 to 1, so the noise is moved into this range.
    for tone in plane.iter_mut() {
        *tone = 0.5 + 0.12 * *tone;
    }
    let mut plane = fast_blur(&plane, size);
    let variance = plane.iter().map(|tone| (tone - 0.5).powi(2)).sum::<f32>() / plane.len() as f32;
    for tone in plane.iter_mut() {
        *tone = (*tone - 0.5) / variance.sqrt().max(f32::EPSILON);
    }
    plane
}

/// Soft noise from 0 to 1 with blotches about `cell` pixels wide: value noise, random on a lattice and smooth between.
pub(super) fn clouds(width: u32, height: u32, cell: u32, rng: &mut impl Rng) -> Plane {
    let cells = Plane::from_fn(width / cell + 2, height / cell + 2, |_, _| Luma([rng.random::<f32>()]));
    let place = |position: u32| {
        let along = (position % cell) as f32 / cell as f32;
        (position / cell, along * along * (3.0 - 2.0 * along))
    };
    let columns: Vec<_> = (0..width).map(place).collect();
    Plane::from_fn(width, height, |x, y| {
        let ((column, across), (row, down)) = (columns[x as usize], place(y));
        let upper = lerp(at(&cells, column, row), at(&cells, column + 1, row), across);
        let lower = lerp(at(&cells, column, row + 1), at(&cells, column + 1, row + 1), across);
        Luma([lerp(upper, lower, down)])
    })
}

/// Clouds of three sizes, the larger the stronger, from 0 to 1.
pub(super) fn fractal(width: u32, height: u32, cell: u32, rng: &mut impl Rng) -> Plane {
    let mut sum = clouds(width, height, cell, rng);
    for (shrink, weight) in [(3, 0.5), (9, 0.25)] {
        let finer = clouds(width, height, (cell / shrink).max(1), rng);
        for (total, tone) in sum.iter_mut().zip(finer.iter()) {
            *total += weight * tone;
        }
    }
    for tone in sum.iter_mut() {
        *tone = (*tone / 1.75).clamp(0.0, 1.0);
    }
    sum
}

/// A family of parallel lines.
#[derive(Debug, Clone, Copy)]
pub(super) struct Screen {
    direction: (f32, f32),
    pitch: f32,
}

impl Screen {
    /// Lines at an angle in radians from the horizontal, `pitch` pixels apart.
    pub(super) fn new(angle: f32, pitch: f32) -> Self {
        Self { direction: (-angle.sin(), angle.cos()), pitch }
    }

    /// The distance from the middle of the nearest line, from 0 on the line to 1 halfway to the next. `bend` shifts the
    /// line, in pixels.
    pub(super) fn distance(self, x: u32, y: u32, bend: f32) -> f32 {
        let across = x as f32 * self.direction.0 + y as f32 * self.direction.1 + bend;
        let phase = (across / self.pitch).rem_euclid(1.0);
        (2.0 * phase - 1.0).abs()
    }
}
