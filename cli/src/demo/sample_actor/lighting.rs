//! The light of every place: sun or softbox, sky, lamps and haze.

use glam::Vec3;

use super::noise::{fbm, smoothstep};
use super::setting::Setting;

/// A small light whose irradiance falls with the square of the distance.
#[derive(Debug, Clone, Copy)]
pub struct Lamp {
    pub position: Vec3,
    /// Irradiance at one unit's distance, linear RGB.
    pub colour: Vec3,
}

/// How a place is lit; colours are linear RGB, and 1 is about as bright as white paper.
#[derive(Debug, Clone)]
pub struct Lighting {
    /// Unit vector to the main light.
    pub to_key: Vec3,
    /// Irradiance from the main light.
    pub key: Vec3,
    /// Apparent size of the main light: the tangent of its angular radius. Larger means softer shadows.
    pub key_size: f32,
    /// Light from above and from below.
    pub above: Vec3,
    pub below: Vec3,
    /// Colour and density (per unit of distance) of the haze.
    pub haze: Vec3,
    pub haze_density: f32,
    pub lamps: Vec<Lamp>,
    /// Factor that brings the picture to a middling brightness.
    pub exposure: f32,
}

const fn rgb(r: f32, g: f32, b: f32) -> Vec3 {
    Vec3::new(r, g, b)
}

impl Setting {
    pub fn lighting(self) -> Lighting {
        let light = |to_key: Vec3, key: Vec3, key_size, above, below| Lighting {
            to_key: to_key.normalize(),
            key,
            key_size,
            above,
            below,
            haze: Vec3::ZERO,
            haze_density: 0.0,
            lamps: Vec::new(),
            exposure: 1.0,
        };
        match self {
            Self::Studio => Lighting {
                lamps: vec![
                    Lamp { position: rgb(-2.2, 2.0, -1.4), colour: rgb(1.5, 1.9, 2.4) },
                    Lamp { position: rgb(0.9, 1.6, -1.5), colour: rgb(0.55, 0.5, 0.45) },
                ],
                exposure: 1.05,
                ..light(rgb(0.75, 0.85, 0.75), rgb(1.75, 1.65, 1.5), 0.22, rgb(0.34, 0.36, 0.40), rgb(0.16, 0.14, 0.12))
            },
            Self::Booth => {
                light(rgb(0.0, 0.45, 1.0), rgb(1.7, 1.65, 1.55), 0.12, rgb(0.45, 0.45, 0.46), rgb(0.22, 0.21, 0.2))
            }
            Self::Workshop => Lighting {
                lamps: vec![Lamp { position: rgb(-0.8, 2.1, -1.5), colour: rgb(2.3, 1.25, 0.5) }],
                haze: rgb(0.20, 0.17, 0.14),
                haze_density: 0.02,
                exposure: 1.1,
                ..light(rgb(0.9, 0.75, 0.65), rgb(1.7, 1.65, 1.55), 0.14, rgb(0.20, 0.21, 0.23), rgb(0.09, 0.07, 0.055))
            },
            Self::Desert => Lighting {
                haze: rgb(0.85, 0.50, 0.30),
                haze_density: 0.022,
                exposure: 0.92,
                ..light(
                    rgb(-0.85, 0.28, 0.25),
                    rgb(2.7, 1.45, 0.62),
                    0.03,
                    rgb(0.24, 0.27, 0.40),
                    rgb(0.24, 0.14, 0.08),
                )
            },
            Self::Street => Lighting {
                lamps: vec![
                    Lamp { position: rgb(-1.75, 2.5, -2.3), colour: rgb(3.6, 2.0, 0.8) },
                    Lamp { position: rgb(2.3, 2.5, -4.4), colour: rgb(3.0, 1.7, 0.7) },
                    Lamp { position: rgb(2.3, 2.3, 2.2), colour: rgb(5.0, 3.9, 2.7) },
                ],
                haze: rgb(0.035, 0.05, 0.065),
                haze_density: 0.05,
                exposure: 1.75,
                ..light(
                    rgb(0.5, 0.9, 0.35),
                    rgb(0.10, 0.14, 0.22),
                    0.25,
                    rgb(0.045, 0.06, 0.085),
                    rgb(0.03, 0.025, 0.02),
                )
            },
            Self::Forest => Lighting {
                haze: rgb(0.32, 0.38, 0.24),
                haze_density: 0.06,
                exposure: 1.3,
                ..light(rgb(0.55, 0.95, 0.2), rgb(2.2, 2.0, 1.45), 0.06, rgb(0.20, 0.25, 0.17), rgb(0.07, 0.065, 0.04))
            },
            Self::Autumn => Lighting {
                haze: rgb(0.75, 0.42, 0.16),
                haze_density: 0.045,
                exposure: 1.05,
                ..light(
                    rgb(-0.75, 0.6, -0.35),
                    rgb(3.0, 2.0, 1.05),
                    0.05,
                    rgb(0.34, 0.30, 0.24),
                    rgb(0.20, 0.11, 0.045),
                )
            },
            Self::Snow => Lighting {
                haze: rgb(0.66, 0.72, 0.80),
                haze_density: 0.05,
                exposure: 0.80,
                ..light(rgb(0.8, 0.5, 0.45), rgb(1.7, 1.42, 1.05), 0.06, rgb(0.33, 0.40, 0.54), rgb(0.26, 0.28, 0.32))
            },
            Self::Window => Lighting {
                haze: rgb(0.30, 0.26, 0.20),
                haze_density: 0.02,
                exposure: 1.25,
                ..light(rgb(-0.80, 0.56, 0.10), rgb(3.6, 3.0, 2.1), 0.03, rgb(0.30, 0.29, 0.28), rgb(0.20, 0.14, 0.085))
            },
            Self::Alley => Lighting {
                haze: rgb(0.62, 0.68, 0.76),
                haze_density: 0.035,
                exposure: 1.15,
                ..light(rgb(0.35, 0.9, 0.45), rgb(1.45, 1.38, 1.25), 0.16, rgb(0.36, 0.40, 0.46), rgb(0.10, 0.09, 0.08))
            },
        }
    }

