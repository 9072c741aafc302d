//! The quality limits of faults, the same for every vision model.
//!
//! `docs/ASSESSMENT.md` shows the limits as a table. The assessment of a set applies them, not the observation of an
//! image, so a changed limit requires no new vision request.

use std::fmt;
use std::str::FromStr;

use crate::content::SameCharacter;
use crate::facts::{Facts, Tones};
use crate::kind::Kind;
use crate::observation::{BEST_QUALITY, Flag, Origin};

/// A shorter side, in pixels, below which an image is small.
const SMALL_BELOW: u32 = 768;
/// A shorter side, in pixels, below which trainers omit or enlarge an image.
const FAR_TOO_SMALL_BELOW: u32 = 512;

/// The width, in tenths of a pixel, of the sharper edges of a blurred photograph. Measured on 48 real images and on
/// altered copies: 11 to 19, also at JPEG quality 20; enlarged twice 20 to 27, three times 28 to 38, four times 34 to 54;
/// after a Gaussian blur of 1 pixel 23 to 34, of 2 pixels 40 to 59.
const BLURRED_FROM: u16 = 40;
/// The same for a photograph that is a little soft.
const SOFT_FROM: u16 = 30;
/// The share of bars, in percent, that is no accident.
const LETTERBOXED_FROM: u8 = 4;
/// The blockiness of a JPEG whose blocks disturb the picture. Measured on 48 real images and on compressed copies: up to
/// 188 originally and 540 at quality 50. The limit applies to 1 copy at quality 30, to 6 at 20, to 22 at 15, to 41 at 10.
const BLOCKY_FROM: u16 = 1000;

const SMALL_AT_MOST: u8 = 6;
const FAR_TOO_SMALL_AT_MOST: u8 = 4;
/// Training would learn the blur.
const BLURRY_AT_MOST: u8 = 4;
/// The picture has less detail than its size promises.
const SOFT_AT_MOST: u8 = 6;
/// Training would learn the sixth finger.
const DISTORTED_ANATOMY_AT_MOST: u8 = 3;
/// Training would learn the mark: trainers advise to crop or remove such images.
const WATERMARK_AT_MOST: u8 = 4;
/// Lettering shows up in generated images, but a comic without any would be no comic: the default floor keeps it.
const TEXT_AT_MOST: u8 = 5;
/// Training would learn the panels.
const COLLAGE_AT_MOST: u8 = 3;
/// Training can't know which of the people is the character.
const SEVERAL_PEOPLE_AT_MOST: u8 = 4;
/// The content of the picture is lost.
const BAD_EXPOSURE_AT_MOST: u8 = 3;
/// Training would learn the bars.
const LETTERBOXED_AT_MOST: u8 = 6;
/// Training would learn the blocks.
const BLOCKY_AT_MOST: u8 = 5;
/// A byte-for-byte copy teaches nothing.
const EXACT_DUPLICATE_AT_MOST: u8 = 1;
/// One of the two signs of a passport photograph. Applies only with [`FrontalImages::Replace`].
const FRONTAL_AT_MOST: u8 = 6;
/// Both signs; below the default floor of 5.
const PASSPORT_LIKE_AT_MOST: u8 = 4;

/// The settings of the limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// The treatment of images that face the camera or are symmetrical.
    pub frontal_images: FrontalImages,
    /// The limit of an image that shows another character.
    pub other_character: u8,
    /// The limit of an image that may show another character.
    pub unsure_character: u8,
    /// The lowest quality that stays in a set.
    pub quality_floor: u8,
}

impl Default for Rules {
    fn default() -> Self {
        Self { frontal_images: FrontalImages::Keep, other_character: 2, unsure_character: 4, quality_floor: 5 }
    }
}

impl Rules {
    /// The limit of an image that doesn't certainly show the character of the base image. A doubt alone deletes no image
    /// that the user has provided: its quality may fall to the floor, but not below.
    #[must_use]
    pub fn of_character(&self, same_character: Option<SameCharacter>, origin: Origin) -> Option<Limit> {
        let (most, finding) = match same_character? {
            SameCharacter::Yes => return None,
            SameCharacter::No => (self.other_character, "Shows another character than the base image."),
            SameCharacter::Unsure => {
                let kept = if origin.is_uploaded() { self.quality_floor } else { 0 };
                (self.unsure_character.max(kept), "May show another character than the base image.")
            }
        };
        Some(Limit { most, finding: finding.to_owned() })
    }
}

