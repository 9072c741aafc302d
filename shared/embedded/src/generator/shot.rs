//! A composed picture before its medium: the figure, its coverage, and the background.

use image::{GrayImage, Luma, RgbImage};
use imaging::hypotenuse;
use rand::Rng;

use super::brief::Brief;
use super::framing::{Camera, widen};
use super::scenery::{self, Lamp};
use super::subject::cut_out;
use super::tone::{Plane, from_pixel, lerp, luma_plane, mix, smoothstep, stretch, to_pixel};
use super::{HEIGHT, WIDTH};

/// The longest side of the working copy of a base image, in pixels.
const WORKING_SIDE: u32 = 1152;

pub(super) struct Shot {
    /// The figure, valid where [`Shot::matte`] is not black.
    pub(super) figure: RgbImage,
    /// The coverage of each pixel by the figure.
    pub(super) matte: GrayImage,
    pub(super) background: RgbImage,
    pub(super) lamps: Vec<Lamp>,
    /// Whether the background is painted, so that the figure needs its light. Otherwise both are one photograph.
    pub(super) staged: bool,
    /// Whether the subject stands in the left half.
    pub(super) subject_left: bool,
}

impl Shot {
    /// The tones of the picture over the full range from black to white, with the painted background
    /// lightened by a share `haze` so that the figure stands out.
    pub(super) fn tones(&self, haze: f32) -> Plane {
        let mut tones = luma_plane(&self.flatten());
        stretch(&mut tones, 0.02, 0.04);
        if self.staged {
            for (tone, matte) in tones.iter_mut().zip(self.matte.iter()) {
                let behind = 1.0 - f32::from(*matte) / 255.0;
                *tone = lerp(*tone, 1.0, haze * behind);
            }
        }
        tones
    }

    /// Figure over background.
    pub(super) fn flatten(&self) -> RgbImage {
        RgbImage::from_fn(WIDTH, HEIGHT, |x, y| {
            let alpha = f32::from(self.matte.get_pixel(x, y).0[0]) / 255.0;
            let front = from_pixel(*self.figure.get_pixel(x, y));
            let back = from_pixel(*self.background.get_pixel(x, y));
            to_pixel(mix(back, front, alpha))
        })
    }
}

/// Frames the base image: in front of scenery if its figure can be cut out, otherwise in its own scene.
pub(super) fn take(base: &RgbImage, brief: &Brief, rng: &mut impl Rng) -> Shot {
    let base = &within_working_size(base);
    let camera = Camera::hold(rng);
    let Some(cutout) = cut_out(base) else {
        let picture = camera.crop(&widen(base), base.height() > base.width(), rng);
        return Shot {
            figure: picture.clone(),
            matte: GrayImage::new(WIDTH, HEIGHT),
            background: picture,
            lamps: Vec::new(),
            staged: false,
            subject_left: camera.subject_left,
        };
    };
    let seen = camera.place(&cutout, rng);
    let matte = GrayImage::from_fn(WIDTH, HEIGHT, |x, y| Luma([seen.get_pixel(x, y).0[3]]));
    let mut scenery = scenery::paint(brief, camera, rng);
    cast_shadow(&mut scenery.picture, &matte);
    Shot {
        figure: image::DynamicImage::ImageRgba8(seen).into_rgb8(),
        matte,
        background: scenery.picture,
        lamps: scenery.lamps,
        staged: true,
        subject_left: camera.subject_left,
    }
}

/// Darkens the ground around the feet of a figure, if they are visible.
fn cast_shadow(background: &mut RgbImage, matte: &GrayImage) {
    let rows: Vec<bool> = matte.rows().map(|mut row| row.any(|pixel| pixel.0[0] > 127)).collect();
    let Some(foot) = rows.iter().rposition(|covered| *covered) else {
        return;
    };
    if foot + 3 >= HEIGHT as usize {
        return;
    }
    let ankles = foot.saturating_sub(HEIGHT as usize / 14);
    let standing = matte.enumerate_pixels().filter(|(_, y, pixel)| *y as usize > ankles && pixel.0[0] > 127);
    let (left, right) = standing.fold((WIDTH, 0), |(left, right), (x, _, _)| (left.min(x), right.max(x)));
    let (middle, half) = ((left + right) as f32 / 2.0, right.saturating_sub(left) as f32 * 0.75 + 12.0);
    let level = (foot + ankles) as f32 / 2.0 + 8.0;
    for (x, y, pixel) in background.enumerate_pixels_mut() {
        let distance = hypotenuse((x as f32 - middle) / half, (y as f32 - level) / (0.28 * half));
        let shadow = 0.6 * (1.0 - smoothstep(0.15, 1.4, distance));
        *pixel = to_pixel(from_pixel(*pixel).map(|c| c * (1.0 - shadow)));
    }
}

fn within_working_size(base: &RgbImage) -> RgbImage {
    let longest = base.width().max(base.height());
    if longest <= WORKING_SIDE {
        return base.clone();
    }
    let scaled = |side: u32| (side * WORKING_SIDE / longest).max(1);
    image::imageops::thumbnail(base, scaled(base.width()), scaled(base.height()))
}
