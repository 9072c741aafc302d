//! The places where the character is photographed: their floors, walls and windows.

use glam::Vec3;

use super::camera::Ray;
use super::material::Material;
use super::noise::{fbm, lattice, smoothstep};

/// A place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Setting {
    /// A studio with a plain backdrop.
    Studio,
    /// The same studio with flat light from the front.
    Booth,
    /// A brick workshop with a bench.
    Workshop,
    /// A desert when the sun is low.
    Desert,
    /// A wet street at night, with lamps.
    Street,
    /// A wood in summer.
    Forest,
    /// A wood in autumn.
    Autumn,
    /// Snow, and firs.
    Snow,
    /// A room with sunlight from a window.
    Window,
    /// An alley between brick walls, by day.
    Alley,
}

/// A flat surface: points with `normal · p = offset`.
#[derive(Debug, Clone, Copy)]
pub struct Plane {
    pub normal: Vec3,
    pub offset: f32,
    pub material: Material,
}

const fn floor(material: Material) -> Plane {
    Plane { normal: Vec3::Y, offset: 0.0, material }
}

const fn plane(normal: Vec3, offset: f32, material: Material) -> Plane {
    Plane { normal, offset, material }
}

/// The window of [`Setting::Window`]: in the wall x = −2.4, from z = −1.3 to 0.7 and y = 0.7 to 2.5.
pub const WINDOW_WALL: f32 = -2.4;

impl Setting {
    /// Floor and walls.
    pub fn planes(self) -> &'static [Plane] {
        match self {
            Self::Studio | Self::Booth => {
                const { &[floor(Material::Seamless), plane(Vec3::Z, -2.3, Material::Seamless)] }
            }
            Self::Workshop => {
                const {
                    &[
                        floor(Material::Concrete),
                        plane(Vec3::Z, -2.7, Material::Brick),
                        plane(Vec3::X, -3.2, Material::Brick),
                    ]
                }
            }
            Self::Desert => const { &[floor(Material::Sand)] },
            Self::Street => {
                const {
                    &[
                        floor(Material::Asphalt),
                        plane(Vec3::X, -3.4, Material::Facade),
                        plane(Vec3::NEG_X, -3.6, Material::Facade),
                    ]
                }
            }
            Self::Forest => const { &[floor(Material::Leaves)] },
            Self::Autumn => const { &[floor(Material::AutumnLeaves)] },
            Self::Snow => const { &[floor(Material::Snow)] },
            Self::Window => {
                const {
                    &[
                        floor(Material::Planks),
                        plane(Vec3::Z, -2.2, Material::Plaster),
                        plane(Vec3::X, WINDOW_WALL, Material::Plaster),
                    ]
                }
            }
            Self::Alley => {
                const {
                    &[
                        floor(Material::Asphalt),
                        plane(Vec3::X, -1.7, Material::Brick),
                        plane(Vec3::NEG_X, -3.1, Material::Plaster),
                    ]
                }
            }
        }
    }

    /// What a wall shows at `p` instead of its own material, e.g. window panes.
    pub fn wall_opening(self, p: Vec3) -> Option<Vec3> {
        match self {
            Self::Street if p.y > 0.25 => lit_window(p),
            Self::Window if p.x < WINDOW_WALL + 0.01 => {
                let glass = window_light(p);
                (glass > 0.5).then(|| {
                    let garden = fbm(p * 2.4, 4);
                    Vec3::new(2.6, 2.8, 2.7).lerp(Vec3::new(0.9, 1.3, 0.5), smoothstep(0.4, 0.6, garden))
                })
            }
            _ => None,
        }
    }

    /// How much of the main light enters from `p` towards `to_light`: windows cast bars, leaves cast dapples.
    pub fn gobo(self, p: Vec3, to_light: Vec3) -> f32 {
        match self {
            Self::Window if to_light.x < 0.0 => window_light(p + to_light * ((WINDOW_WALL - p.x) / to_light.x)),
            Self::Forest | Self::Autumn => {
                let canopy = p + to_light * ((4.0 - p.y) / to_light.y);
                0.12 + 0.88 * smoothstep(0.42, 0.58, fbm(canopy * 1.5, 3))
            }
            _ => 1.0,
        }
    }
}

/// 1 where the window's panes are, 0 on its bars and around it, with soft edges.
fn window_light(p: Vec3) -> f32 {
    let (u, v) = ((p.z + 1.3) / 2.0, (p.y - 0.7) / 1.8);
    let soft = |x: f32, margin: f32| smoothstep(0.0, 0.02, x - margin);
    let inside = soft(u, 0.0) * soft(1.0 - u, 0.0) * soft(v, 0.0) * soft(1.0 - v, 0.0);
    let bar = |x: f32, count: f32| {
        let cell = (x * count).rem_euclid(1.0);
        soft(cell.min(1.0 - cell), 0.05)
    };
    inside * bar(u, 3.0) * bar(v, 3.0)
}

/// The light of a street window; about half of them are lit, in different colours.
fn lit_window(p: Vec3) -> Option<Vec3> {
    let (along, up) = (p.z / 1.15, p.y / 1.25 - 0.2);
    let (u, v) = (along.rem_euclid(1.0), up.rem_euclid(1.0));
    let chance = lattice(Vec3::new(along.floor(), up.floor(), p.x.signum()).as_ivec3());
    let in_pane = (0.22..0.78).contains(&u) && (0.2..0.85).contains(&v) && (u - 0.5).abs() > 0.025;
    let warm = Vec3::new(1.5, 0.75, 0.26).lerp(Vec3::new(0.35, 0.75, 1.1), smoothstep(0.75, 0.85, chance));
    (in_pane && chance > 0.45).then(|| warm * (0.35 + 1.1 * fbm(p * 3.0, 3)) * chance)
}

/// The distance to the nearest plane that the ray meets from its front, with that plane.
pub fn nearest_plane(planes: &'static [Plane], ray: Ray) -> Option<(f32, &'static Plane)> {
    planes
        .iter()
        .filter_map(|plane| {
            let approach = -plane.normal.dot(ray.direction);
            let distance = (plane.normal.dot(ray.origin) - plane.offset) / approach;
            (approach > 1e-5 && distance > 0.0).then_some((distance, plane))
        })
        .min_by(|a, b| a.0.total_cmp(&b.0))
}