/// The quality limit of a fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limit {
    /// The highest quality that the image can have.
    pub most: u8,
    /// The fault, as a sentence for the user.
    pub finding: String,
}

/// How an assessment treats images that face the camera or are symmetrical.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum FrontalImages {
    /// Such images keep their quality, and are deleted first among images of equal quality.
    #[default]
    Keep,
    /// Such images have a limited quality, so that images with both flags are replaced.
    Replace,
}

/// The error for a text that is neither `keep` nor `replace`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no setting for frontal images; write keep or replace")]
pub struct UnknownTreatment(String);

impl FromStr for FrontalImages {
    type Err = UnknownTreatment;

    fn from_str(text: &str) -> Result<Self, UnknownTreatment> {
        [Self::Keep, Self::Replace]
            .into_iter()
            .find(|treatment| treatment.as_str() == text)
            .ok_or_else(|| UnknownTreatment(text.to_owned()))
    }
}

impl fmt::Display for FrontalImages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FrontalImages {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::Replace => "replace",
        }
    }

    /// The limit for an image with these flags; `None` if it is not frontal, or the setting keeps such images.
    #[must_use]
    pub fn limit(self, flags: &[Flag]) -> Option<Limit> {
        let (most, finding) = match (flags.contains(&Flag::LookingAtCamera), flags.contains(&Flag::Symmetrical)) {
            _ if self == Self::Keep => return None,
            (true, true) => (PASSPORT_LIKE_AT_MOST, "Like a passport photograph."),
            (true, false) => (FRONTAL_AT_MOST, "Looks into the camera."),
            (false, true) => (FRONTAL_AT_MOST, "Symmetrical."),
            (false, false) => return None,
        };
        Some(Limit { most, finding: finding.to_owned() })
    }
}

/// The limits of faults that only a vision model detects.
#[must_use]
pub fn of_faults(flags: &[Flag]) -> Vec<Limit> {
    let limit = |flag: &Flag| {
        let (most, finding) = match flag {
            Flag::Blurry => (BLURRY_AT_MOST, "Blurry."),
            Flag::DistortedAnatomy => (DISTORTED_ANATOMY_AT_MOST, "Distorted anatomy."),
            Flag::Watermark => (WATERMARK_AT_MOST, "Watermark."),
            Flag::Text => (TEXT_AT_MOST, "Lettering."),
            Flag::Collage => (COLLAGE_AT_MOST, "A collage of several pictures."),
            Flag::SeveralPeople => (SEVERAL_PEOPLE_AT_MOST, "Several people."),
            _ => return None,
        };
        Some(Limit { most, finding: finding.to_owned() })
    };
    flags.iter().filter_map(limit).collect()
}

/// The limit of a small image; `None` for other images.
#[must_use]
pub fn of_size(facts: &Facts) -> Option<Limit> {
    let most = match facts.width.min(facts.height) {
        side if side < FAR_TOO_SMALL_BELOW => FAR_TOO_SMALL_AT_MOST,
        side if side < SMALL_BELOW => SMALL_AT_MOST,
        _ => return None,
    };
    Some(Limit { most, finding: format!("Small: {}×{} px.", facts.width, facts.height) })
}

/// The limit of an image that is far too dark or far too light. `None` for other images, and without measured tones.
#[must_use]
pub fn of_exposure(facts: &Facts, kind: Kind) -> Option<Limit> {
    let tones = facts.tones?;
    let is_lost = match kind {
        Kind::Photorealistic => is_lost_photograph(tones),
        Kind::BwStylized | Kind::ColorStylized => is_lost_drawing(tones),
    };
    let finding = if tones.mean < 128 { "Far too dark." } else { "Far too light." };
    is_lost.then(|| Limit { most: BAD_EXPOSURE_AT_MOST, finding: finding.to_owned() })
}

