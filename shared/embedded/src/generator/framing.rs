//! The virtual camera, which determines the place and size of the figure and the tilt of the picture.

use image::imageops::{FilterType, fast_blur, resize};
use image::{Pixel, RgbImage, Rgba, RgbaImage};
use imageproc::geometric_transformations::{Border, Interpolation, warp_into_with};
use rand::{Rng, RngExt};

use super::subject::{Cutout, centre_of_interest};
use super::tone::{from_pixel, to_pixel};
use super::{HEIGHT, WIDTH};

#[derive(Debug, Clone, Copy)]
pub(super) struct Camera {
    /// The tilt in radians. Positive values rotate the picture clockwise.
    pub(super) tilt: f32,
    /// Whether the picture is mirrored.
    pub(super) mirrored: bool,
    /// Whether the subject stands in the left half.
    pub(super) subject_left: bool,
}

impl Camera {
    /// A camera tilted by 2 to 6 degrees either way.
    pub(super) fn hold(rng: &mut impl Rng) -> Self {
        let degrees: f32 = rng.random_range(2.0..6.0);
        let sign = if rng.random::<bool>() { 1.0 } else { -1.0 };
        Self { tilt: sign * degrees.to_radians(), mirrored: rng.random(), subject_left: rng.random() }
    }

    /// The figure as the camera sees it, on a transparent picture.
    pub(super) fn place(self, cutout: &Cutout, rng: &mut impl Rng) -> RgbaImage {
        let [left, top, right, bottom] = cutout.bounds;
        let (picture_width, picture_height) = (WIDTH as f32, HEIGHT as f32);
        let figure_height = (bottom - top).max(1.0);
        // Share of the picture height that the whole figure would take: full, three-quarter or medium shot.
        let smallest: f32 = if cutout.cut_at_the_foot { 1.15 } else { 0.82 };
        let share = match rng.random_range(0..3) {
            0 => smallest * rng.random_range(1.0..1.06),
            1 => rng.random_range(1.15..1.4_f32).max(smallest),
            _ => rng.random_range(1.45..1.8),
        };
        let step = figure_height / (share * picture_height);
        let third = rng.random_range(0.24..0.36);
        let anchor = Anchor {
            source: ((left + right) / 2.0, top),
            target: (
                picture_width * if self.subject_left { third } else { 1.0 - third },
                picture_height * rng.random_range(0.06..0.13),
            ),
        };
        self.warp(&cutout.figure, step, anchor)
    }

    /// A 16:9 part of a scene without black corners, with the centre of interest off the middle. With `is_portrait`,
    /// the scene shows an upright figure whose head is near the upper edge.
    pub(super) fn crop(self, base: &RgbImage, is_portrait: bool, rng: &mut impl Rng) -> RgbImage {
        let (width, height) = (base.width() as f32, base.height() as f32);
        let (sin, cos) = (self.tilt.sin().abs(), self.tilt.cos());
        let (picture_width, picture_height) = (WIDTH as f32, HEIGHT as f32);
        // Extent of the tilted picture frame, for one source pixel per picture pixel.
        let frame_width = picture_width * cos + picture_height * sin;
        let frame_height = picture_width * sin + picture_height * cos;
        let step = (width / frame_width).min(height / frame_height) * rng.random_range(0.62..0.98);
        let (half_width, half_height) = (frame_width * step / 2.0, frame_height * step / 2.0);
        let interest = centre_of_interest(base);
        let shift = picture_width * step * rng.random_range(0.14..0.24);
        let towards = if self.subject_left == self.mirrored { -shift } else { shift };
        let wanted_x = interest.0 * width + towards;
        // In a portrait, the head matters, not the middle of the body.
        let level = if is_portrait { 0.24 } else { interest.1 };
        let wanted_y = height * (level + rng.random_range(-0.08..0.08));
        let anchor = Anchor {
            source: (
                wanted_x.clamp(half_width.min(width / 2.0), (width - half_width).max(width / 2.0)),
                wanted_y.clamp(half_height.min(height / 2.0), (height - half_height).max(height / 2.0)),
            ),
            target: (picture_width / 2.0, picture_height / 2.0),
        };
        let opaque = image::DynamicImage::ImageRgb8(base.clone()).into_rgba8();
        let seen = self.warp(&opaque, step, anchor);
        RgbImage::from_fn(WIDTH, HEIGHT, |x, y| seen.get_pixel(x, y).to_rgb())
    }

