//! The patterns of paint, brick, wood and fallen leaves.

use glam::{Vec2, Vec3};

use super::material::{Finish, rgb};
use super::noise::{WorleyCell, fbm, lattice, smoothstep, worley};

/// Enamel that has faded unevenly, with grime and with chips down to the primer.
pub fn worn_paint(colour: Vec3, p: Vec3) -> Finish {
    let fade = fbm(p * 4.0, 3);
    let speck = fbm(p * 34.0, 3);
    let grime = smoothstep(0.52, 0.75, fbm(p * 6.0 + 3.0, 4));
    let paint = Finish::glossy(colour * (0.82 + 0.36 * fade), 0.3 + 0.25 * speck);
    let dirty = paint.mix(Finish::matt(rgb(0.10, 0.075, 0.05)), 0.55 * grime);
    let chips = smoothstep(0.685, 0.71, speck * 0.75 + 0.25 * fade + 0.06 * grime);
    dirty.mix(Finish::metal(Vec3::splat(0.2), 0.5), chips)
}

/// Coordinates on a vertical wall: along it and up. Walls stand along the x or the z axis.
fn on_wall(p: Vec3) -> Vec2 {
    Vec2::new(p.x + p.z, p.y)
}

const BRICK: Vec2 = Vec2::new(0.30, 0.105);

/// The row and column of the brick at `p`, and the place on it (0–1).
fn brick_at(p: Vec3) -> (Vec2, Vec2) {
    let mut uv = on_wall(p) / BRICK;
    uv.x += 0.5 * uv.y.floor().rem_euclid(2.0);
    (uv.floor(), uv - uv.floor())
}

/// 1 in the joints between bricks, 0 on their faces.
pub fn mortar(p: Vec3) -> f32 {
    let (_, place) = brick_at(p + 0.012 * fbm(p * 9.0, 2));
    let margin = (0.5 - (place - 0.5).abs()) * BRICK;
    1.0 - smoothstep(0.005, 0.012, margin.min_element())
}

pub fn brick(p: Vec3) -> Finish {
    let (id, _) = brick_at(p);
    let tone = lattice(id.as_ivec2().extend(5));
    let face = rgb(0.27, 0.095, 0.06).lerp(rgb(0.16, 0.085, 0.07), tone);
    let soot = 0.45 + 0.9 * fbm(p * 1.7, 4);
    let grain = 0.7 + 0.6 * fbm(p * 30.0, 3);
    Finish::matt(face.lerp(rgb(0.30, 0.27, 0.23), mortar(p)) * soot * grain)
}

pub fn wood(p: Vec3, brightness: f32) -> Finish {
    let grain = fbm(p * Vec3::new(2.0, 34.0, 34.0), 4);
    let ring = 0.5 + 0.5 * (fbm(p * Vec3::new(0.8, 5.0, 5.0), 2) * 60.0).sin();
    let tone = brightness * (0.45 + 0.75 * grain + 0.2 * ring);
    Finish::glossy(rgb(1.0, 0.6, 0.32) * tone, 0.45 + 0.3 * grain)
}

/// 0 in the gaps between floor boards, which run along x, and 1 on them.
pub fn plank_edge(p: Vec3, width: f32) -> f32 {
    let across = (p.z / width).rem_euclid(1.0);
    smoothstep(0.0, 0.025, across.min(1.0 - across))
}

pub fn plank(p: Vec3, width: f32) -> Finish {
    let board = (p.z / width).floor();
    let shade = lattice(Vec3::new(board, 3.0, 1.0).as_ivec3());
    let shifted = Vec3::new(p.x + 9.0 * shade, p.y, p.z);
    let mut finish = wood(shifted, 0.16 + 0.14 * shade);
    finish.albedo *= 0.15 + 0.85 * plank_edge(p, width);
    finish
}

/// The fallen leaf at `p`; noise makes the outlines of leaves ragged.
pub fn leaf_at(p: Vec3) -> WorleyCell {
    let ragged = Vec2::new(fbm(p * 16.0, 2), fbm(p * 16.0 + 5.0, 2)) - 0.5;
    worley(Vec2::new(p.x, p.z) * 12.0 + 1.6 * ragged)
}

/// Fallen leaves in shades between two colours, with bare earth between them.
pub fn litter(p: Vec3, [one, other]: [Vec3; 2]) -> Finish {
    let leaf = leaf_at(p);
    let tone = one.lerp(other, leaf.id) * (0.6 + 0.7 * lattice(Vec3::splat(leaf.id * 999.0).as_ivec3()));
    let vein = 0.75 + 0.45 * fbm(p * 30.0, 3);
    let earth = smoothstep(0.45, 0.75, leaf.distance);
    Finish::glossy(tone.lerp(rgb(0.03, 0.02, 0.012), 0.8 * earth) * vein, 0.6)
}
