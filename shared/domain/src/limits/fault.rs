//! The faults that cost quality, and the limit of each.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::Limit;
use crate::observation::BEST_QUALITY;

/// A fault that limits the quality of an image. Unlike a [`Flag`](crate::observation::Flag), which states what was
/// found, it has a degree: an image with the flag `small` is small or far too small.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// The image shows another character than the base image.
    OtherCharacter,
    /// The image may show another character.
    UnsureCharacter,
    /// Hands, limbs or face are malformed.
    DistortedAnatomy,
    /// The image consists of several pictures.
    Collage,
    /// The image shows other people beside the character.
    SeveralPeople,
    /// A watermark, signature or logo covers a part of the image.
    Watermark,
    /// The image contains lettering.
    Text,
    /// The image is out of focus, or was enlarged much.
    Blurry,
    /// The image has less detail than its size promises.
    Soft,
    /// The image is far too dark or far too light.
    BadExposure,
    /// Trainers omit or enlarge the image.
    FarTooSmall,
    /// The image has fewer pixels than trainers require.
    Small,
    /// Bars cover two opposite sides.
    Letterboxed,
    /// The blocks of a strongly compressed JPEG are visible.
    Blocky,
    /// The character looks into the camera, and the image is symmetrical.
    PassportLike,
    /// The character looks into the camera.
    LookingAtCamera,
    /// The image is symmetrical.
    Symmetrical,
}

impl Fault {
    /// All faults.
    pub const ALL: [Self; 17] = [
        Self::OtherCharacter,
        Self::UnsureCharacter,
        Self::DistortedAnatomy,
        Self::Collage,
        Self::SeveralPeople,
        Self::Watermark,
        Self::Text,
        Self::Blurry,
        Self::Soft,
        Self::BadExposure,
        Self::FarTooSmall,
        Self::Small,
        Self::Letterboxed,
        Self::Blocky,
        Self::PassportLike,
        Self::LookingAtCamera,
        Self::Symmetrical,
    ];

    /// The limit unless the settings say otherwise.
    #[must_use]
    pub const fn default_limit(self) -> u8 {
        match self {
            Self::OtherCharacter => 2,
            // Training would learn the sixth finger, the panels, or what the light has destroyed.
            Self::DistortedAnatomy | Self::Collage | Self::BadExposure => 3,
            // Training would learn the mark or the blur, or can't know which of the people is the character. All of these
            // are below the default floor.
            Self::UnsureCharacter
            | Self::SeveralPeople
            | Self::Watermark
            | Self::Blurry
            | Self::FarTooSmall
            | Self::PassportLike => 4,
            // Lettering shows up in generated images, but a comic without any would be no comic: the default floor keeps
            // it. So do visible blocks.
            Self::Text | Self::Blocky => 5,
            Self::Soft | Self::Small | Self::Letterboxed | Self::LookingAtCamera | Self::Symmetrical => 6,
        }
    }
}

impl fmt::Display for Fault {
    /// The serialised name, such as `far_too_small`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

/// The highest quality that an image with each fault can have, from 1 to 10; 10 costs no quality.
///
/// As text, the limits that differ from the defaults, such as `text=10,blocky=4`; empty for the defaults.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QualityLimits([u8; Fault::ALL.len()]);

/// The error for a text that states no limits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no quality limit; write a fault and the highest quality of an image that has it, from 1 to 10, such as text=10,blocky=4. The faults are {known}",
    known = Fault::ALL.map(|fault| fault.to_string()).join(", ")
)]
pub struct InvalidLimits(String);

impl Default for QualityLimits {
    fn default() -> Self {
        Self(Fault::ALL.map(Fault::default_limit))
    }
}

impl QualityLimits {
    /// The highest quality that an image with this fault can have.
    #[must_use]
    pub const fn of(&self, fault: Fault) -> u8 {
        self.0[fault as usize]
    }

    /// These limits, with others for some faults.
    #[must_use]
    pub fn with(mut self, others: &BTreeMap<Fault, u8>) -> Self {
        for (&fault, &most) in others {
            self.0[fault as usize] = most;
        }
        self
    }

    /// The limits that differ from the defaults.
    #[must_use]
    pub fn changed(&self) -> BTreeMap<Fault, u8> {
        let limits = Fault::ALL.into_iter().map(|fault| (fault, self.of(fault)));
        limits.filter(|&(fault, most)| most != fault.default_limit()).collect()
    }

    pub(super) fn limit(&self, fault: Fault, finding: String) -> Limit {
        Limit { most: self.of(fault), finding }
    }

    /// The lowest limit of a fault and of those that it includes, as a blurred image is also soft. So no setting makes the
    /// worse image the better one.
    pub(super) fn lowest(&self, faults: &[Fault], finding: String) -> Limit {
        let most = faults.iter().map(|&fault| self.of(fault)).min().unwrap_or(BEST_QUALITY);
        Limit { most, finding }
    }
}

impl FromStr for QualityLimits {
    type Err = InvalidLimits;

    fn from_str(text: &str) -> Result<Self, InvalidLimits> {
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        let others = parts.map(|part| limit_of(part).ok_or_else(|| InvalidLimits(part.to_owned())));
        Ok(Self::default().with(&others.collect::<Result<_, _>>()?))
    }
}

/// The limit in a text such as `text=10`.
fn limit_of(text: &str) -> Option<(Fault, u8)> {
    let (name, most) = text.split_once('=')?;
    let fault = Fault::ALL.into_iter().find(|fault| fault.to_string() == name.trim())?;
    let most = most.trim().parse().ok().filter(|most| (1..=BEST_QUALITY).contains(most))?;
    Some((fault, most))
}

impl fmt::Display for QualityLimits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let others = self.changed().into_iter().map(|(fault, most)| format!("{fault}={most}"));
        f.write_str(&others.collect::<Vec<_>>().join(","))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn limits_are_indexed_by_their_fault() {
        for (index, fault) in Fault::ALL.into_iter().enumerate() {
            assert_eq!(fault as usize, index, "{fault}");
        }
        assert_eq!(QualityLimits::default().with(&[(Fault::Blocky, 7)].into()).of(Fault::Blocky), 7);
    }

    #[test]
    fn text_changes_only_the_named_limits() {
        let limits: QualityLimits = "text=10, blocky=4,".parse().unwrap();
        assert_eq!((limits.of(Fault::Text), limits.of(Fault::Blocky), limits.of(Fault::Small)), (10, 4, 6));
        assert_eq!(limits.to_string(), "text=10,blocky=4");
        assert_eq!("".parse(), Ok(QualityLimits::default()));
    }

    #[test]
    fn error_of_a_limit_names_the_faults() {
        for text in ["text", "text=0", "text=11", "txt=3", "text=x", "=3"] {
            let error = format!("blocky=3,{text}").parse::<QualityLimits>().unwrap_err().to_string();
            assert!(error.starts_with(&format!("`{text}` is no")) && error.contains("far_too_small"), "{error}");
        }
    }

    proptest! {
        #[test]
        fn written_limits_are_read_back(limits in proptest::array::uniform17(1_u8..=10)) {
            let limits = QualityLimits(limits);
            prop_assert_eq!(limits.to_string().parse(), Ok(limits));
        }
    }
}
