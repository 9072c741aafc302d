//! The pictures of the sample: where the character is, what it does, and how it is framed.

use super::camera::Camera;
use super::pose::{Arm, Leg, Pose};
use super::render::Shot;
use super::setting::Setting;

const fn arm(forward: f32, outward: f32, bend: f32) -> Arm {
    Arm { forward, outward, bend }
}

const fn leg(forward: f32, bend: f32) -> Leg {
    Leg { forward, bend }
}

const STANDING: [Leg; 2] = [leg(6.0, 4.0), leg(-4.0, 6.0)];
const WALKING: [Leg; 2] = [leg(38.0, 22.0), leg(-24.0, 34.0)];
const SITTING: [Leg; 2] = [leg(84.0, 22.0), leg(96.0, 62.0)];

const fn camera(azimuth: f32, height: f32, distance: f32, look_at: f32, field_of_view: f32) -> Camera {
    Camera { azimuth, height, distance, look_at, field_of_view, framing: [0.0, 0.0], roll: 0.0, aperture: 0.0 }
}

const RELAXED: Pose = Pose {
    heading: 0.0,
    lean: 2.0,
    head_turn: 14.0,
    head_nod: 0.0,
    head_tilt: 5.0,
    arms: [arm(12.0, 14.0, 28.0), arm(-6.0, 16.0, 18.0)],
    legs: STANDING,
};

/// The base image: three-quarter view before a plain backdrop, one hand raised.
pub const BASE: Shot = Shot {
    setting: Setting::Studio,
    camera: Camera { framing: [0.03, -0.04], aperture: 0.008, ..camera(-8.0, 1.15, 5.2, 0.80, 23.0) },
    pose: Pose { heading: 30.0, arms: [arm(10.0, 14.0, 24.0), arm(-6.0, 48.0, 105.0)], ..RELAXED },
};

/// Good photographs, no two alike.
pub const PHOTOGRAPHS: [Shot; 9] = [
    Shot {
        setting: Setting::Workshop,
        camera: Camera { framing: [-0.45, -0.08], aperture: 0.040, ..camera(22.0, 1.35, 3.3, 1.0, 30.0) },
        pose: Pose {
            heading: 45.0,
            lean: 8.0,
            head_turn: 8.0,
            head_nod: 10.0,
            arms: [arm(48.0, 8.0, 55.0), arm(58.0, 6.0, 38.0)],
            ..RELAXED
        },
    },
    Shot {
        setting: Setting::Desert,
        camera: Camera { framing: [0.50, -0.12], aperture: 0.026, ..camera(-24.0, 0.75, 4.4, 0.80, 30.0) },
        pose: Pose {
            heading: -66.0,
            head_turn: -10.0,
            head_nod: -6.0,
            arms: [arm(34.0, 10.0, 30.0), arm(-30.0, 12.0, 20.0)],
            legs: WALKING,
            ..RELAXED
        },
    },
    Shot {
        setting: Setting::Street,
        camera: Camera { framing: [-0.52, -0.18], aperture: 0.042, ..camera(6.0, 1.1, 3.3, 1.0, 34.0) },
        pose: Pose {
            heading: 38.0,
            head_turn: 22.0,
            head_nod: -4.0,
            arms: [arm(20.0, 12.0, 95.0), arm(4.0, 16.0, 12.0)],
            ..RELAXED
        },
    },
    Shot {
        setting: Setting::Forest,
        camera: Camera { framing: [0.40, -0.10], aperture: 0.036, roll: 2.0, ..camera(-14.0, 1.3, 3.5, 0.85, 32.0) },
        pose: Pose {
            heading: 12.0,
            head_turn: -34.0,
            head_nod: -14.0,
            head_tilt: -8.0,
            arms: [arm(10.0, 18.0, 20.0), arm(95.0, 30.0, 30.0)],
            legs: WALKING,
            ..RELAXED
        },
    },
    Shot {
        setting: Setting::Autumn,
        camera: Camera { framing: [-0.30, 0.02], aperture: 0.042, ..camera(30.0, 0.75, 3.1, 0.58, 30.0) },
        pose: Pose {
            heading: 10.0,
            lean: -6.0,
            head_turn: 30.0,
            head_nod: 4.0,
            head_tilt: 10.0,
            arms: [arm(-22.0, 26.0, 14.0), arm(62.0, 4.0, 60.0)],
            legs: SITTING,
        },
    },
    Shot {
        setting: Setting::Snow,
        camera: Camera { framing: [0.46, -0.22], aperture: 0.028, ..camera(10.0, 1.25, 3.6, 0.95, 30.0) },
        pose: Pose {
            heading: -42.0,
            head_turn: 18.0,
            head_nod: -8.0,
            arms: [arm(14.0, 20.0, 40.0), arm(20.0, 125.0, 25.0)],
            ..RELAXED
        },
    },
    Shot {
        setting: Setting::Window,
        camera: Camera { framing: [0.42, -0.15], aperture: 0.050, ..camera(28.0, 1.2, 3.2, 0.95, 32.0) },
        pose: Pose {
            heading: -14.0,
            head_turn: -20.0,
            head_nod: -4.0,
            arms: [arm(6.0, 10.0, 12.0), arm(40.0, 8.0, 88.0)],
            ..RELAXED
        },
    },
    Shot {
        setting: Setting::Alley,
        camera: Camera { framing: [-0.38, -0.06], aperture: 0.032, roll: -2.0, ..camera(16.0, 0.5, 4.0, 0.85, 32.0) },
        pose: Pose {
            heading: 52.0,
            lean: 10.0,
            head_turn: -24.0,
            head_nod: -2.0,
            arms: [arm(-40.0, 12.0, 60.0), arm(52.0, 10.0, 70.0)],
            legs: [leg(52.0, 48.0), leg(-30.0, 52.0)],
            ..RELAXED
        },
    },
    Shot {
        setting: Setting::Studio,
        camera: Camera { framing: [-0.36, -0.10], aperture: 0.006, ..camera(14.0, 1.5, 3.3, 1.12, 24.0) },
        pose: Pose {
            heading: -36.0,
            head_turn: 26.0,
            head_nod: 8.0,
            head_tilt: 12.0,
            arms: [arm(70.0, 10.0, 110.0), arm(10.0, 18.0, 30.0)],
            ..RELAXED
        },
    },
];

