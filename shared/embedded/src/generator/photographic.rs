//! Finishes a shot as a photograph: background out of focus, matching light, colour grade, and film grain.

use image::RgbImage;
use image::imageops::fast_blur;
use imaging::hypotenuse;
use rand::{Rng, RngExt};

use super::brief::{Brief, Place, Time};
use super::scenery::coverage;
use super::shot::Shot;
use super::texture::{coarse_grain, grain};
use super::tone::{Rgb01, at, from_pixel, lerp, luminance, mix, saturate, smoothstep, to_pixel};
use super::{HEIGHT, WIDTH};

/// A colour grade: the effect of film, filter and print.
#[derive(Debug, Clone, Copy)]
struct Grade {
    /// Colour added to the shadows.
    shadows: Rgb01,
    /// Factors on the highlights.
    highlights: Rgb01,
    /// Strength of the S-shaped tone curve.
    contrast: f32,
    saturation: f32,
    /// Factor on the exposure.
    exposure: f32,
}

impl Grade {
    const WARM_DUSK: Self = Self {
        shadows: [0.03, 0.01, 0.02],
        highlights: [1.08, 0.98, 0.84],
        contrast: 0.35,
        saturation: 1.05,
        exposure: 0.98,
    };
    const COLD_NIGHT: Self = Self {
        shadows: [0.0, 0.015, 0.05],
        highlights: [0.90, 0.98, 1.10],
        contrast: 0.25,
        saturation: 0.9,
        exposure: 1.25,
    };
    const TEAL_ORANGE: Self = Self {
        shadows: [0.0, 0.03, 0.045],
        highlights: [1.06, 1.0, 0.90],
        contrast: 0.45,
        saturation: 1.1,
        exposure: 1.0,
    };
    const FADED_FILM: Self = Self {
        shadows: [0.05, 0.045, 0.06],
        highlights: [1.0, 0.98, 0.92],
        contrast: 0.15,
        saturation: 0.85,
        exposure: 1.03,
    };
    const HIGH_KEY: Self = Self {
        shadows: [0.02, 0.02, 0.02],
        highlights: [1.02, 1.0, 0.98],
        contrast: 0.25,
        saturation: 0.95,
        exposure: 1.12,
    };

    fn choose(time: Time, rng: &mut impl Rng) -> Self {
        let suited = match time {
            Time::Dawn => [Self::FADED_FILM, Self::HIGH_KEY, Self::WARM_DUSK],
            Time::Day => [Self::HIGH_KEY, Self::TEAL_ORANGE, Self::FADED_FILM],
            Time::Overcast => [Self::FADED_FILM, Self::TEAL_ORANGE, Self::COLD_NIGHT],
            Time::Dusk => [Self::WARM_DUSK, Self::TEAL_ORANGE, Self::FADED_FILM],
            Time::Night => [Self::COLD_NIGHT, Self::FADED_FILM, Self::COLD_NIGHT],
        };
        suited[rng.random_range(0..suited.len())]
    }

    fn apply(&self, color: Rgb01) -> Rgb01 {
        let tone = luminance(color);
        let graded: Rgb01 = std::array::from_fn(|c| {
            let exposed = (color[c] * self.exposure).clamp(0.0, 1.0);
            let curved = lerp(exposed, smoothstep(0.0, 1.0, exposed), self.contrast);
            curved * lerp(1.0, self.highlights[c], tone) + self.shadows[c] * (1.0 - tone)
        });
        saturate(graded, self.saturation)
    }
}

/// Finishes a shot as a photograph.
pub(super) fn develop(shot: &Shot, brief: &Brief, rng: &mut impl Rng) -> RgbImage {
    let scene = if shot.staged { stage(shot, brief, rng) } else { shot.flatten() };
    expose(&scene, Grade::choose(brief.time, rng), shot.subject_left, rng)
}

