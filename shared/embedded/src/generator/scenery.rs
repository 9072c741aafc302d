//! Paints the scenery behind a figure: a place in the light of a time of day.

mod built;
mod canvas;
mod forest;
mod indoors;
mod nature;

use image::{GrayImage, Rgb, RgbImage};
use imageproc::geometric_transformations::{Border, Interpolation, warp_into_with};
use rand::{Rng, RngExt};

use super::brief::{Brief, Place, Time};
use super::framing::Camera;
use super::tone::{Rgb01, mix};
use super::{HEIGHT, WIDTH};
use canvas::Canvas;

/// A light in the scenery.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lamp {
    /// The position in pixels, possibly outside of the picture.
    pub(super) x: f32,
    pub(super) y: f32,
    pub(super) color: Rgb01,
}

/// A painted background.
pub(super) struct Scenery {
    pub(super) picture: RgbImage,
    pub(super) lamps: Vec<Lamp>,
}

/// The colours of a time of day.
#[derive(Debug, Clone, Copy)]
pub(super) struct Palette {
    pub(super) zenith: Rgb01,
    pub(super) horizon: Rgb01,
    pub(super) ground: Rgb01,
    pub(super) shade: Rgb01,
    pub(super) lamp: Rgb01,
}

impl Palette {
    fn of(time: Time, place: Place) -> Self {
        let (zenith, horizon, shade, lamp) = match time {
            Time::Dawn => ([0.52, 0.62, 0.74], [0.95, 0.82, 0.70], [0.24, 0.27, 0.33], [1.0, 0.86, 0.66]),
            Time::Day => ([0.30, 0.52, 0.80], [0.80, 0.88, 0.94], [0.20, 0.24, 0.26], [1.0, 0.97, 0.88]),
            Time::Overcast => ([0.55, 0.60, 0.65], [0.80, 0.82, 0.83], [0.22, 0.24, 0.27], [1.0, 0.90, 0.72]),
            Time::Dusk => ([0.24, 0.26, 0.46], [0.96, 0.60, 0.36], [0.15, 0.12, 0.19], [1.0, 0.78, 0.42]),
            Time::Night => ([0.07, 0.10, 0.21], [0.22, 0.27, 0.42], [0.05, 0.06, 0.10], [1.0, 0.74, 0.38]),
        };
        let earth = match place {
            Place::City | Place::Market => [0.38, 0.37, 0.38],
            Place::Interior => [0.45, 0.31, 0.20],
            Place::Forest => [0.28, 0.36, 0.16],
            Place::Hills => [0.52, 0.48, 0.24],
            Place::Dunes => [0.80, 0.64, 0.42],
            Place::Shore => [0.70, 0.62, 0.50],
        };
        let (zenith, horizon) = if place == Place::Interior {
            // Lamps light a room at any time of day.
            (mix(zenith, lamp.map(|c| c * 0.55), 0.45), mix(horizon, lamp, 0.35))
        } else {
            (zenith, horizon)
        };
        let light = mix(zenith, horizon, 0.6);
        let ground = std::array::from_fn(|c| earth[c] * (0.25 + 0.75 * light[c]));
        Self { zenith, horizon, ground, shade, lamp }
    }

    /// A colour of the middle distance: between the darkest shade and the haze of the horizon.
    fn distant(&self, haze: f32) -> Rgb01 {
        mix(self.shade, self.horizon, haze)
    }
}

/// Paints the place of a brief on a canvas larger than the picture, and views it with a tilted camera.
pub(super) fn paint(brief: &Brief, camera: Camera, rng: &mut impl Rng) -> Scenery {
    let palette = Palette::of(brief.time, brief.place);
    let mut canvas = Canvas::new(palette, rng.random_range(0.5..0.66));
    match brief.place {
        Place::City => built::city(&mut canvas, rng),
        Place::Market => built::market(&mut canvas, rng),
        Place::Interior => indoors::interior(&mut canvas, rng),
        Place::Forest => forest::forest(&mut canvas, rng),
        Place::Hills => nature::ridges(&mut canvas, 0.55, rng),
        Place::Dunes => nature::ridges(&mut canvas, 0.12, rng),
        Place::Shore => nature::shore(&mut canvas, rng),
    }
    let (sin, cos) = camera.tilt.sin_cos();
    let (width, height) = (WIDTH as f32, HEIGHT as f32);
    let margin = (canvas::MARGIN.0 as f32, canvas::MARGIN.1 as f32);
    let mut picture = RgbImage::new(WIDTH, HEIGHT);
    let lookup = |x: f32, y: f32| {
        let (dx, dy) = (x - width / 2.0, y - height / 2.0);
        (dx * cos + dy * sin + width / 2.0 + margin.0, dy * cos - dx * sin + height / 2.0 + margin.1)
    };
    let edge: Border<Rgb<u8>> = Border::Replicate;
    warp_into_with(&canvas.picture, lookup, Interpolation::Bilinear, edge, &mut picture);
    let seen = |lamp: &Lamp| {
        let (dx, dy) = (lamp.x - margin.0 - width / 2.0, lamp.y - margin.1 - height / 2.0);
        Lamp { x: dx * cos - dy * sin + width / 2.0, y: dy * cos + dx * sin + height / 2.0, color: lamp.color }
    };
    Scenery { picture, lamps: canvas.lamps.iter().map(seen).collect() }
}

/// The value of a matte, from 0 to 1.
pub(super) fn coverage(matte: &GrayImage, x: u32, y: u32) -> f32 {
    f32::from(matte.get_pixel(x, y).0[0]) / 255.0
}
