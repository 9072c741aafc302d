//! The sample actor: a small scout robot with a red scarf, a rucksack and one antenna.

use glam::{Vec3, Vec3Swizzles};

use super::distance_field::{Surface, capsule, cylinder, ellipsoid, rounded_box, sphere, tapered_rod, torus};
use super::material::Material;
use super::pose::{Limb, Pose, Skeleton};

/// The posed character as a solid.
#[derive(Debug, Clone, Copy)]
pub struct Character {
    skeleton: Skeleton,
    /// Spheres around torso, head, arms and legs; outside them the distance to the sphere does.
    bounds: [Sphere; PARTS],
}

#[derive(Debug, Clone, Copy)]
struct Sphere {
    centre: Vec3,
    radius: f32,
}

impl Sphere {
    fn distance(self, p: Vec3) -> f32 {
        sphere(p - self.centre, self.radius)
    }
}

const PARTS: usize = 6;
/// Radius of a sphere around the torso's middle that holds the whole character.
const WHOLE: f32 = 1.15;

impl Character {
    pub fn new(pose: &Pose) -> Self {
        let skeleton = Skeleton::new(pose);
        let Skeleton { torso, head, arms, legs } = &skeleton;
        let around = |centre, radius| Sphere { centre, radius };
        let bounds = [
            around(torso.to_world(Vec3::new(0.0, -0.02, -0.1)), 0.47),
            around(head.to_world(Vec3::new(0.04, 0.05, 0.0)), 0.47),
            around(arms[0].middle.lerp(arms[0].end, 0.3), 0.36),
            around(arms[1].middle.lerp(arms[1].end, 0.3), 0.36),
            around(legs[0].middle.lerp(legs[0].end, 0.3), 0.38),
            around(legs[1].middle.lerp(legs[1].end, 0.3), 0.38),
        ];
        Self { skeleton, bounds }
    }

    /// A point in the coordinates of the torso, to which textures stick.
    pub fn to_local(self, p: Vec3) -> Vec3 {
        self.skeleton.torso.to_local(p)
    }

    /// A direction in the coordinates of the torso, in those of the scene.
    pub fn to_world(self, direction: Vec3) -> Vec3 {
        self.skeleton.torso.rotation * direction
    }

    /// The middle of the face, where a camera focuses.
    pub fn face(self) -> Vec3 {
        self.skeleton.head.to_world(Vec3::new(0.0, 0.0, 0.2))
    }

    /// The distance to the character from `p`: exact where it is less than `reach`, otherwise a lower bound.
    pub fn surface(&self, p: Vec3, reach: f32) -> Surface {
        let around = sphere(p - self.skeleton.torso.origin, WHOLE);
        if around > reach {
            return Surface::new(around, Material::Paint);
        }
        let bounds: [f32; PARTS] = std::array::from_fn(|part| self.bounds[part].distance(p));
        let first = (0..PARTS).fold(0, |best, part| if bounds[part] < bounds[best] { part } else { best });
        // The part whose sphere is nearest is looked at first: it usually makes the others superfluous.
        let mut nearest = self.part(first, bounds[first], p, reach);
        for (part, &bound) in bounds.iter().enumerate() {
            if part != first && bound < nearest.distance {
                let found = self.part(part, bound, p, reach);
                nearest = nearest.or(found.distance, found.material);
            }
        }
        nearest
    }

    fn part(&self, part: usize, bound: f32, p: Vec3, reach: f32) -> Surface {
        let Skeleton { torso, head, arms, legs } = &self.skeleton;
        match part {
            _ if bound > reach => Surface::new(bound, Material::Paint),
            0 => torso_surface(torso.to_local(p)),
            1 => head_surface(head.to_local(p)),
            2 | 3 => arm_surface(&arms[part - 2], p),
            _ => leg_surface(&legs[part - 4], p),
        }
    }
}

fn head_surface(p: Vec3) -> Surface {
    let mirrored = Vec3::new(p.x.abs(), p.y, p.z);
    let shell = rounded_box(p, Vec3::new(0.275, 0.19, 0.21), 0.11);
    let visor = rounded_box(p - Vec3::new(0.0, -0.01, 0.06), Vec3::new(0.215, 0.125, 0.168), 0.085);
    let rim = rounded_box(p - Vec3::new(0.0, -0.01, 0.05), Vec3::new(0.235, 0.145, 0.164), 0.1);
    let eye = ellipsoid(mirrored - Vec3::new(0.088, -0.005, 0.224), Vec3::new(0.04, 0.054, 0.014));
    let stripe = rounded_box(p - Vec3::new(-0.07, 0.14, -0.03), Vec3::new(0.05, 0.055, 0.155), 0.05);
    let ear = cylinder((mirrored - Vec3::new(0.285, 0.0, -0.01)).yxz(), 0.085, 0.035);
    let ear_cap = cylinder((mirrored - Vec3::new(0.315, 0.0, -0.01)).yxz(), 0.05, 0.02);
    let mast_tip = Vec3::new(0.37, 0.32, -0.06);
    let mast = capsule(p, Vec3::new(0.30, 0.03, -0.02), mast_tip, 0.011);
    Surface::new(shell, Material::Paint)
        .or(rim, Material::Steel)
        .or(visor, Material::Visor)
        .or(eye, Material::Eye)
        .or(stripe, Material::Trim)
        .or(ear, Material::Trim)
        .or(ear_cap, Material::Steel)
        .or(mast, Material::Steel)
        .or(sphere(p - mast_tip, 0.034), Material::Trim)
}

