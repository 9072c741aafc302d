//! The settings of a set: the target and the rules of the stack, and what an actor's `actor.json` changes of them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::actor::{ActorType, Profile, Sex};
use crate::coverage::FourShares;
use crate::format::{AspectRatio, Megapixels, OwnFormat};
use crate::json::{self, JsonError};
use crate::limits::frontal::FrontalImages;
use crate::limits::{Fault, Rules};
use crate::observation::BEST_QUALITY;
use crate::planner::{Policy, Scope};
use crate::target::{MAX_TARGET_TOTAL, Shares, Target};

/// The file beside an actor's images with its settings.
pub const ACTOR_FILE: &str = "actor.json";

/// The longest trigger or class, in characters.
const MAX_WORD_CHARS: usize = 64;

/// What a balanced set is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Settings {
    /// The images that the set should have.
    pub target: Target,
    /// The rules for their quality.
    pub rules: Rules,
    /// The actor's own format of generated images, as far as it has one.
    pub format: OwnFormat,
}

/// The contents of an actor's `actor.json`. A field that is left out keeps the stack's setting. Unknown fields are
/// errors, so that a misspelt one is noticed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ActorSettings {
    /// The sex, for prompts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sex: Option<Sex>,
    /// The sort of being, for prompts.
    #[serde(alias = "type", skip_serializing_if = "Option::is_none")]
    pub actor_type: Option<ActorType>,
    /// The word that stands for the character in training. Recorded in the manifest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trigger: Option<String>,
    /// The word for what the character is an instance of, such as `woman`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// The number of images in the set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_total: Option<u32>,
    /// The shares of the kinds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_shares: Option<Shares>,
    /// The shares of framings.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub framing_shares: Option<FourShares>,
    /// The shares of angles.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub angle_shares: Option<FourShares>,
    /// The lowest quality that stays in the set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quality_floor: Option<u8>,
    /// The limits of some faults; the others keep the stack's.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub quality_limits: BTreeMap<Fault, u8>,
    /// What becomes of the user's own frontal images beyond the share.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frontal_images: Option<FrontalImages>,
    /// The share of frontal images, in percent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frontal_percent: Option<u8>,
    /// The aspect ratio of generated images.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aspect_ratio: Option<AspectRatio>,
    /// The size of generated images.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub megapixels: Option<Megapixels>,
}

/// A value that a setting can't have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{setting}` is {value} but must be {accepted}")]
pub struct InvalidSetting {
    setting: String,
    value: String,
    accepted: String,
}

impl Settings {
    /// What the planner needs of them.
    #[must_use]
    pub const fn policy(&self, scope: Scope) -> Policy {
        Policy { target: self.target, quality_floor: self.rules.quality_floor, scope }
    }

    /// These settings with an actor's own in their place.
    #[must_use]
    pub fn of_actor(mut self, own: &ActorSettings) -> Self {
        let Self { target, rules, format } = &mut self;
        *format = own.format();
        replace(&mut target.total, own.target_total);
        replace(&mut target.shares, own.target_shares);
        replace(&mut target.views.framing, own.framing_shares);
        replace(&mut target.views.angle, own.angle_shares);
        replace(&mut rules.quality_floor, own.quality_floor);
        rules.limits = rules.limits.with(&own.quality_limits);
        replace(&mut rules.frontal.own, own.frontal_images);
        replace(&mut rules.frontal.percent, own.frontal_percent);
        self
    }
}

fn replace<T>(setting: &mut T, own: Option<T>) {
    if let Some(own) = own {
        *setting = own;
    }
}

impl From<&Settings> for ActorSettings {
    /// The settings in full, as an `actor.json` would state them. It contains only the quality limits that differ from the
    /// defaults.
    fn from(Settings { target, rules, format }: &Settings) -> Self {
        Self {
            target_total: Some(target.total),
            target_shares: Some(target.shares),
            framing_shares: Some(target.views.framing),
            angle_shares: Some(target.views.angle),
            quality_floor: Some(rules.quality_floor),
            quality_limits: rules.limits.changed(),
            frontal_images: Some(rules.frontal.own),
            frontal_percent: Some(rules.frontal.percent),
            aspect_ratio: format.aspect_ratio,
            megapixels: format.megapixels,
            ..Self::default()
        }
    }
}

/// Why the contents of an `actor.json` can't be used.
#[derive(Debug, thiserror::Error)]
pub enum UnusableSettings {
    /// The file is not the expected JSON.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// A value is out of its range.
    #[error(transparent)]
    Invalid(#[from] InvalidSetting),
}

impl ActorSettings {
    /// The settings in the contents of an `actor.json`.
    ///
    /// # Errors
    /// Names the first field that can't be used.
    pub fn read(file: &[u8]) -> Result<Self, UnusableSettings> {
        Ok(json::read_naming_fields::<Self>(file)?.checked()?)
    }

    /// The settings, if each is in its range.
    ///
    /// # Errors
    /// Names the first field that isn't, and its range.
    fn checked(self) -> Result<Self, InvalidSetting> {
        let total = self.target_total.map(u64::from);
        in_range("target_total", total, 1, u64::from(MAX_TARGET_TOTAL))?;
        let best = u64::from(BEST_QUALITY);
        in_range("quality_floor", self.quality_floor.map(u64::from), 1, best)?;
        for (fault, &most) in &self.quality_limits {
            in_range(&format!("quality_limits.{fault}"), Some(u64::from(most)), 1, best)?;
        }
        in_range("frontal_percent", self.frontal_percent.map(u64::from), 0, 100)?;
        is_word("trigger", self.trigger.as_deref())?;
        is_word("class", self.class.as_deref())?;
        Ok(self)
    }

    /// The format of generated images, as far as the file sets it.
    #[must_use]
    pub const fn format(&self) -> OwnFormat {
        OwnFormat { aspect_ratio: self.aspect_ratio, megapixels: self.megapixels }
    }

    /// The profile, with `known` for what the file leaves out.
    #[must_use]
    pub fn profile(&self, known: Profile) -> Profile {
        Profile { sex: self.sex.unwrap_or(known.sex), actor_type: self.actor_type.unwrap_or(known.actor_type) }
    }
}

fn in_range(setting: &str, value: Option<u64>, least: u64, most: u64) -> Result<(), InvalidSetting> {
    match value {
        Some(value) if !(least..=most).contains(&value) => Err(InvalidSetting {
            setting: setting.to_owned(),
            value: value.to_string(),
            accepted: format!("a number from {least} to {most}"),
        }),
        _ => Ok(()),
    }
}

/// Trainers separate the words of a caption by commas, and use the trigger and the class in a folder's name.
fn is_word(setting: &str, value: Option<&str>) -> Result<(), InvalidSetting> {
    let is_usable = |word: &str| {
        let is_forbidden = |c: char| c.is_control() || ",/\\:*?\"<>|".contains(c);
        let chars = word.chars().count();
        !word.contains(is_forbidden) && word.trim() == word && (1..=MAX_WORD_CHARS).contains(&chars)
    };
    match value {
        Some(word) if !is_usable(word) => Err(InvalidSetting {
            setting: setting.to_owned(),
            value: format!("{word:?}"),
            accepted: format!(
                "1 to {MAX_WORD_CHARS} characters, without surrounding spaces, commas, slashes, and what folder names can't contain"
            ),
        }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
