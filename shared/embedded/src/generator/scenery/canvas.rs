//! The canvas of the scenery: larger than the picture, with a sky and a ground.

use image::RgbImage;
use imageproc::drawing::{draw_filled_circle_mut, draw_polygon_mut};
use imageproc::point::Point;
use rand::{Rng, RngExt};

use super::super::texture::fractal;
use super::super::tone::{Rgb01, at, from_pixel, mix, smoothstep, to_pixel};
use super::super::{HEIGHT, WIDTH};
use super::{Lamp, Palette};

/// The margin of the canvas on each side, so that a tilted camera sees no corner.
pub(super) const MARGIN: (u32, u32) = (64, 80);

pub(super) struct Canvas {
    pub(super) picture: RgbImage,
    pub(super) palette: Palette,
    pub(super) lamps: Vec<Lamp>,
    /// The distance of the horizon from the upper edge of the canvas, in pixels.
    pub(super) horizon: f32,
}

impl Canvas {
    /// An empty canvas with the horizon at a share of its height.
    pub(super) fn new(palette: Palette, horizon_share: f32) -> Self {
        let (width, height) = (WIDTH + 2 * MARGIN.0, HEIGHT + 2 * MARGIN.1);
        Self {
            picture: RgbImage::new(width, height),
            palette,
            lamps: Vec::new(),
            horizon: horizon_share * height as f32,
        }
    }

    pub(super) fn width(&self) -> f32 {
        self.picture.width() as f32
    }

    pub(super) fn height(&self) -> f32 {
        self.picture.height() as f32
    }

    /// Fills the sky, brighter towards the horizon and the side of the sun, with clouds.
    pub(super) fn sky(&mut self, rng: &mut impl Rng) {
        let sun = self.width() * rng.random_range(-0.2..1.2);
        let cover: f32 = rng.random_range(0.15..0.6);
        let clouds = fractal(self.picture.width(), self.picture.height(), 220, rng);
        let Palette { zenith, horizon, .. } = self.palette;
        let (level, width) = (self.horizon, self.width());
        for (x, y, pixel) in self.picture.enumerate_pixels_mut() {
            let depth = (y as f32 / level).min(1.0);
            let near_sun = 1.0 - ((x as f32 - sun) / width).abs().min(1.0);
            let clear = mix(zenith, horizon, (depth * (0.5 + 0.5 * near_sun)).powf(1.3));
            let white = mix(horizon, [1.0; 3], 0.25);
            // Clouds flatten towards the horizon.
            let cloud_y = (y as f32 * 1.6) as u32 % clouds.height();
            let puff = smoothstep(0.48, 0.75, at(&clouds, x, cloud_y));
            *pixel = to_pixel(mix(clear, white, puff * cover));
        }
    }

    /// Fills everything below a level with a colour that darkens towards the viewer, mottled by noise.
    pub(super) fn ground(&mut self, level: f32, color: Rgb01, rng: &mut impl Rng) {
        let mottle = fractal(self.picture.width(), self.picture.height(), 60, rng);
        let (height, haze) = (self.height(), self.palette.horizon);
        for (x, y, pixel) in self.picture.enumerate_pixels_mut().filter(|(_, y, _)| *y as f32 >= level) {
            let near = (y as f32 - level) / (height - level).max(1.0);
            let lit = color.map(|c| c * (0.72 + 0.5 * at(&mottle, x, y)) * (1.1 - 0.45 * near));
            *pixel = to_pixel(mix(haze, lit, 0.62 + 0.38 * near.sqrt()));
        }
    }

    /// Adds a soft variation of light to the whole canvas.
    pub(super) fn mottle(&mut self, strength: f32, rng: &mut impl Rng) {
        let noise = fractal(self.picture.width(), self.picture.height(), 90, rng);
        for (x, y, pixel) in self.picture.enumerate_pixels_mut() {
            let factor = 1.0 + strength * (at(&noise, x, y) - 0.5);
            *pixel = to_pixel(from_pixel(*pixel).map(|c| c * factor));
        }
    }

    pub(super) fn polygon(&mut self, corners: &[(f32, f32)], color: Rgb01) {
        let mut points: Vec<_> = corners.iter().map(|&(x, y)| Point::new(x as i32, y as i32)).collect();
        points.dedup();
        // `draw_polygon_mut` panics for closed outlines.
        while points.len() > 1 && points.first() == points.last() {
            points.pop();
        }
        if points.len() > 2 {
            draw_polygon_mut(&mut self.picture, &points, to_pixel(color));
        }
    }

    /// Fills a rectangle.
    pub(super) fn block(&mut self, left: f32, top: f32, width: f32, height: f32, color: Rgb01) {
        let (right, bottom) = (left + width, top + height);
        self.polygon(&[(left, top), (right, top), (right, bottom), (left, bottom)], color);
    }

    pub(super) fn disc(&mut self, x: f32, y: f32, radius: f32, color: Rgb01) {
        draw_filled_circle_mut(&mut self.picture, (x as i32, y as i32), radius as i32, to_pixel(color));
    }

    /// Adds a lamp.
    pub(super) fn lamp(&mut self, x: f32, y: f32, radius: f32, color: Rgb01) {
        self.disc(x, y, radius, mix(color, [1.0; 3], 0.4));
        self.lamps.push(Lamp { x, y, color });
    }
}