/// The limit of a photograph without a sharp place, such as one that is out of focus or was enlarged. Drawings and
/// paintings may have soft outlines on purpose.
#[must_use]
pub fn of_sharpness(facts: &Facts, kind: Kind) -> Option<Limit> {
    let width = facts.details?.edge_width.filter(|_| kind == Kind::Photorealistic)?;
    let (most, finding) = match width {
        BLURRED_FROM.. => (BLURRY_AT_MOST, "Blurred or enlarged"),
        SOFT_FROM.. => (SOFT_AT_MOST, "Soft or enlarged"),
        _ => return None,
    };
    let finding = format!("{finding}: the sharpest edges are {}.{} px wide.", width / 10, width % 10);
    Some(Limit { most, finding })
}

/// The limit of an image with black or white bars on opposite sides.
#[must_use]
pub fn of_bars(facts: &Facts) -> Option<Limit> {
    let percent = facts.details?.bars_percent;
    let finding = || format!("Bars cover {percent} % of the picture.");
    (percent >= LETTERBOXED_FROM).then(|| Limit { most: LETTERBOXED_AT_MOST, finding: finding() })
}

/// The limit of an image with visible JPEG blocks.
#[must_use]
pub fn of_blocks(facts: &Facts) -> Option<Limit> {
    let finding = || "Blocks of a strongly compressed JPEG are visible.".to_owned();
    (facts.details?.blockiness >= BLOCKY_FROM).then(|| Limit { most: BLOCKY_AT_MOST, finding: finding() })
}

/// Calibrated by eye on 48 pictures and on darkened and lightened copies of them.
fn is_lost_photograph(tones: Tones) -> bool {
    let is_invisible = tones.highlight < 38 || tones.shadow > 184;
    let is_dark = tones.mean < 12;
    let is_burnt = tones.burnt_percent > 40 && (tones.shadow > 89 || tones.mean > 224);
    is_invisible || is_dark || is_burnt
}

/// A drawing may be almost all bare paper, or almost all black, as long as its lines stand out. A model may classify a
/// photograph that is far too dark as a drawing: its few lights stay dark.
fn is_lost_drawing(tones: Tones) -> bool {
    let is_dark = tones.highlight < 38 && tones.lightest < 90;
    is_dark || tones.darkest > 230
}

/// The limit of a byte-for-byte copy of the file `of`.
#[must_use]
pub fn of_copy(of: &str) -> Limit {
    Limit { most: EXACT_DUPLICATE_AT_MOST, finding: format!("Same file as {of}.") }
}