/// Photographs that are going to be blurred.
pub const BLURRED: [Shot; 2] = [
    Shot {
        setting: Setting::Alley,
        camera: Camera { framing: [0.30, -0.10], aperture: 0.016, ..camera(-6.0, 1.3, 3.4, 0.9, 32.0) },
        pose: Pose { heading: -40.0, arms: [arm(20.0, 14.0, 70.0), arm(-10.0, 14.0, 20.0)], ..RELAXED },
    },
    Shot {
        setting: Setting::Desert,
        camera: Camera { framing: [-0.40, -0.05], aperture: 0.012, ..camera(18.0, 1.0, 3.2, 1.0, 30.0) },
        pose: Pose { heading: 55.0, head_turn: -20.0, arms: [arm(80.0, 20.0, 40.0), arm(0.0, 14.0, 16.0)], ..RELAXED },
    },
];

/// A photograph that is going to be underexposed.
pub const DARK: Shot = Shot {
    setting: Setting::Autumn,
    camera: Camera { framing: [0.36, -0.05], aperture: 0.012, ..camera(-4.0, 1.2, 3.8, 0.9, 32.0) },
    pose: Pose { heading: -50.0, head_turn: 12.0, ..RELAXED },
};

/// Straight into the camera, in the middle of the picture, limbs alike on both sides.
pub const PASSPORT: Shot = Shot {
    setting: Setting::Booth,
    camera: Camera { aperture: 0.004, ..camera(0.0, 1.25, 3.4, 1.18, 24.0) },
    pose: Pose {
        heading: 0.0,
        lean: 0.0,
        head_turn: 0.0,
        head_nod: 0.0,
        head_tilt: 0.0,
        arms: [arm(0.0, 10.0, 10.0); 2],
        legs: [leg(0.0, 0.0); 2],
    },
};

/// What the drawings are made from. Figures in the studio get a new background, the others keep theirs.
pub const SITTINGS: [Shot; 6] = [
    Shot {
        setting: Setting::Studio,
        camera: camera(-18.0, 0.7, 5.2, 0.80, 23.0),
        pose: Pose {
            heading: -58.0,
            lean: 14.0,
            arms: [arm(60.0, 12.0, 80.0), arm(-44.0, 14.0, 50.0)],
            legs: [leg(-34.0, 60.0), leg(56.0, 46.0)],
            ..RELAXED
        },
    },
    Shot {
        setting: Setting::Snow,
        camera: Camera { framing: [-0.20, -0.02], ..camera(24.0, 1.4, 4.0, 0.8, 30.0) },
        pose: Pose { heading: 62.0, head_nod: 12.0, arms: [arm(50.0, 10.0, 40.0), arm(70.0, 8.0, 20.0)], ..RELAXED },
    },
    Shot {
        setting: Setting::Forest,
        camera: Camera { framing: [0.16, 0.0], ..camera(8.0, 1.0, 3.6, 0.6, 32.0) },
        pose: Pose {
            heading: -28.0,
            lean: -4.0,
            head_turn: -16.0,
            head_nod: 10.0,
            arms: [arm(50.0, 10.0, 70.0), arm(-20.0, 22.0, 10.0)],
            legs: SITTING,
            ..RELAXED
        },
    },
    Shot {
        setting: Setting::Desert,
        camera: Camera { framing: [-0.16, -0.08], ..camera(-30.0, 0.7, 4.2, 0.8, 30.0) },
        pose: Pose { heading: 10.0, head_turn: 30.0, arms: [arm(10.0, 110.0, 20.0), arm(0.0, 14.0, 16.0)], ..RELAXED },
    },
    Shot {
        setting: Setting::Studio,
        camera: camera(20.0, 1.5, 5.2, 0.80, 23.0),
        pose: Pose { heading: -46.0, head_nod: 14.0, arms: [arm(60.0, 8.0, 50.0), arm(64.0, 6.0, 44.0)], ..RELAXED },
    },
    Shot {
        setting: Setting::Studio,
        camera: camera(-12.0, 1.1, 5.2, 0.80, 23.0),
        pose: Pose { heading: 50.0, arms: [arm(-36.0, 12.0, 30.0), arm(40.0, 10.0, 30.0)], legs: WALKING, ..RELAXED },
    },
];
