//! Taking a picture.

use glam::{Vec2, Vec3};
use image::RgbImage;
use rayon::prelude::*;

use super::camera::{Camera, Lens};
use super::character::Character;
use super::film::Exposure;
use super::pose::Pose;
use super::setting::Setting;
use super::shading::{Sample, World};

/// One picture to take.
#[derive(Debug, Clone, Copy)]
pub struct Shot {
    /// Where.
    pub setting: Setting,
    /// From where, and with what framing.
    pub camera: Camera,
    /// In what attitude.
    pub pose: Pose,
}

/// Share of the light that the lens scatters as a glow.
const BLOOM: f32 = 0.04;
/// Standard deviation of the grain, in 8-bit levels.
const GRAIN: f32 = 2.2;
/// Contrast between neighbours, relative to their brightness, above which a pixel is sampled again.
const EDGE_CONTRAST: f32 = 0.25;
/// Offsets of the further samples of a pixel on an edge (a rotated grid), in pixels.
const SUBPIXELS: [Vec2; 4] =
    [Vec2::new(0.125, 0.375), Vec2::new(0.375, -0.125), Vec2::new(-0.125, -0.375), Vec2::new(-0.375, 0.125)];

/// Takes a picture of `width` × `height` pixels. The seed decides the film grain; everything else is in the shot.
pub fn render(shot: &Shot, seed: u64, width: u32, height: u32) -> RgbImage {
    let world =
        World { setting: shot.setting, lighting: shot.setting.lighting(), character: Character::new(&shot.pose) };
    let lens = shot.camera.lens(width, height);
    let focus = (world.character.face() - shot.camera.position()).length();
    let exposure = expose(&world, &lens, width as usize, height as usize)
        .focus(focus, shot.camera.aperture * height as f32)
        .bloom(BLOOM);
    exposure.develop(world.lighting.exposure, GRAIN, seed)
}

/// Samples every pixel once, then those on edges four times more.
fn expose(world: &World, lens: &Lens, width: usize, height: usize) -> Exposure {
    let centre = |index: usize| Vec2::new((index % width) as f32 + 0.5, (index / width) as f32 + 0.5);
    let samples: Vec<Sample> =
        (0..width * height).into_par_iter().map(|index| world.see(lens.ray(centre(index)))).collect();
    let refine = |index: usize| {
        let (x, y) = (index % width, index / width);
        let neighbours = [
            (x + 1 < width).then(|| index + 1),
            (y + 1 < height).then(|| index + width),
            (x > 0).then(|| index - 1),
            (y > 0).then(|| index - width),
        ];
        let own = &samples[index];
        if !neighbours.into_iter().flatten().any(|other| differs(own, &samples[other])) {
            return own.colour;
        }
        let sum: Vec3 = SUBPIXELS
            .iter()
            .map(|&offset| world.see(lens.ray(centre(index) + offset)).colour.min(Vec3::splat(4.0)))
            .sum();
        sum / SUBPIXELS.len() as f32
    };
    Exposure {
        width,
        height,
        colour: (0..width * height).into_par_iter().map(refine).collect(),
        depth: samples.iter().map(|sample| sample.depth).collect(),
    }
}

/// Whether there is an outline between two neighbouring pixels.
fn differs(a: &Sample, b: &Sample) -> bool {
    let (light, other) = (a.colour.element_sum(), b.colour.element_sum());
    let is_outline = a.material != b.material || (a.depth - b.depth).abs() > 0.03 * a.depth;
    is_outline && (light - other).abs() > EDGE_CONTRAST * (light + other).min(6.0) * 0.5
}