    /// The light that comes from a direction in which there is nothing, for the background and for reflections.
    pub fn sky(self, d: Vec3) -> Vec3 {
        let up = d.y.max(0.0);
        match self {
            Self::Booth => rgb(0.20, 0.19, 0.18) + Vec3::splat(2.0) * softbox(d, rgb(0.0, 0.5, 1.0)),
            Self::Studio => rgb(0.20, 0.19, 0.18) + Vec3::splat(3.0) * softbox(d, rgb(0.6, 0.65, 0.6)),
            Self::Workshop => rgb(0.13, 0.11, 0.10) + rgb(2.6, 2.7, 2.8) * softbox(d, rgb(0.75, 0.5, 0.55)),
            Self::Window => rgb(0.20, 0.17, 0.14) + rgb(3.0, 3.0, 2.8) * softbox(d, rgb(-1.0, 0.35, 0.0)),
            Self::Desert => desert_sky(d, up),
            Self::Street => {
                let glow = rgb(0.11, 0.09, 0.085).lerp(rgb(0.010, 0.018, 0.035), up.sqrt());
                glow * (0.6 + 0.8 * fbm(d * 3.0, 4))
            }
            Self::Forest => foliage(d, rgb(0.055, 0.10, 0.03), rgb(0.75, 0.95, 0.60), 0.56),
            Self::Autumn => foliage(d, rgb(0.55, 0.20, 0.03), rgb(1.5, 1.05, 0.55), 0.50),
            Self::Snow => {
                let cloud = fbm(d * Vec3::new(2.0, 5.0, 2.0), 4);
                rgb(0.72, 0.77, 0.84).lerp(rgb(0.40, 0.50, 0.66), up) * (0.82 + 0.35 * cloud)
            }
            Self::Alley => {
                let cloud = smoothstep(0.4, 0.7, fbm(d * Vec3::new(2.0, 4.0, 2.0), 5));
                rgb(0.45, 0.60, 0.82).lerp(rgb(0.95, 0.95, 0.94), (1.0 - up).powi(3).max(cloud))
            }
        }
    }
}

/// A large bright rectangle with soft edges around the direction `centre`.
fn softbox(d: Vec3, centre: Vec3) -> f32 {
    let forward = centre.normalize();
    let right = forward.cross(Vec3::Y).normalize();
    let (x, y) = (d.dot(right), d.dot(right.cross(forward)));
    let edge = |x: f32, half: f32| smoothstep(half + 0.05, half - 0.02, x.abs());
    if d.dot(forward) > 0.0 { edge(x, 0.32) * edge(y, 0.45) } else { 0.0 }
}

/// A gradient from orange to blue, a sun's glow, streaks of cloud, and two ridges of dunes.
fn desert_sky(d: Vec3, up: f32) -> Vec3 {
    let gradient = rgb(1.25, 0.62, 0.28).lerp(rgb(0.24, 0.33, 0.56), smoothstep(0.0, 0.42, up));
    let sun = d.dot(Setting::Desert.lighting().to_key).max(0.0);
    let streak = smoothstep(0.5, 0.75, fbm(d * Vec3::new(2.5, 16.0, 2.5), 4));
    let sky = gradient
        + rgb(1.6, 0.8, 0.3) * (0.7 * sun.powi(6) + 4.0 * sun.powi(200))
        + rgb(0.55, 0.25, 0.16) * streak * (1.0 - up);
    let ridge = |scale: f32, height: f32| {
        let crest = height * fbm(Vec3::new(d.x, 0.0, d.z) * scale + scale, 3) - 0.3 * height;
        smoothstep(0.004, -0.004, d.y - crest)
    };
    let far = sky.lerp(rgb(0.50, 0.29, 0.22), ridge(2.2, 0.24));
    far.lerp(rgb(0.36, 0.19, 0.12), ridge(3.1, 0.13))
}

/// Leaves before a bright sky, more of them near the horizon.
fn foliage(d: Vec3, leaves: Vec3, sky: Vec3, density: f32) -> Vec3 {
    let clump = fbm(d * 6.0, 3);
    let gap = smoothstep(density, density + 0.16, fbm(d * 22.0, 3) * 0.7 + 0.3 * clump + 0.12 * d.y);
    let shade = 0.35 + 1.3 * fbm(d * 13.0 + 4.0, 3);
    (leaves * shade).lerp(sky, gap)
}
