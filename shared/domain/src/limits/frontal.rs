//! Frontal images: the character looks into the camera, or the image is symmetrical like a passport photograph.
//!
//! A set needs a few of them, and trainers advise against many. So the best ones keep their quality, up to a share of the
//! target. The others lose some, unless the user has provided them and the settings keep those.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{Fault, Limit, Rules};
use crate::assessment::Assessment;
use crate::observation::Flag;
use crate::planner::{Scope, propose, rank};
use crate::settings::Settings;

/// How many frontal images a set should have at most, and what becomes of the user's own ones beyond that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrontalRule {
    /// The treatment of the user's own images beyond the share.
    pub own: FrontalImages,
    /// The share of the target, in percent, that may be frontal without a loss of quality.
    pub percent: u8,
}

impl Default for FrontalRule {
    /// 3 of 20 images.
    fn default() -> Self {
        Self { own: FrontalImages::Keep, percent: 15 }
    }
}

impl FrontalRule {
    /// The number of images of a target of `total` that keep their quality, rounded half up.
    #[must_use]
    pub fn exempt(self, total: u32) -> usize {
        let hundredths = u64::from(total) * u64::from(self.percent);
        usize::try_from((hundredths + 50) / 100).unwrap_or(usize::MAX)
    }
}

/// What becomes of the user's own frontal images beyond the share. Generated ones always lose quality.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FrontalImages {
    /// They keep their quality, and only lose ties.
    #[default]
    Keep,
    /// Their quality falls as that of generated ones, so images like passport photographs are replaced.
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
            .find(|treatment| treatment.to_string() == text)
            .ok_or_else(|| UnknownTreatment(text.to_owned()))
    }
}

impl fmt::Display for FrontalImages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

/// Limits the quality of the frontal images of a set beyond the share that the settings allow. A second application
/// changes nothing.
#[must_use]
pub fn limit_frontal(set: Vec<Assessment>, settings: &Settings) -> Vec<Assessment> {
    let exempt = exempt(&set, settings);
    let limited = |image: Assessment| match limit(&image, exempt.len(), &settings.rules) {
        Some(limit) if !exempt.contains(&image.filename) => image.limited(limit),
        _ => image,
    };
    set.into_iter().map(limited).collect()
}

/// The best frontal images, up to the share. An image that a plan would delete for another reason takes no place.
fn exempt(set: &[Assessment], settings: &Settings) -> BTreeSet<String> {
    let deleted = propose(set, &settings.policy(Scope::All)).delete;
    let stays = |image: &&Assessment| deleted.iter().all(|removal| removal.filename != image.filename);
    let mut frontal: Vec<_> = set.iter().filter(|image| fault(&image.flags).is_some()).filter(stays).collect();
    frontal.sort_by_key(|image| rank(image));
    let places = settings.rules.frontal.exempt(settings.target.total);
    frontal.into_iter().take(places).map(|image| image.filename.clone()).collect()
}

fn fault(flags: &[Flag]) -> Option<Fault> {
    match (flags.contains(&Flag::LookingAtCamera), flags.contains(&Flag::Symmetrical)) {
        (true, true) => Some(Fault::PassportLike),
        (true, false) => Some(Fault::LookingAtCamera),
        (false, true) => Some(Fault::Symmetrical),
        (false, false) => None,
    }
}

/// The limit of a frontal image that is not exempt.
fn limit(image: &Assessment, exempt: usize, rules: &Rules) -> Option<Limit> {
    let fault = fault(&image.flags)?;
    if image.origin.is_uploaded() && rules.frontal.own == FrontalImages::Keep {
        return None;
    }
    let finding = match fault {
        Fault::PassportLike => "Like a passport photograph",
        Fault::LookingAtCamera => "Looks into the camera",
        _ => "Symmetrical",
    };
    let others = match exempt {
        0 => String::new(),
        1 => "; the set has a frontal image already".to_owned(),
        others => format!("; the set has {others} frontal images already"),
    };
    let signs: &[Fault] = match fault {
        Fault::PassportLike => &[Fault::PassportLike, Fault::LookingAtCamera, Fault::Symmetrical],
        _ => &[fault],
    };
    Some(rules.limits.lowest(signs, format!("{finding}{others}.")))
}

#[cfg(test)]
mod tests;
