//! Drawn pictures: scenes, line drawings, and a figure in many poses.

use image::{Rgb, RgbImage};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const WIDTH: u32 = 1024;
const HEIGHT: u32 = 576;

/// The colour of the figure in the scenes.
pub const FIGURE_INK: [u8; 3] = [190, 140, 115];

/// A scene with soft light, grain and a hundred coloured discs, different for each seed.
pub fn scene(seed: u32) -> RgbImage {
    let mut random = ChaCha8Rng::seed_from_u64(u64::from(seed) + 100);
    let light: [f32; 3] = [0; 3].map(|_| random.random_range(60.0..140.0));
    let mut scene = RgbImage::from_fn(WIDTH, HEIGHT, |x, y| {
        let slope = x as f32 * 0.05 + y as f32 * 0.08;
        Rgb(light.map(|level| (level + slope) as u8))
    });
    for _ in 0..100 {
        let (x, y) = (random.random_range(0..WIDTH) as f32, random.random_range(0..HEIGHT) as f32);
        let ink = [0; 3].map(|_| random.random_range(20..235_u8));
        disc(&mut scene, (x, y), random.random_range(6.0..60.0), ink);
    }
    for pixel in scene.pixels_mut() {
        let grain = random.random_range(-5..=5_i16);
        *pixel = Rgb(pixel.0.map(|level| (i16::from(level) + grain).clamp(0, 255) as u8));
    }
    scene
}

/// A figure of thin lines on white, in a different pose for each number.
pub fn line_drawing(number: u32) -> RgbImage {
    figure(RgbImage::from_pixel(WIDTH, HEIGHT, Rgb([255; 3])), number, 3 + number % 5, [20; 3])
}

/// Draws a figure with limbs of this thickness, in a different pose for each number.
pub fn figure(mut paper: RgbImage, number: u32, thickness: u32, ink: [u8; 3]) -> RgbImage {
    let bend = |limb: u32| ((number * 37 + limb * 61) % 90) as f32 / 90.0;
    let mut line = |from: (f32, f32), to: (f32, f32)| {
        for step in 0..=200_u32 {
            let along = step as f32 / 200.0;
            let at = (from.0 + (to.0 - from.0) * along, from.1 + (to.1 - from.1) * along);
            disc(&mut paper, at, thickness as f32 / 2.0, ink);
        }
    };
    let (neck, hip) = ((512.0, 200.0), (512.0, 310.0));
    for corner in 0..40 {
        let at = |corner: i32| {
            let turn = corner as f32 * std::f32::consts::TAU / 40.0;
            (512.0 + 41.0 * turn.cos(), 157.0 + 41.0 * turn.sin())
        };
        line(at(corner), at(corner + 1));
    }
    line(neck, hip);
    for (limb, side) in [(0, -1.0), (1, 1.0)] {
        let elbow = (neck.0 + side * (20.0 + 50.0 * bend(limb)), neck.1 - 30.0 + 90.0 * bend(limb + 2));
        line(neck, elbow);
        line(elbow, (elbow.0 + side * 40.0 * bend(limb + 4), elbow.1 - 60.0 + 120.0 * bend(limb + 6)));
        let knee = (hip.0 + side * (10.0 + 40.0 * bend(limb + 8)), hip.1 + 70.0);
        line(hip, knee);
        line(knee, (knee.0 + side * 30.0 * bend(limb + 10), 450.0));
    }
    paper
}

fn disc(paper: &mut RgbImage, (x, y): (f32, f32), radius: f32, ink: [u8; 3]) {
    let around = |center: f32, length: u32| {
        let first = (center - radius).max(0.0) as u32;
        first..(((center + radius) as u32 + 1).min(length))
    };
    for row in around(y, paper.height()) {
        for column in around(x, paper.width()) {
            let (dx, dy) = (column as f32 - x, row as f32 - y);
            if dx * dx + dy * dy <= radius * radius {
                paper.put_pixel(column, row, Rgb(ink));
            }
        }
    }
}