    /// Resamples a source so that `step` source pixels fall on one picture pixel around the anchor.
    fn warp(self, source: &RgbaImage, step: f32, anchor: Anchor) -> RgbaImage {
        let (sin, cos) = self.tilt.sin_cos();
        let flip = if self.mirrored { -1.0 } else { 1.0 };
        // Shrinking first keeps fine patterns from aliasing.
        let shrink = step.max(1.0);
        let reduced = |side: u32| ((side as f32 / shrink).round() as u32).max(1);
        let ready = if step > 1.15 {
            &resize(source, reduced(source.width()), reduced(source.height()), FilterType::CatmullRom)
        } else {
            source
        };
        let ratio_x = ready.width() as f32 / source.width() as f32;
        let ratio_y = ready.height() as f32 / source.height() as f32;
        let mut seen = RgbaImage::new(WIDTH, HEIGHT);
        let lookup = |x: f32, y: f32| {
            let (dx, dy) = (x - anchor.target.0, y - anchor.target.1);
            let along_x = flip * (dx * cos + dy * sin) * step + anchor.source.0;
            let along_y = (dy * cos - dx * sin) * step + anchor.source.1;
            (along_x * ratio_x, along_y * ratio_y)
        };
        let outside = Border::Constant(Rgba([0, 0, 0, 0]));
        warp_into_with(ready, lookup, Interpolation::Bicubic, outside, &mut seen);
        seen
    }
}

/// A point of the source, and its place in the picture.
struct Anchor {
    source: (f32, f32),
    target: (f32, f32),
}

/// Continues a plain backdrop to both sides of a picture that is too narrow for 16:9. Returns every other picture
/// unchanged.
pub(super) fn widen(base: &RgbImage) -> RgbImage {
    let (width, height) = base.dimensions();
    let target = height * 2;
    if width >= height || width < 64 || !has_plain_sides(base) {
        return base.clone();
    }
    let added = (target - width) / 2;
    // The strips at the edge are repeated and mirrored, blurred enough to show no repetition.
    let strip = width / 24;
    let soft = fast_blur(base, strip as f32 / 2.0);
    RgbImage::from_fn(target, height, |x, y| {
        let inside = i64::from(x) - i64::from(added);
        let beyond = if inside < 0 { -inside } else { inside - i64::from(width) + 1 }.max(0) as u32;
        if beyond == 0 {
            return *base.get_pixel(inside as u32, y);
        }
        let folded = beyond % (2 * strip);
        let depth = folded.min(2 * strip - 1 - folded);
        let column = if inside < 0 { depth } else { width - 1 - depth };
        let (fine, coarse) = (from_pixel(*base.get_pixel(column, y)), from_pixel(*soft.get_pixel(column, y)));
        let edge = from_pixel(*soft.get_pixel(if inside < 0 { 0 } else { width - 1 }, y));
        to_pixel(std::array::from_fn(|c| edge[c] + fine[c] - coarse[c]))
    })
}

/// Whether the columns at the left and right edge change little from one row to the next.
fn has_plain_sides(base: &RgbImage) -> bool {
    let roughness = |x: u32| {
        let steps = (1..base.height()).map(|y| {
            let (here, above) = (base.get_pixel(x, y).0, base.get_pixel(x, y - 1).0);
            here.iter().zip(above).map(|(a, b)| f32::from(a.abs_diff(b))).sum::<f32>()
        });
        steps.sum::<f32>() / base.height() as f32
    };
    roughness(1).max(roughness(base.width() - 2)) < 9.0
}
