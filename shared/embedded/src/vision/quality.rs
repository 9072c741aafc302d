//! Derives flags and a quality from 1 to 10 from measurements.
//!
//! | finding | effect on the quality |
//! | --- | --- |
//! | no fault | 10 minus small deductions for softness, weak or dark tones, and few pixels: 6–10 |
//! | [`Flag::Blurry`] | at most 4, lower for wider edges |
//! | no detail at all | 1 |
//!
//! [`Flag::LookingAtCamera`] and [`Flag::Symmetrical`] don't change the quality: a setting decides whether they count.
//! Size and exposure limit the quality for every model ([`limits`](domain::limits)). The model never sets
//! [`Flag::DistortedAnatomy`], because it can't count fingers.

use std::ops::RangeInclusive;

use domain::assessment::Flag;
use domain::content::Framing;
use domain::facts::Tones;
use image::RgbImage;
use imaging::{PREVIEW_SIDE, tones_of};

use super::face::{Face, FaceFinder};
use super::{sharpness, symmetry};

/// The frontality from which a face looks into the camera. Calibrated by eye on 48 pictures: profiles had less than 7,
/// three-quarter views up to 12, frontal faces of full-length portraits 13 or more.
const FRONTAL: f32 = 12.0;
/// The height of a face, as a share of the picture's height, from which it fills the picture.
const LARGE_FACE: f32 = 0.2;
/// The height of a face, as a share of the picture's height, from which the picture is a close-up. A figure is about 7.5
/// heads tall, and a face has about 0.7 of a head: head and shoulders, 2.3 heads, leave it 0.3 of the height.
const CLOSE_UP_FACE: f32 = 0.3;
/// The height of a face from which the picture ends above the feet: the figure down to the knees has 5.5 heads.
const MEDIUM_FACE: f32 = 0.13;
/// The positions of the middle of a centred face, as shares of the width.
const CENTERED: RangeInclusive<f32> = 0.4..=0.6;
/// The mirror correlation from which any picture is symmetrical.
const SYMMETRICAL: f32 = 0.7;
/// The mirror correlation from which a picture that a centred frontal face fills is symmetrical: lower, because light
/// from one side makes it no better.
const SYMMETRICAL_AROUND_FACE: f32 = 0.3;
/// The width of edges, in pixels, from which a picture is blurred. Sharp pictures have 1 to 1.7.
const BLURRED: f32 = 2.3;
/// The mean brightness, of 255, below which a picture is dark.
const DARK: u8 = 38;

/// The measurements that determine the quality of a picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Findings {
    edge_width: Option<f32>,
    tones: Tones,
    mirror_correlation: f32,
    face: Option<Face>,
    /// The longest side, in pixels, of the picture or its preview.
    longest_side: u32,
}

impl Findings {
    pub(crate) fn measure(image: &RgbImage, faces: &FaceFinder) -> Self {
        Self {
            edge_width: sharpness::preview_edge_width(image),
            tones: tones_of(image),
            mirror_correlation: symmetry::mirror_correlation(image),
            face: faces.most_frontal(image),
            longest_side: image.width().max(image.height()),
        }
    }

    #[must_use]
    pub(crate) fn flags(&self) -> Vec<Flag> {
        let findings = [
            (self.is_looking_at_camera(), Flag::LookingAtCamera),
            (self.is_symmetrical(), Flag::Symmetrical),
            (self.is_blurry(), Flag::Blurry),
        ];
        findings.into_iter().filter(|(found, _)| *found).map(|(_, flag)| flag).collect()
    }

    /// How much of the character the picture shows, by the size of its frontal face; `None` without one.
    #[must_use]
    pub(crate) fn framing(&self) -> Option<Framing> {
        self.face.map(|face| match face.height {
            CLOSE_UP_FACE.. => Framing::CloseUp,
            MEDIUM_FACE.. => Framing::Medium,
            _ => Framing::FullBody,
        })
    }

    /// The quality by the table above.
    #[must_use]
    pub(crate) fn quality(&self) -> u8 {
        let score = (10.0 - self.deductions()).min(self.cap());
        score.round().clamp(1.0, 10.0) as u8
    }

    /// The findings in words, most important last.
    #[must_use]
    pub(crate) fn description(&self) -> String {
        let mut parts = vec![match self.edge_width {
            None => "no detail",
            Some(width) if width >= BLURRED => "out of focus",
            Some(width) if width >= 1.8 => "a little soft",
            Some(_) => "sharp",
        }];
        if self.tones.mean < DARK {
            parts.push("dark");
        }
        match (self.is_looking_at_camera(), self.is_symmetrical()) {
            (true, true) if self.is_filled_by_face() => parts.push("like a passport photograph"),
            (true, true) => parts.push("centred, symmetrical and facing the camera"),
            (true, false) => parts.push("face turned to the camera"),
            (false, true) => parts.push("left and right mirror each other"),
            (false, false) => {}
        }
        parts.join("; ")
    }

    fn deductions(&self) -> f32 {
        let share = |level: u8| f32::from(level) / 255.0;
        let softness = self.edge_width.map_or(0.0, |width| (width - 1.2) * 2.0);
        let weak_tones = (0.7 - (share(self.tones.highlight) - share(self.tones.shadow))) * 2.5;
        let darkness = (0.3 - share(self.tones.mean)) * 4.0;
        // An edge of a thumbnail is sharp, but it shows less of the character than the same edge of a larger picture.
        let smallness = (1.0 - self.longest_side as f32 / PREVIEW_SIDE as f32) * 4.0;
        [softness, weak_tones, darkness, smallness].map(|deduction| deduction.clamp(0.0, 1.5)).iter().sum()
    }

    fn cap(&self) -> f32 {
        match self.edge_width {
            None => 1.0,
            Some(width) if width >= BLURRED => 4.0 - (width - BLURRED),
            Some(_) => 10.0,
        }
    }

    fn is_looking_at_camera(&self) -> bool {
        self.face.is_some_and(|face| face.frontality >= FRONTAL)
    }

    fn is_filled_by_face(&self) -> bool {
        self.face.is_some_and(|face| face.height >= LARGE_FACE && CENTERED.contains(&face.center_x))
    }

    fn is_symmetrical(&self) -> bool {
        let passport = self.is_looking_at_camera() && self.is_filled_by_face();
        let limit = if passport { SYMMETRICAL_AROUND_FACE } else { SYMMETRICAL };
        self.mirror_correlation >= limit
    }

    fn is_blurry(&self) -> bool {
        self.edge_width.is_none_or(|width| width >= BLURRED)
    }
}
