//! The quality limits of faults, the same for every vision model.
//!
//! `docs/ASSESSMENT.md` shows the limits as a table. The assessment of a set applies them, not the observation of an
//! image, so a changed limit requires no new vision request.

mod fault;
pub mod frontal;
pub mod measured;

pub use fault::{Fault, InvalidLimits, QualityLimits};
use frontal::FrontalRule;

use crate::content::SameCharacter;
use crate::observation::{BEST_QUALITY, Flag, Origin};

/// The lowest quality that stays in a set unless the settings say otherwise.
pub const DEFAULT_QUALITY_FLOOR: u8 = 5;

/// A byte-for-byte copy teaches nothing.
const EXACT_DUPLICATE_AT_MOST: u8 = 1;

/// The rules for the quality of images.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// The limit of each fault.
    pub limits: QualityLimits,
    /// The treatment of images that face the camera or are symmetrical.
    pub frontal: FrontalRule,
    /// The lowest quality that stays in a set.
    pub quality_floor: u8,
}

/// The quality limit of a fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limit {
    /// The highest quality that the image can have.
    pub most: u8,
    /// The fault, as a sentence for the user.
    pub finding: String,
}

impl Default for Rules {
    fn default() -> Self {
        Self { limits: QualityLimits::default(), frontal: FrontalRule::default(), quality_floor: DEFAULT_QUALITY_FLOOR }
    }
}

impl Rules {
    /// The limit of an image that doesn't certainly show the character of the base image. A doubt alone deletes no image
    /// that the user has provided: its quality may fall to the floor, but not below.
    #[must_use]
    pub fn of_character(&self, same_character: Option<SameCharacter>, origin: Origin) -> Option<Limit> {
        match same_character? {
            SameCharacter::Yes => None,
            SameCharacter::No => {
                let finding = "Shows another character than the base image.".to_owned();
                Some(self.limits.limit(Fault::OtherCharacter, finding))
            }
            SameCharacter::Unsure => {
                let finding = "May show another character than the base image.".to_owned();
                let limit = self.limits.limit(Fault::UnsureCharacter, finding);
                Some(if origin.is_uploaded() { limit.not_below(self.quality_floor) } else { limit })
            }
        }
    }

    /// The limits of faults that a vision model detects.
    #[must_use]
    pub fn of_flags(&self, flags: &[Flag]) -> Vec<Limit> {
        let limit = |flag: &Flag| {
            let (faults, finding): (&[Fault], _) = match flag {
                Flag::Blurry => (&[Fault::Blurry, Fault::Soft], "Blurry."),
                Flag::DistortedAnatomy => (&[Fault::DistortedAnatomy], "Distorted anatomy."),
                Flag::Watermark => (&[Fault::Watermark], "Watermark."),
                Flag::Text => (&[Fault::Text], "Lettering."),
                Flag::Collage => (&[Fault::Collage], "A collage of several pictures."),
                Flag::SeveralPeople => (&[Fault::SeveralPeople], "Several people."),
                _ => return None,
            };
            Some(self.limits.lowest(faults, finding.to_owned()))
        };
        flags.iter().filter_map(limit).collect()
    }
}

impl Limit {
    /// The limit raised to `quality` if it is lower.
    fn not_below(self, quality: u8) -> Self {
        Self { most: self.most.max(quality), ..self }
    }
}

/// The limit of a byte-for-byte copy of the file `of`.
#[must_use]
pub fn of_copy(of: &str) -> Limit {
    Limit { most: EXACT_DUPLICATE_AT_MOST, finding: format!("Same file as {of}.") }
}

/// The finding for a near duplicate of the file `of`, without a limit: it only decides between images of about the
/// same quality.
#[must_use]
pub fn of_likeness(of: &str) -> Limit {
    Limit { most: BEST_QUALITY, finding: format!("Looks much like {of}.") }
}

#[cfg(test)]
mod tests;