/// The finding for a near duplicate of the file `of`, without a limit: it only decides ties.
#[must_use]
pub fn of_likeness(of: &str) -> Limit {
    Limit { most: BEST_QUALITY, finding: format!("Looks much like {of}.") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assessment::{Assessment, Observation, Observed, assess};
    use crate::content::Content;
    use crate::facts::Details;
    use crate::resemblance::Resemblances;

    fn observed(facts: Facts, kind: Kind, flags: &[Flag]) -> Observed {
        let observation = Observation {
            kind,
            quality: 9,
            flags: flags.to_vec(),
            reason: "Seen.".to_owned(),
            content: Content::default(),
        };
        Observed { filename: "a_1.jpg".to_owned(), observation, facts, origin: Origin::Uploaded, pinned: false }
    }

    fn assessed(facts: Facts, kind: Kind, flags: &[Flag], frontal_images: FrontalImages) -> Assessment {
        let rules = Rules { frontal_images, ..Rules::default() };
        assess(&[observed(facts, kind, flags)], &Resemblances::default(), &rules).remove(0)
    }

    fn facts(width: u32, height: u32) -> Facts {
        Facts { sha256: "1".to_owned(), perceptual_hash: String::new(), width, height, tones: None, details: None }
    }

    #[test]
    fn shorter_side_limits_the_quality() {
        for (width, height, most) in
            [(4000, 511, 4), (200, 196, 4), (512, 4000, 6), (767, 1024, 6), (768, 768, 9), (1024, 576, 6)]
        {
            let image = assessed(facts(width, height), Kind::Photorealistic, &[], FrontalImages::Keep);
            let is_small = image.flags == [Flag::Small] && image.reason == format!("Seen. Small: {width}×{height} px.");
            assert_eq!((image.quality, is_small), (most, most < 9), "{width}×{height}: {image:?}");
        }
    }

    #[test]
    fn another_character_limits_the_quality() {
        let rules = Rules::default();
        let generated = Origin::Generated { requested: None };
        for (same, origin, most) in [
            (SameCharacter::Yes, generated, 9),
            (SameCharacter::No, generated, 2),
            (SameCharacter::No, Origin::Uploaded, 2),
            (SameCharacter::Unsure, generated, 4),
            (SameCharacter::Unsure, Origin::Uploaded, 5),
        ] {
            let mut image = Observed { origin, ..observed(facts(1024, 1024), Kind::Photorealistic, &[]) };
            image.observation.content.same_character = Some(same);
            let assessed = assess(&[image], &Resemblances::default(), &rules).remove(0);
            assert_eq!(assessed.quality, most, "{same} {origin:?}");
            assert_eq!(assessed.reason.contains("another character"), most < 9, "{}", assessed.reason);
        }
    }

    #[test]
    fn frontal_images_keep_their_quality_by_default() {
        let (camera, symmetrical) = (Flag::LookingAtCamera, Flag::Symmetrical);
        for (flags, most) in [(vec![camera], 6), (vec![symmetrical], 6), (vec![camera, symmetrical], 4), (vec![], 9)] {
            let quality = |setting| assessed(facts(1024, 1024), Kind::Photorealistic, &flags, setting).quality;
            assert_eq!((quality(FrontalImages::Keep), quality(FrontalImages::Replace)), (9, most), "{flags:?}");
        }
        let passport = [camera, symmetrical];
        let replaced = assessed(facts(1024, 1024), Kind::Photorealistic, &passport, FrontalImages::Replace);
        assert_eq!(replaced.reason, "Seen. Like a passport photograph.");
    }

    #[test]
    fn limiting_an_assessment_twice_changes_nothing() {
        let passport = [Flag::LookingAtCamera, Flag::Symmetrical];
        let once = assessed(facts(1024, 1024), Kind::BwStylized, &passport, FrontalImages::Replace);
        assert_eq!(once.clone().limited_by(FrontalImages::Replace), once);
        assert_eq!(once.clone().limited_by(FrontalImages::Keep), once);
    }

    #[test]
    fn lowest_limit_applies() {
        let flags = [Flag::Blurry, Flag::DistortedAnatomy];
        let image = assessed(facts(600, 600), Kind::Photorealistic, &flags, FrontalImages::Keep);
        assert_eq!(image.quality, 3);
        assert_eq!(image.reason, "Seen. Small: 600×600 px. Blurry. Distorted anatomy.");
        assert_eq!(image.flags, [Flag::Blurry, Flag::DistortedAnatomy, Flag::Small]);
    }

    fn detailed(edge_width: u16, bars_percent: u8, blockiness: u16) -> Facts {
        let details = Details { edge_width: Some(edge_width), bars_percent, blockiness };
        Facts { details: Some(details), ..facts(1024, 1024) }
    }

    #[test]
    fn measured_faults_limit_the_quality() {
        for (facts, quality, flags) in [
            (detailed(29, 3, 999), 9, vec![]),
            (detailed(30, 0, 0), 6, vec![Flag::Blurry]),
            (detailed(40, 0, 0), 4, vec![Flag::Blurry]),
            (detailed(14, 4, 0), 6, vec![Flag::Letterboxed]),
            (detailed(14, 0, 1000), 5, vec![Flag::Blocky]),
        ] {
            let image = assessed(facts, Kind::Photorealistic, &[], FrontalImages::Keep);
            assert_eq!((image.quality, &image.flags), (quality, &flags), "{image:?}");
        }
        let soft = assessed(detailed(45, 0, 0), Kind::Photorealistic, &[], FrontalImages::Keep);
        assert_eq!(soft.reason, "Seen. Blurred or enlarged: the sharpest edges are 4.5 px wide.");
    }

    #[test]
    fn soft_outlines_of_a_painting_are_no_fault() {
        assert_eq!(assessed(detailed(90, 0, 0), Kind::ColorStylized, &[], FrontalImages::Keep).quality, 9);
    }

    #[test]
    fn record_without_tones_has_no_exposure_limit() {
        let old: Facts =
            serde_json::from_str(r#"{"sha256":"1","perceptual_hash":"","width":1024,"height":1024}"#).unwrap();
        assert_eq!(assessed(old, Kind::Photorealistic, &[], FrontalImages::Keep).quality, 9);
    }
}
