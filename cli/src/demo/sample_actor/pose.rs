//! How the character holds itself, and where that puts its joints.

use glam::{Mat3, Vec3};

use super::distance_field::Frame;

/// One arm; angles in degrees, all zero when it hangs straight down.
#[derive(Debug, Clone, Copy)]
pub struct Arm {
    /// Swing forward at the shoulder.
    pub forward: f32,
    /// Lift away from the body.
    pub outward: f32,
    /// Bend of the elbow.
    pub bend: f32,
}

/// One leg; angles in degrees, both zero when it is straight below the hip.
#[derive(Debug, Clone, Copy)]
pub struct Leg {
    /// Swing forward at the hip.
    pub forward: f32,
    /// Bend of the knee.
    pub bend: f32,
}

/// The attitude of the whole character; angles in degrees, limbs as `[left, right]` from its own point of view.
#[derive(Debug, Clone, Copy)]
pub struct Pose {
    /// Turn about the vertical; 0 faces the +z axis, positive turns towards +x.
    pub heading: f32,
    /// Forward lean of the torso.
    pub lean: f32,
    /// Turn of the head relative to the torso, positive to the character's left.
    pub head_turn: f32,
    /// Nod of the head, positive downwards.
    pub head_nod: f32,
    /// Sideways tilt of the head, positive to the character's left.
    pub head_tilt: f32,
    /// Both arms.
    pub arms: [Arm; 2],
    /// Both legs.
    pub legs: [Leg; 2],
}

/// Three joints of a limb in world coordinates, and how its last part (hand or boot) is turned.
#[derive(Debug, Clone, Copy)]
pub struct Limb {
    pub root: Vec3,
    pub middle: Vec3,
    pub end: Vec3,
    pub rotation: Mat3,
}

/// The posed character's rigid parts in world coordinates.
#[derive(Debug, Clone, Copy)]
pub struct Skeleton {
    pub torso: Frame,
    pub head: Frame,
    pub arms: [Limb; 2],
    pub legs: [Limb; 2],
}

const UPPER_ARM: f32 = 0.22;
const FOREARM: f32 = 0.22;
const THIGH: f32 = 0.21;
const SHIN: f32 = 0.22;
/// Height of the ankle above the sole, and of the hips above the ground when sitting on it.
const ANKLE_HEIGHT: f32 = 0.115;
const SEAT_HEIGHT: f32 = 0.16;
/// Left, then right: the sign of x in the character's own coordinates.
const SIDES: [f32; 2] = [1.0, -1.0];

impl Skeleton {
    /// Poses the character on the ground (y = 0), its hips above the origin.
    pub fn new(pose: &Pose) -> Self {
        let hips = Mat3::from_rotation_y(pose.heading.to_radians());
        let chest = hips * Mat3::from_rotation_x(pose.lean.to_radians());
        let legs = [0, 1].map(|i| leg(hips, SIDES[i], pose.legs[i]));
        let lowest = legs.iter().fold(-SEAT_HEIGHT, |low, leg| low.min(leg.end.y - ANKLE_HEIGHT));
        let lift = Vec3::new(0.0, -lowest, 0.0);

        let torso = Frame { origin: lift + chest * Vec3::new(0.0, 0.30, 0.0), rotation: chest };
        let head = Frame {
            origin: torso.to_world(Vec3::new(0.0, 0.50, 0.015)),
            rotation: chest
                * Mat3::from_rotation_y(pose.head_turn.to_radians())
                * Mat3::from_rotation_z(-pose.head_tilt.to_radians())
                * Mat3::from_rotation_x(pose.head_nod.to_radians()),
        };
        Self {
            torso,
            head,
            arms: [0, 1].map(|i| arm(torso, SIDES[i], pose.arms[i])),
            legs: legs.map(|leg| Limb { root: leg.root + lift, middle: leg.middle + lift, end: leg.end + lift, ..leg }),
        }
    }
}

fn arm(torso: Frame, side: f32, arm: Arm) -> Limb {
    let upper = torso.rotation
        * Mat3::from_rotation_z(side * arm.outward.to_radians())
        * Mat3::from_rotation_x(-arm.forward.to_radians());
    let rotation = upper * Mat3::from_rotation_x(-arm.bend.to_radians());
    let root = torso.to_world(Vec3::new(side * 0.295, 0.13, 0.0));
    let middle = root - upper.y_axis * UPPER_ARM;
    Limb { root, middle, end: middle - rotation.y_axis * FOREARM, rotation }
}

/// A leg below hips at the origin.
fn leg(hips: Mat3, side: f32, leg: Leg) -> Limb {
    let splay = hips * Mat3::from_rotation_z(side * 5f32.to_radians());
    let thigh = splay * Mat3::from_rotation_x(-leg.forward.to_radians());
    let shin = splay * Mat3::from_rotation_x((leg.bend - leg.forward).to_radians());
    let root = hips * Vec3::new(side * 0.125, 0.0, 0.0);
    let middle = root - thigh.y_axis * THIGH;
    // The ankle gives, so a boot is pitched less than its shin, and its toes point a little outwards.
    let pitch = 0.6 * (leg.bend - leg.forward).to_radians();
    let toes = Mat3::from_rotation_y(side * 12f32.to_radians());
    Limb { root, middle, end: middle - shin.y_axis * SHIN, rotation: hips * toes * Mat3::from_rotation_x(pitch) }
}
