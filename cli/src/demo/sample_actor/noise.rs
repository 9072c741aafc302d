//! Lattice noise: the texture of everything in the pictures. It has no seed, so that a brick stays the same
//! brick from every camera angle.

use glam::{IVec3, Vec2, Vec3};

/// A fixed pseudo-random number in 0–1 for a point of the integer lattice: the spatial hash of Teschner et al.,
/// "Optimized Spatial Hashing for Collision Detection of Deformable Objects" (2003), then MurmurHash3's finaliser.
pub fn lattice(cell: IVec3) -> f32 {
    let mut hash = (cell.x as u32).wrapping_mul(73_856_093)
        ^ (cell.y as u32).wrapping_mul(19_349_663)
        ^ (cell.z as u32).wrapping_mul(83_492_791);
    hash ^= hash >> 16;
    hash = hash.wrapping_mul(0x85eb_ca6b);
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(0xc2b2_ae35);
    hash ^= hash >> 16;
    (hash >> 8) as f32 / (1 << 24) as f32
}

/// Smooth noise in 0–1 with features about one unit wide: lattice values, blended trilinearly with Hermite weights.
pub fn value_noise(p: Vec3) -> f32 {
    let floor = p.floor();
    let cell = floor.as_ivec3();
    let f = p - floor;
    let w = f * f * (3.0 - 2.0 * f);
    let mix = |a: f32, b: f32, t: f32| a + (b - a) * t;
    let edge = |y, z| mix(lattice(cell + IVec3::new(0, y, z)), lattice(cell + IVec3::new(1, y, z)), w.x);
    let near = mix(edge(0, 0), edge(1, 0), w.y);
    let far = mix(edge(0, 1), edge(1, 1), w.y);
    mix(near, far, w.z)
}

/// Fractional Brownian motion in 0–1: octaves of [`value_noise`], each half as strong and about twice as fine.
pub fn fbm(p: Vec3, octaves: u32) -> f32 {
    let (mut sum, mut weight, mut total, mut q) = (0.0, 0.5, 0.0, p);
    for _ in 0..octaves {
        sum += weight * value_noise(q);
        total += weight;
        weight *= 0.5;
        // Not exactly 2, so that the lattices of the octaves do not line up.
        q = q * 2.03 + Vec3::new(17.3, 5.1, 9.7);
    }
    sum / total
}

/// The cell of a Worley (1996) pattern around a point.
pub struct WorleyCell {
    /// The way to the cell's feature point, in cells.
    pub offset: Vec2,
    /// The length of `offset`.
    pub distance: f32,
    /// A number in 0–1 that all points of the cell share.
    pub id: f32,
}

/// Finds the Worley cell of a point of the plane, for scattered things such as leaves.
pub fn worley(p: Vec2) -> WorleyCell {
    let base = p.floor().as_ivec2();
    let mut nearest = WorleyCell { offset: Vec2::ZERO, distance: f32::MAX, id: 0.0 };
    for dy in -1..=1 {
        for dx in -1..=1 {
            let cell = IVec3::new(base.x + dx, base.y + dy, 0);
            let jitter = Vec2::new(lattice(cell + IVec3::Z), lattice(cell + 2 * IVec3::Z));
            let offset = cell.truncate().as_vec2() + jitter - p;
            let distance = offset.length();
            if distance < nearest.distance {
                nearest = WorleyCell { offset, distance, id: lattice(cell + 3 * IVec3::Z) };
            }
        }
    }
    nearest
}

/// The Hermite step from 0 at `low` to 1 at `high`.
pub fn smoothstep(low: f32, high: f32, x: f32) -> f32 {
    let t = ((x - low) / (high - low)).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}
