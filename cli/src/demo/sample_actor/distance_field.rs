//! Signed distances to simple solids, after Inigo Quilez, "Distance functions" (iquilezles.org/articles/distfunctions).
//! All are negative inside, and in scene units: the character is about one and a half units tall.

use glam::{Mat3, Vec2, Vec3};

use super::material::Material;

/// How far away the nearest surface is, and what it is made of.
#[derive(Debug, Clone, Copy)]
pub struct Surface {
    pub distance: f32,
    pub material: Material,
}

impl Surface {
    pub const fn new(distance: f32, material: Material) -> Self {
        Self { distance, material }
    }

    /// The union of two solids.
    pub fn or(self, distance: f32, material: Material) -> Self {
        if distance < self.distance { Self { distance, material } } else { self }
    }
}

/// A rigid part with its own coordinate system.
#[derive(Debug, Clone, Copy)]
pub struct Frame {
    pub origin: Vec3,
    pub rotation: Mat3,
}

impl Frame {
    pub fn to_local(self, p: Vec3) -> Vec3 {
        // The inverse of a rotation is its transpose; `mul_transpose_vec3` would need a newer glam.
        let q = p - self.origin;
        Vec3::new(self.rotation.x_axis.dot(q), self.rotation.y_axis.dot(q), self.rotation.z_axis.dot(q))
    }

    pub fn to_world(self, p: Vec3) -> Vec3 {
        self.origin + self.rotation * p
    }
}

pub fn sphere(p: Vec3, radius: f32) -> f32 {
    p.length() - radius
}

/// A box of the given half size whose edges are rounded by `radius` (inside the half size).
pub fn rounded_box(p: Vec3, half: Vec3, radius: f32) -> f32 {
    let q = p.abs() - half + radius;
    q.max(Vec3::ZERO).length() + q.max_element().min(0.0) - radius
}

/// A rod with round ends from `a` to `b`, `start` thick at `a` and `end` thick at `b`. For unequal radii this is
/// a lower bound that is good enough to march along.
pub fn tapered_rod(p: Vec3, a: Vec3, b: Vec3, start: f32, end: f32) -> f32 {
    let (pa, ba) = (p - a, b - a);
    let along = (pa.dot(ba) / ba.length_squared()).clamp(0.0, 1.0);
    (pa - ba * along).length() - (start + (end - start) * along)
}

/// A rod with round ends from `a` to `b`.
pub fn capsule(p: Vec3, a: Vec3, b: Vec3, radius: f32) -> f32 {
    tapered_rod(p, a, b, radius, radius)
}

/// A ring around the y axis.
pub fn torus(p: Vec3, ring: f32, tube: f32) -> f32 {
    Vec2::new(Vec2::new(p.x, p.z).length() - ring, p.y).length() - tube
}

/// A cylinder around the y axis with edges rounded by a tenth of its radius.
pub fn cylinder(p: Vec3, radius: f32, half_height: f32) -> f32 {
    let edge = 0.1 * radius;
    let q = Vec2::new(Vec2::new(p.x, p.z).length() - radius + edge, p.y.abs() - half_height + edge);
    q.max(Vec2::ZERO).length() + q.max_element().min(0.0) - edge
}

/// An ellipsoid around the origin (a first-order approximation of its distance).
pub fn ellipsoid(p: Vec3, radii: Vec3) -> f32 {
    let (k0, k1) = ((p / radii).length(), (p / (radii * radii)).length());
    if k1 == 0.0 { -radii.min_element() } else { k0 * (k0 - 1.0) / k1 }
}
