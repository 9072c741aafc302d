//! What surfaces are made of: their colours, gloss and fine relief, all from noise.

use glam::{Vec2, Vec3};

use super::noise::{fbm, smoothstep, value_noise};
use super::texture::{brick, leaf_at, litter, mortar, plank, plank_edge, wood, worn_paint};

/// Everything the character and its surroundings are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Material {
    // The character.
    Paint,
    Trim,
    Steel,
    Rubber,
    Visor,
    Eye,
    Wool,
    Canvas,
    Blanket,
    Leather,
    Brass,
    // Its surroundings.
    Seamless,
    Plaster,
    Brick,
    Facade,
    Concrete,
    Planks,
    Timber,
    Asphalt,
    Sand,
    Rock,
    Leaves,
    AutumnLeaves,
    Bark,
    Snow,
    Needles,
    Iron,
    Copper,
    Enamel,
    Lamp,
}

/// The optical properties of a point of a surface; colours are linear RGB.
#[derive(Debug, Clone, Copy)]
pub struct Finish {
    /// Diffuse reflectance.
    pub albedo: Vec3,
    /// Reflectance seen head-on (F0 of Schlick's approximation).
    pub specular: Vec3,
    /// Perceptual roughness, 0 (mirror) – 1 (matt).
    pub roughness: f32,
    /// Light of its own.
    pub emission: Vec3,
}

impl Finish {
    pub fn matt(albedo: Vec3) -> Self {
        Self::glossy(albedo, 0.85)
    }

    /// A non-metal: 4 % of the light is reflected head-on.
    pub fn glossy(albedo: Vec3, roughness: f32) -> Self {
        Self { albedo, specular: Vec3::splat(0.04), roughness, emission: Vec3::ZERO }
    }

    pub fn metal(specular: Vec3, roughness: f32) -> Self {
        Self { albedo: specular * 0.12, specular, roughness, emission: Vec3::ZERO }
    }

    fn glowing(emission: Vec3) -> Self {
        Self { emission, ..Self::glossy(Vec3::splat(0.02), 0.3) }
    }

    pub fn mix(self, other: Self, t: f32) -> Self {
        Self {
            albedo: self.albedo.lerp(other.albedo, t),
            specular: self.specular.lerp(other.specular, t),
            roughness: self.roughness + (other.roughness - self.roughness) * t,
            emission: self.emission.lerp(other.emission, t),
        }
    }
}

/// A colour in linear RGB.
pub const fn rgb(r: f32, g: f32, b: f32) -> Vec3 {
    Vec3::new(r, g, b)
}

impl Material {
    /// Whether it belongs to the character, so that its texture moves with it.
    pub const fn is_character(self) -> bool {
        (self as u8) <= (Self::Brass as u8)
    }

    /// Whether its reflections are sharp enough to be traced.
    pub const fn is_mirror(self) -> bool {
        matches!(self, Self::Visor)
    }

