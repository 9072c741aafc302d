//! The things that stand around in every place.

use glam::{IVec3, Vec2, Vec3};

use super::distance_field::{Surface, capsule, cylinder, rounded_box, sphere};
use super::material::Material;
use super::noise::{fbm, lattice};
use super::setting::{Setting, WINDOW_WALL};

/// Where trunks and trees stand (x, z), how thick they are and how far they lean; the clearing in the middle is for the character.
const TREES: [(f32, f32, f32, f32); 13] = [
    (-1.5, -1.6, 0.20, 0.053),
    (1.9, -2.3, 0.26, 0.040),
    (0.3, -4.2, 0.30, 0.052),
    (-3.1, -3.3, 0.24, -0.017),
    (3.6, -4.8, 0.22, 0.004),
    (-1.6, -6.2, 0.28, 0.059),
    (-4.4, -0.6, 0.30, 0.035),
    (4.6, -1.0, 0.25, 0.042),
    (1.9, -7.4, 0.3, 0.040),
    (-5.4, -6.0, 0.33, -0.006),
    (6.1, -6.6, 0.3, -0.058),
    (-2.9, 1.9, 0.17, -0.060),
    (-0.6, -9.5, 0.35, 0.052),
];

/// Street lamps (x, z): posts with a lamp on top.
const LAMPS: [(f32, f32); 5] = [(-1.9, -2.6), (2.3, -4.6), (-2.2, -8.0), (2.4, -11.5), (-2.2, -16.0)];
const LAMP_HEIGHT: f32 = 2.5;

impl Setting {
    /// The nearest of the place's solids.
    pub fn props(self, p: Vec3) -> Surface {
        match self {
            Self::Studio | Self::Booth => Surface::new(f32::MAX, Material::Seamless),
            Self::Workshop => workshop_props(p),
            Self::Desert => desert_props(p),
            Self::Street => street_props(p),
            Self::Forest | Self::Autumn => trunks(p),
            Self::Snow => firs(p),
            Self::Window => window_props(p),
            Self::Alley => alley_props(p),
        }
    }
}

fn workshop_props(p: Vec3) -> Surface {
    let crate_at = p - Vec3::new(-1.9, 0.3, -1.9);
    let barrel = cylinder(p - Vec3::new(-2.6, 0.45, -0.6), 0.34, 0.45);
    let cord = capsule(p, Vec3::new(-0.8, 2.35, -1.6), Vec3::new(-0.8, 5.0, -1.6), 0.012);
    let nearest = Surface::new(barrel.min(cord), Material::Iron)
        .or(sphere(p - Vec3::new(-0.8, 2.25, -1.6), 0.11), Material::Lamp)
        .or(rounded_box(crate_at, Vec3::new(0.42, 0.3, 0.36), 0.02), Material::Timber);
    let around_bench = rounded_box(p - Vec3::new(0.6, 1.05, -2.25), Vec3::new(1.75, 1.1, 0.45), 0.0);
    if around_bench > 0.3 {
        return nearest.or(around_bench, Material::Timber);
    }
    let bench = bench(p - Vec3::new(0.6, 0.0, -2.25));
    nearest.or(bench.distance, bench.material)
}

/// A workbench, a shelf above it, and tins and boxes on both.
fn bench(p: Vec3) -> Surface {
    let top = rounded_box(p - Vec3::new(0.0, 0.82, 0.0), Vec3::new(1.7, 0.045, 0.42), 0.01);
    let legs = Vec3::new(p.x.abs() - 1.5, p.y - 0.4, p.z.abs() - 0.32);
    let shelf = rounded_box(p - Vec3::new(0.2, 1.75, -0.22), Vec3::new(1.3, 0.03, 0.2), 0.01);
    let wood = top.min(shelf).min(rounded_box(legs, Vec3::new(0.06, 0.4, 0.06), 0.01));
    let mut nearest = Surface::new(wood, Material::Timber);
    for (index, x) in [-1.4f32, -1.05, -0.5, -0.2, 0.35, 0.7, 1.2].into_iter().enumerate() {
        let size = 0.08 + 0.09 * lattice(IVec3::new(index as i32, 7, 2));
        let tin = cylinder(p - Vec3::new(x, 0.865 + size, 0.05), size * 0.6, size);
        let carton = rounded_box(p - Vec3::new(x * 0.75, 1.78 + size, -0.22), Vec3::splat(size), 0.015);
        let (metal, cover) =
            if index % 2 == 0 { (Material::Iron, Material::Enamel) } else { (Material::Copper, Material::Timber) };
        nearest = nearest.or(tin, metal).or(carton, cover);
    }
    nearest
}