fn torso_surface(p: Vec3) -> Surface {
    let mirrored = Vec3::new(p.x.abs(), p.y, p.z);
    let shell = rounded_box(p, Vec3::new(0.245, 0.235, 0.185), 0.11);
    let hips = ellipsoid(p - Vec3::new(0.0, -0.25, 0.0), Vec3::new(0.2, 0.13, 0.155));
    let panel = rounded_box(p - Vec3::new(0.03, -0.045, 0.165), Vec3::new(0.135, 0.115, 0.035), 0.03);
    let gauge_centre = p - Vec3::new(-0.035, -0.03, 0.2);
    let gauge = cylinder(gauge_centre.xzy(), 0.05, 0.012);
    let gauge_rim = torus(gauge_centre.xzy(), 0.052, 0.011);
    let buttons = sphere(Vec3::new(p.x - 0.095, (p.y + 0.04).abs() - 0.03, p.z - 0.2), 0.017);
    // A slice of a slightly larger shell.
    let strap = (shell - 0.013).max((mirrored.x - 0.165).abs() - 0.024);
    let pack = rounded_box(p - Vec3::new(0.0, -0.02, -0.28), Vec3::new(0.2, 0.22, 0.11), 0.06);
    let pocket = rounded_box(p - Vec3::new(0.0, -0.1, -0.4), Vec3::new(0.13, 0.1, 0.05), 0.04);
    let roll = capsule(p, Vec3::new(-0.2, 0.25, -0.29), Vec3::new(0.2, 0.25, -0.29), 0.08);
    let neck = cylinder(p - Vec3::new(0.0, 0.28, 0.0), 0.09, 0.08);
    Surface::new(shell, Material::Paint)
        .or(hips, Material::Rubber)
        .or(panel, Material::Trim)
        .or(gauge, Material::Visor)
        .or(gauge_rim, Material::Brass)
        .or(buttons, Material::Brass)
        .or(strap, Material::Leather)
        .or(pack.min(pocket), Material::Canvas)
        .or(roll, Material::Blanket)
        .or(neck, Material::Rubber)
        .or(scarf(p), Material::Wool)
}

/// A scarf wound round the neck with one loose end over the character's left breast.
fn scarf(p: Vec3) -> f32 {
    let tilted = p - Vec3::new(0.0, 0.245 - 0.12 * p.z, 0.01);
    let winding = torus(tilted * Vec3::new(1.0, 1.15, 1.1), 0.165, 0.062) / 1.15;
    let knot = ellipsoid(p - Vec3::new(0.1, 0.2, 0.165), Vec3::new(0.06, 0.055, 0.05));
    let sway = Vec3::new(0.125 + 0.25 * (0.15 - p.y).max(0.0), 0.06, 0.205);
    let end = rounded_box(p - sway, Vec3::new(0.052, 0.15, 0.02), 0.018) * 0.9;
    winding.min(knot).min(end)
}

fn arm_surface(arm: &Limb, p: Vec3) -> Surface {
    let hand = arm.end - arm.rotation.y_axis * 0.06;
    let shoulder = sphere(p - arm.root, 0.088);
    let upper = capsule(p, arm.root, arm.middle, 0.045);
    let elbow = sphere(p - arm.middle, 0.058);
    let forearm = tapered_rod(p, arm.middle.lerp(arm.end, 0.25), arm.end, 0.06, 0.078);
    let finger = |offset: Vec3| {
        let knuckle = hand + arm.rotation * (offset - Vec3::Y * 0.035);
        let tip = hand + arm.rotation * (offset * 0.8 - Vec3::Y * 0.1 + Vec3::Z * 0.02);
        capsule(p, knuckle, tip, 0.023)
    };
    let fingers = finger(Vec3::new(0.04, 0.0, 0.02))
        .min(finger(Vec3::new(-0.04, 0.0, 0.02)))
        .min(finger(Vec3::new(0.0, 0.0, -0.045)));
    Surface::new(shoulder, Material::Trim)
        .or(upper, Material::Rubber)
        .or(elbow, Material::Steel)
        .or(forearm, Material::Paint)
        .or(sphere(p - hand, 0.058).min(fingers), Material::Steel)
}

fn leg_surface(leg: &Limb, p: Vec3) -> Surface {
    let thigh = capsule(p, leg.root, leg.middle, 0.062);
    let knee = sphere(p - leg.middle, 0.076);
    let shin = tapered_rod(p, leg.middle.lerp(leg.end, 0.3), leg.end, 0.066, 0.09);
    let q = p - leg.end;
    let foot = Vec3::new(leg.rotation.x_axis.dot(q), leg.rotation.y_axis.dot(q), leg.rotation.z_axis.dot(q));
    let boot = rounded_box(foot - Vec3::new(0.0, -0.045, 0.045), Vec3::new(0.092, 0.06, 0.15), 0.05);
    let sole = rounded_box(foot - Vec3::new(0.0, -0.095, 0.045), Vec3::new(0.1, 0.022, 0.158), 0.018);
    Surface::new(thigh, Material::Rubber)
        .or(knee, Material::Steel)
        .or(shin, Material::Paint)
        .or(boot, Material::Trim)
        .or(sole, Material::Rubber)
}