/// Lights the figure by the scenery, and blurs the scenery.
fn stage(shot: &Shot, brief: &Brief, rng: &mut impl Rng) -> RgbImage {
    let softness = match brief.place {
        Place::Interior => 6.0,
        Place::Market => 11.0,
        _ => 7.5,
    };
    let mut background = fast_blur(&shot.background, softness * rng.random_range(0.8..1.3));
    bokeh(&mut background, shot, rng);
    let ambient = fast_blur(&background, 90.0);
    let spill = fast_blur(&shot.matte, 7.0);
    let key: f32 = match brief.time {
        Time::Night => 0.72,
        Time::Dusk => 0.82,
        Time::Dawn | Time::Overcast => 0.92,
        Time::Day => 1.0,
    };
    RgbImage::from_fn(WIDTH, HEIGHT, |x, y| {
        let behind = from_pixel(*background.get_pixel(x, y));
        let alpha = coverage(&shot.matte, x, y);
        if alpha == 0.0 {
            return to_pixel(behind);
        }
        let around = from_pixel(*ambient.get_pixel(x, y));
        let tint = around.map(|c| c / luminance(around).max(0.02));
        let front = from_pixel(*shot.figure.get_pixel(x, y));
        let lit: Rgb01 = std::array::from_fn(|c| front[c] * key * lerp(1.0, tint[c].min(1.8), 0.28));
        // Light from behind wraps around the edge of the figure.
        let edge = 1.0 - smoothstep(0.5, 0.95, coverage(&spill, x, y));
        let wrapped: Rgb01 = std::array::from_fn(|c| lit[c] + (1.0 - lit[c]) * behind[c] * 0.45 * edge);
        to_pixel(mix(behind, wrapped, alpha))
    })
}

/// Turns lamps into the bright discs of an open aperture.
fn bokeh(background: &mut RgbImage, shot: &Shot, rng: &mut impl Rng) {
    for lamp in &shot.lamps {
        let radius: f32 = rng.random_range(9.0..24.0);
        let strength = rng.random_range(0.12..0.5);
        let (left, top) = ((lamp.x - radius - 2.0).max(0.0) as u32, (lamp.y - radius - 2.0).max(0.0) as u32);
        for y in top..HEIGHT.min((lamp.y + radius + 2.0).max(0.0) as u32) {
            for x in left..WIDTH.min((lamp.x + radius + 2.0).max(0.0) as u32) {
                let distance = hypotenuse(x as f32 - lamp.x, y as f32 - lamp.y);
                let inside = smoothstep(radius + 2.5, radius - 4.5, distance) * (0.8 + 0.2 * distance / radius);
                let pixel = background.get_pixel_mut(x, y);
                let under = from_pixel(*pixel);
                *pixel =
                    to_pixel(std::array::from_fn(|c| under[c] + (1.0 - under[c]) * lamp.color[c] * strength * inside));
            }
        }
    }
}

/// Adds light that falls off from one side, a vignette, the grade and grain.
fn expose(scene: &RgbImage, grade: Grade, light_from_left: bool, rng: &mut impl Rng) -> RgbImage {
    let noise = grain(WIDTH, HEIGHT, rng);
    let coarse = coarse_grain(WIDTH, HEIGHT, 0.9, rng);
    let amount = rng.random_range(0.009..0.015);
    let fall_off: f32 = rng.random_range(0.1..0.3);
    let vignette: f32 = rng.random_range(0.15..0.35);
    RgbImage::from_fn(WIDTH, HEIGHT, |x, y| {
        let (u, v) = (x as f32 / WIDTH as f32, y as f32 / HEIGHT as f32);
        let away = if light_from_left { u } else { 1.0 - u };
        let corner = (u - 0.5).powi(2) + (v - 0.5).powi(2);
        let light = (1.0 + 0.4 * fall_off - fall_off * away) * (1.0 - vignette * smoothstep(0.1, 0.5, corner));
        let graded = grade.apply(from_pixel(*scene.get_pixel(x, y)).map(|c| c * light));
        // Grain shows most in the middle tones.
        let tone = luminance(graded);
        let speck = (at(&noise, x, y) * 0.6 + at(&coarse, x, y) * 0.2) * amount * (0.6 + 1.6 * tone * (1.0 - tone));
        to_pixel(graded.map(|c| c + speck))
    })
}
