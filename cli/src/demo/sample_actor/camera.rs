//! Where the camera stands, and the rays through its image plane.

use glam::{Vec2, Vec3};

/// A half-line; `direction` has unit length.
#[derive(Debug, Clone, Copy)]
pub struct Ray {
    pub origin: Vec3,
    pub direction: Vec3,
}

impl Ray {
    pub fn at(self, distance: f32) -> Vec3 {
        self.origin + self.direction * distance
    }
}

/// A camera on an orbit around the character, which stands at the origin.
#[derive(Debug, Clone, Copy)]
pub struct Camera {
    /// Degrees around the vertical; 0 looks from +z, positive from +x.
    pub azimuth: f32,
    /// Height of the lens above the ground, in scene units.
    pub height: f32,
    /// Horizontal distance from the character, in scene units.
    pub distance: f32,
    /// Height above the ground of the point that the camera looks at.
    pub look_at: f32,
    /// Vertical angle of view, in degrees.
    pub field_of_view: f32,
    /// Where the character appears, in half image heights right of and above the middle (a shifted lens, so
    /// that framing does not tilt the picture).
    pub framing: [f32; 2],
    /// Roll in degrees, positive anticlockwise.
    pub roll: f32,
    /// Radius of the blur disc of an infinitely far point, as a fraction of the image height; 0 is a pinhole.
    pub aperture: f32,
}

/// A camera set up for pictures of a certain size.
#[derive(Debug, Clone, Copy)]
pub struct Lens {
    origin: Vec3,
    axes: [Vec3; 3],
    half_size: Vec2,
    scale: f32,
    shift: Vec2,
}

impl Camera {
    pub fn position(&self) -> Vec3 {
        let (sin, cos) = self.azimuth.to_radians().sin_cos();
        Vec3::new(self.distance * sin, self.height, self.distance * cos)
    }

    pub fn lens(&self, width: u32, height: u32) -> Lens {
        let origin = self.position();
        let forward = (Vec3::new(0.0, self.look_at, 0.0) - origin).normalize();
        let level = forward.cross(Vec3::Y).normalize();
        let (sin, cos) = self.roll.to_radians().sin_cos();
        let upright = level.cross(forward);
        Lens {
            origin,
            axes: [level * cos + upright * sin, upright * cos - level * sin, forward],
            half_size: Vec2::new(width as f32, height as f32) / 2.0,
            scale: (self.field_of_view / 2.0).to_radians().tan(),
            shift: Vec2::from(self.framing),
        }
    }
}

impl Lens {
    /// The ray through a point of the image, in pixels from its top left corner.
    pub fn ray(&self, pixel: Vec2) -> Ray {
        let centred = (pixel - self.half_size) / self.half_size.y;
        let plane = (Vec2::new(centred.x, -centred.y) - self.shift) * self.scale;
        let [right, up, forward] = self.axes;
        Ray { origin: self.origin, direction: (forward + right * plane.x + up * plane.y).normalize() }
    }
}