    /// The finish at `p`: in the torso's coordinates for the character, in the scene's otherwise.
    pub fn finish(self, p: Vec3) -> Finish {
        match self {
            Self::Paint => worn_paint(rgb(0.62, 0.57, 0.46), p),
            Self::Trim => worn_paint(rgb(0.62, 0.17, 0.03), p + 7.0),
            Self::Steel => {
                let smear = fbm(p * 14.0, 2);
                Finish::metal(Vec3::splat(0.34 + 0.14 * smear), 0.28 + 0.25 * smear)
            }
            Self::Rubber => Finish::glossy(Vec3::splat(0.018 + 0.02 * fbm(p * 30.0, 2)), 0.6),
            Self::Visor => Finish::glossy(Vec3::splat(0.004), 0.06),
            Self::Eye => Finish::glowing(rgb(0.55, 1.9, 1.8)),
            Self::Wool => {
                let fibre = fbm(p * 55.0, 2);
                Finish::matt(rgb(0.42, 0.022, 0.022) * (0.45 + 1.0 * fibre))
            }
            Self::Canvas => {
                let weave = 0.5 + 0.5 * (p.x * 330.0).sin() * (p.y * 330.0).sin();
                let stain = fbm(p * 7.0, 3);
                Finish::matt(rgb(0.13, 0.135, 0.06) * (0.55 + 0.3 * weave + 0.6 * stain))
            }
            Self::Blanket => Finish::matt(rgb(0.10, 0.17, 0.21) * (0.5 + fbm(p * 40.0, 2))),
            Self::Leather => Finish::glossy(rgb(0.12, 0.048, 0.02) * (0.5 + fbm(p * 25.0, 3)), 0.45),
            Self::Brass => Finish::metal(rgb(0.75, 0.52, 0.2), 0.25 + 0.2 * fbm(p * 30.0, 2)),
            Self::Seamless => Finish::matt(rgb(0.066, 0.100, 0.128) * (0.9 + 0.2 * fbm(p * 1.3, 4))),
            Self::Plaster => {
                let patch = fbm(p * 2.2, 5);
                Finish::matt(rgb(0.50, 0.44, 0.35) * (0.65 + 0.6 * patch))
            }
            Self::Brick => brick(p),
            Self::Facade => Finish::matt(rgb(0.07, 0.065, 0.065) * (0.4 + 1.2 * fbm(p * 2.7, 4))),
            Self::Concrete => {
                let stain = smoothstep(0.45, 0.7, fbm(p * 1.1, 4));
                let grit = fbm(p * 24.0, 3);
                let grey = (0.20 - 0.07 * stain) * (0.75 + 0.5 * grit);
                Finish::glossy(rgb(1.0, 0.95, 0.88) * grey, 0.75 - 0.3 * stain)
            }
            Self::Planks => plank(p, 0.24),
            Self::Timber => wood(p, 0.3),
            Self::Asphalt => {
                let puddle = smoothstep(0.44, 0.60, fbm(p * 1.3, 3));
                let grit = value_noise(p * 70.0);
                let stone = Finish::glossy(Vec3::splat(0.025 + 0.05 * grit * grit), 0.55);
                stone.mix(Finish::glossy(Vec3::splat(0.012), 0.12), puddle)
            }
            Self::Sand => {
                let tone = fbm(p * 3.0, 4);
                let grain = value_noise(p * 120.0);
                Finish::matt(rgb(0.47, 0.29, 0.15) * (0.6 + 0.4 * tone + 0.3 * grain))
            }
            Self::Rock => {
                let tone = fbm(p * 5.0, 5);
                Finish::matt(rgb(0.26, 0.16, 0.10) * (0.35 + 1.3 * tone))
            }
            Self::Leaves => litter(p, [rgb(0.09, 0.075, 0.03), rgb(0.06, 0.10, 0.02)]),
            Self::AutumnLeaves => litter(p, [rgb(0.42, 0.11, 0.015), rgb(0.50, 0.27, 0.03)]),
            Self::Bark => {
                let ridge = fbm(p * Vec3::new(22.0, 3.0, 22.0), 3);
                let moss = smoothstep(0.5, 0.7, fbm(p * 2.5, 3));
                let bark = rgb(0.10, 0.07, 0.05) * (0.25 + 1.5 * ridge);
                Finish::matt(bark.lerp(rgb(0.06, 0.085, 0.02), 0.7 * moss))
            }
            Self::Snow => Finish::glossy(rgb(0.80, 0.83, 0.88) * (0.86 + 0.14 * fbm(p * 9.0, 3)), 0.6),
            Self::Needles => {
                let snowy = smoothstep(0.42, 0.62, fbm(p * 4.0, 3));
                let green = rgb(0.02, 0.04, 0.025) * (0.4 + 1.4 * fbm(p * 16.0, 2));
                Finish::matt(green.lerp(Vec3::splat(0.75), snowy))
            }
            Self::Iron => Finish::metal(Vec3::splat(0.08 + 0.08 * fbm(p * 9.0, 3)), 0.45),
            Self::Copper => Finish::metal(rgb(0.70, 0.36, 0.2), 0.3 + 0.2 * fbm(p * 30.0, 2)),
            Self::Enamel => worn_paint(rgb(0.05, 0.22, 0.25), p),
            Self::Lamp => Finish::glowing(rgb(14.0, 7.6, 2.9)),
        }
    }

    /// The height of the fine relief at `p`, in scene units; it only bends the normal.
    pub fn relief(self, p: Vec3) -> f32 {
        match self {
            Self::Paint | Self::Trim => 0.0012 * fbm(p * 26.0, 2),
            Self::Wool | Self::Blanket => {
                let wander = 3.0 * fbm(p * 9.0, 2);
                0.0022 * (p.x * 150.0 + p.z * 110.0 + wander).sin() * (p.y * 190.0 + wander).sin()
                    + 0.007 * fbm(p * 70.0, 2)
            }
            Self::Canvas => 0.0012 * ((p.x * 330.0).sin() * (p.y * 330.0).sin()) + 0.01 * fbm(p * 9.0, 2),
            Self::Leather => 0.002 * fbm(p * 50.0, 2),
            Self::Plaster => 0.012 * fbm(p * 6.0, 4),
            Self::Facade => 0.02 * fbm(p * 5.0, 3),
            Self::Brick => 0.012 * (1.0 - mortar(p)) + 0.008 * fbm(p * 22.0, 3),
            Self::Concrete => 0.004 * fbm(p * 18.0, 3),
            Self::Planks => 0.006 * plank_edge(p, 0.24) + 0.0015 * fbm(p * Vec3::new(3.0, 40.0, 40.0), 2),
            Self::Timber => 0.002 * fbm(p * Vec3::new(4.0, 40.0, 40.0), 2),
            Self::Asphalt => {
                let dry = 1.0 - smoothstep(0.44, 0.60, fbm(p * 1.3, 3));
                0.006 * dry * value_noise(p * 45.0) + 0.001 * value_noise(p * 9.0)
            }
            Self::Sand => {
                let wander = 2.4 * fbm(p * 0.9, 2);
                0.012 * ((p.x * 0.5 + p.z) * 17.0 + 5.0 * wander).sin() + 0.006 * fbm(p * 30.0, 2)
            }
            Self::Rock => 0.05 * fbm(p * 7.0, 4),
            Self::Leaves | Self::AutumnLeaves => {
                // Every leaf lies at its own tilt.
                let leaf = leaf_at(p);
                0.03 * leaf.id + 0.035 * leaf.offset.dot(Vec2::from_angle(40.0 * leaf.id))
            }
            Self::Bark => 0.035 * fbm(p * Vec3::new(22.0, 3.0, 22.0), 3),
            Self::Snow => 0.05 * fbm(p * 2.2, 3) + 0.004 * value_noise(p * 60.0),
            Self::Needles => 0.08 * fbm(p * 14.0, 2),
            _ => 0.0,
        }
    }
}