fn boulder(p: Vec3, centre: Vec3, radius: f32) -> f32 {
    let bound = sphere(p - centre, radius);
    if bound > 0.5 { bound - 0.2 } else { 0.7 * (bound + 0.45 * radius * (fbm(p * 2.1 / radius, 3) - 0.5)) }
}

fn desert_props(p: Vec3) -> Surface {
    let rocks = boulder(p, Vec3::new(-1.5, 0.05, -1.3), 0.55)
        .min(boulder(p, Vec3::new(-0.85, 0.0, -1.6), 0.28))
        .min(boulder(p, Vec3::new(2.3, 0.1, -3.4), 0.9))
        .min(boulder(p, Vec3::new(1.3, -0.03, 0.5), 0.16));
    Surface::new(rocks, Material::Rock)
}

fn street_props(p: Vec3) -> Surface {
    let mut nearest = Surface::new(f32::MAX, Material::Iron);
    for (x, z) in LAMPS {
        let (foot, top) = (Vec3::new(x, 0.0, z), Vec3::new(x, LAMP_HEIGHT, z));
        nearest = nearest.or(capsule(p, foot, top, 0.045), Material::Iron).or(sphere(p - top, 0.15), Material::Lamp);
    }
    let kerb =
        rounded_box(Vec3::new(p.x.abs() - 3.2, p.y, (p.z + 10.0).abs() - 10.0), Vec3::new(0.75, 0.12, 12.0), 0.03);
    nearest.or(kerb, Material::Concrete)
}

fn trunks(p: Vec3) -> Surface {
    let mut distance = f32::MAX;
    for (x, z, radius, lean) in TREES {
        let around = Vec2::new(p.x - x - lean * p.y, p.z - z).length();
        distance = distance.min(around - radius);
    }
    let root = 0.12 / (1.0 + 14.0 * p.y.max(0.0));
    Surface::new(0.9 * (distance - root), Material::Bark)
}

fn firs(p: Vec3) -> Surface {
    let mut distance = f32::MAX;
    let tier = 0.12 * (p.y * 9.0).sin().abs();
    for (x, z, radius, _) in TREES.into_iter().filter(|tree| tree.1 < -2.0) {
        let (x, z, height) = (1.5 * x, 1.7 * z - 1.0, 9.0 * radius + 1.0);
        let around = Vec2::new(p.x - x, p.z - z).length();
        let cone = around - (3.4 * radius) * (1.0 - p.y / height) - tier;
        distance = distance.min((0.75 * cone).max(p.y - height));
    }
    Surface::new(distance, Material::Needles)
}

fn window_props(p: Vec3) -> Surface {
    let q = p - Vec3::new(1.25, 0.0, -1.55);
    let seat = rounded_box(q - Vec3::new(0.0, 0.5, 0.0), Vec3::new(0.55, 0.05, 0.38), 0.03);
    let leg =
        rounded_box(Vec3::new(q.x.abs() - 0.48, q.y - 0.24, q.z.abs() - 0.3), Vec3::new(0.035, 0.24, 0.035), 0.01);
    let sill = rounded_box(p - Vec3::new(WINDOW_WALL, 0.66, -0.3), Vec3::new(0.14, 0.035, 1.1), 0.01);
    let books = rounded_box(q - Vec3::new(-0.1, 0.62, 0.0), Vec3::new(0.2, 0.07, 0.15), 0.01);
    Surface::new(seat.min(leg).min(sill), Material::Timber)
        .or(books, Material::Enamel)
        .or(cylinder(q - Vec3::new(0.3, 0.67, 0.05), 0.09, 0.12), Material::Copper)
        .or(boulder(p, Vec3::new(1.34, 1.0, -1.5), 0.22), Material::Leaves)
}

fn alley_props(p: Vec3) -> Surface {
    let pipe = capsule(p, Vec3::new(-1.62, -1.0, -1.2), Vec3::new(-1.62, 6.0, -1.2), 0.06);
    let boxes = rounded_box(p - Vec3::new(-1.25, 0.28, -2.2), Vec3::new(0.36, 0.28, 0.4), 0.015).min(rounded_box(
        p - Vec3::new(-1.3, 0.76, -2.3),
        Vec3::new(0.28, 0.2, 0.28),
        0.015,
    ));
    let bin = cylinder(p - Vec3::new(2.5, 0.5, -3.2), 0.38, 0.5);
    let end = rounded_box(p - Vec3::new(0.0, 1.2, -12.0), Vec3::new(5.0, 1.2, 0.5), 0.02);
    Surface::new(pipe.min(bin), Material::Iron).or(boxes, Material::Timber).or(end, Material::Brick)
}
