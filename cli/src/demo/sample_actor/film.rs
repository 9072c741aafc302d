//! From radiance to a developed photograph: depth of field, bloom, tone curve, vignette and grain.

use std::f32::consts::TAU;

use glam::Vec3;
use image::{Rgb, RgbImage};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

/// Radiance and depth of every pixel, in rows.
#[derive(Debug, Clone)]
pub struct Exposure {
    pub width: usize,
    pub height: usize,
    pub colour: Vec<Vec3>,
    pub depth: Vec<f32>,
}

/// Points of the blur disc that are gathered for each pixel.
const DISC_POINTS: usize = 72;
/// How far the tone curve is bent into an S, 0–1.
const CONTRAST: f32 = 0.4;
/// The angle between successive points of a sunflower spiral, in turns.
const GOLDEN_ANGLE: f32 = 0.381_966;

impl Exposure {
    /// Blurs what is out of focus, as a lens with a round opening does. The blur disc has the radius
    /// `aperture` · |1 − focus/depth| (thin lens), in pixels; `aperture` is that of an infinitely far point.
    pub fn focus(&self, focus: f32, aperture: f32) -> Self {
        if aperture < 0.5 {
            return self.clone();
        }
        // Foreground blur is capped: a gather cannot spread it far over its surroundings.
        let radius = |depth: f32| (aperture * (1.0 - focus / depth)).clamp(-0.4 * aperture, aperture).abs();
        let radii: Vec<f32> = self.depth.iter().map(|&depth| radius(depth)).collect();
        let disc: Vec<(f32, f32, f32)> = (0..DISC_POINTS)
            .map(|i| {
                let share = ((i as f32 + 0.5) / DISC_POINTS as f32).sqrt();
                let (sin, cos) = (i as f32 * GOLDEN_ANGLE * TAU).sin_cos();
                (share * cos, share * sin, share)
            })
            .collect();
        let blurred = |index: usize| {
            let (x, y, own) = ((index % self.width) as f32, (index / self.width) as f32, radii[index]);
            if own < 0.6 {
                return self.colour[index];
            }
            let (mut sum, mut weight) = (self.colour[index] * 0.2, 0.2);
            for &(dx, dy, share) in &disc {
                let column = (x + dx * own).round().clamp(0.0, self.width as f32 - 1.0) as usize;
                let row = (y + dy * own).round().clamp(0.0, self.height as f32 - 1.0) as usize;
                let other = row * self.width + column;
                // A point spreads this far only if its own disc is large enough: sharp edges do not bleed.
                let reach = (radii[other] - share * own + 1.0).clamp(0.0, 1.0);
                sum += self.colour[other] * reach;
                weight += reach;
            }
            sum / weight
        };
        let colour = (0..self.colour.len()).into_par_iter().map(blurred).collect();
        Self { colour, ..self.clone() }
    }

    /// Adds the glow that a lens spreads around bright light.
    pub fn bloom(mut self, strength: f32) -> Self {
        const STEP: usize = 4;
        let (columns, rows) = (self.width.div_ceil(STEP), self.height.div_ceil(STEP));
        let bright: Vec<Vec3> = (0..columns * rows)
            .map(|i| {
                let (x, y) = (i % columns * STEP, i / columns * STEP);
                self.colour[y * self.width + x].min(Vec3::splat(10.0))
            })
            .collect();
        let radius = rows / 14;
        // Three box blurs approximate a Gaussian.
        let glow = (0..3).fold(bright, |image, _| box_blur(&image, columns, radius));
        for (index, colour) in self.colour.iter_mut().enumerate() {
            let (x, y) = (index % self.width / STEP, index / self.width / STEP);
            *colour = colour.lerp(glow[y * columns + x], strength);
        }
        self
    }

    /// Develops the picture. `grain` is the standard deviation of the film grain in 8-bit levels.
    pub fn develop(&self, exposure: f32, grain: f32, seed: u64) -> RgbImage {
        let mut picture = RgbImage::new(self.width as u32, self.height as u32);
        picture.par_chunks_mut(3 * self.width).enumerate().for_each(|(y, row)| {
            let mut rng = ChaCha8Rng::seed_from_u64(seed ^ ((y as u64) << 32));
            for x in 0..self.width {
                let light = self.colour[y * self.width + x] * exposure * self.vignette(x, y);
                let speckle = grain * gaussian(&mut rng);
                let tint = Vec3::from_array(std::array::from_fn(|_| 0.35 * grain * gaussian(&mut rng)));
                let levels = tone_curve(light) * 255.0;
                // Grain shows most in the mid-tones.
                let mid = 1.0 - (levels.element_sum() / 382.5 - 1.0).powi(2) * 0.6;
                let pixel = levels + (tint + speckle) * mid;
                let Rgb(bytes) = Rgb(pixel.round().clamp(Vec3::ZERO, Vec3::splat(255.0)).to_array().map(|v| v as u8));
                row[3 * x..3 * x + 3].copy_from_slice(&bytes);
            }
        });
        picture
    }

    fn vignette(&self, x: usize, y: usize) -> f32 {
        let (w, h) = (self.width as f32, self.height as f32);
        let (dx, dy) = ((x as f32 - w / 2.0) / w, (y as f32 - h / 2.0) / h);
        1.0 - 0.55 * (dx * dx + dy * dy)
    }
}

/// Averages over squares of `2 · radius + 1` pixels, by rows and then columns.
fn box_blur(image: &[Vec3], columns: usize, radius: usize) -> Vec<Vec3> {
    let rows = image.len() / columns;
    let pass = |source: &[Vec3], length: usize, lines: usize, at: &dyn Fn(usize, usize) -> usize| {
        let mut result = source.to_vec();
        for line in 0..lines {
            for i in 0..length {
                let window = i.saturating_sub(radius)..(i + radius + 1).min(length);
                let count = window.len() as f32;
                result[at(line, i)] = window.map(|j| source[at(line, j)]).sum::<Vec3>() / count;
            }
        }
        result
    };
    let across = pass(image, columns, rows, &|line, i| line * columns + i);
    pass(&across, rows, columns, &|line, i| i * columns + line)
}

/// A normally distributed number (Box and Muller 1958).
fn gaussian(rng: &mut ChaCha8Rng) -> f32 {
    let (u, v): (f32, f32) = (rng.random_range(f32::EPSILON..1.0), rng.random());
    (-2.0 * u.ln()).sqrt() * (TAU * v).cos()
}

/// Linear light to display values in 0–1: Narkowicz's fit of the ACES film curve (2015), then sRGB's gamma.
fn tone_curve(light: Vec3) -> Vec3 {
    let x = light * 0.72;
    let film = (x * (2.51 * x + 0.03)) / (x * (2.43 * x + 0.59) + 0.14);
    let display = film.clamp(Vec3::ZERO, Vec3::ONE).powf(1.0 / 2.2);
    let contrasty = display * display * (3.0 - 2.0 * display);
    display.lerp(contrasty, CONTRAST)
}
