//! Assessments: observations joined with measurements, and limited by faults.

use serde::{Deserialize, Serialize};

use crate::content::Content;
use crate::duplicates::{Duplicate, find_duplicates};
use crate::kind::Kind;
use crate::limits::frontal::limit_frontal;
use crate::limits::measured::{of_bars, of_blocks, of_exposure, of_sharpness, of_size};
use crate::limits::{self, Limit, Rules};
pub use crate::observation::{BEST_QUALITY, Flag, Observation, Observed, Origin};
use crate::resemblance::Resemblances;
use crate::settings::Settings;

/// The assessment of one image of a set: the observation joined with the facts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Assessment {
    /// The image's file name.
    pub filename: String,
    /// The kind of the image.
    pub kind: Kind,
    /// The quality for training, from 1 (useless) to 10 (perfect).
    pub quality: u8,
    /// The faults and properties that were found.
    #[serde(default)]
    pub flags: Vec<Flag>,
    /// The reason, as a sentence for the user.
    #[serde(default)]
    pub reason: String,
    /// What the image shows.
    #[serde(default, skip_serializing_if = "Content::is_unknown")]
    pub content: Content,
    /// Whether the operator pinned the image.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub pinned: bool,
    /// The origin; an uploaded image if omitted.
    #[serde(default, skip_serializing_if = "Origin::is_uploaded")]
    pub origin: Origin,
}

/// Joins the model's observations of a set with the measurements of each image and of the set, and limits each quality
/// by the image's faults ([`limits`]).
#[must_use]
pub fn assess(set: &[Observed], resemblances: &Resemblances, settings: &Settings) -> Vec<Assessment> {
    let rules = &settings.rules;
    let alone: Vec<Assessment> = set.iter().map(|image| Assessment::measured(image, rules)).collect();
    let limited = set.iter().zip(&alone).map(|(image, assessment)| {
        let observation = Observation { quality: assessment.quality, ..image.observation.clone() };
        Observed { observation, ..image.clone() }
    });
    let limited: Vec<Observed> = limited.collect();
    let duplicates = find_duplicates(&limited, resemblances, rules.quality_floor);
    let joined = alone.into_iter().map(|assessment| match duplicates.get(assessment.filename.as_str()) {
        Some(duplicate) => assessment.repeating(duplicate),
        None => assessment,
    });
    limit_frontal(joined.collect(), settings)
}

/// Removes all comparisons with the base image if the model has found, on any of several pages or in an earlier
/// evaluation, that the base image doesn't show which character is meant.
pub fn void_ambiguous_comparisons(set: &mut [Observed]) {
    let fault =
        set.iter().filter_map(|image| image.observation.content.not_compared).find(|reason| reason.is_ambiguity());
    let Some(fault) = fault else { return };
    for Observed { observation: Observation { content, .. }, .. } in set {
        content.same_character = None;
        content.not_compared.get_or_insert(fault);
    }
}

impl Assessment {
    /// The requested kind of a generated image that came out as a different one.
    #[must_use]
    pub fn missed_kind(&self) -> Option<Kind> {
        self.origin.missed_kind(self.kind)
    }

    fn measured(Observed { filename, observation, facts, origin, pinned }: &Observed, rules: &Rules) -> Self {
        let Observation { kind, quality, flags, reason, content } = observation.clone();
        let (filename, pinned, origin) = (filename.clone(), *pinned, *origin);
        let assessment = Self { filename, kind, quality, flags, reason, content, pinned, origin };
        let measured = [
            (Flag::Small, of_size(facts, &rules.limits)),
            (Flag::BadExposure, of_exposure(facts, kind, &rules.limits)),
            (Flag::Blurry, of_sharpness(facts, kind, &rules.limits)),
            (Flag::Letterboxed, of_bars(facts, &rules.limits)),
            (Flag::Blocky, of_blocks(facts, &rules.limits)),
        ];
        let found = measured.into_iter().filter_map(|(flag, limit)| Some((flag, limit?)));
        let assessment = found.fold(assessment, |assessment, (flag, limit)| assessment.flagged(flag, limit));
        let of_character = rules.of_character(observation.content.same_character, origin);
        rules.of_flags(&observation.flags).into_iter().chain(of_character).fold(assessment, Self::limited)
    }

    /// Adds a measured fault.
    fn flagged(mut self, flag: Flag, limit: Limit) -> Self {
        if !self.flags.contains(&flag) {
            self.flags.push(flag);
        }
        self.quality = self.quality.min(limit.most);
        self.with_finding(&limit.finding)
    }

    /// Lowers the quality to a fault's limit, and records the reason.
    pub(crate) fn limited(mut self, limit: Limit) -> Self {
        if self.quality <= limit.most {
            return self;
        }
        self.quality = limit.most;
        self.with_finding(&limit.finding)
    }

    fn repeating(mut self, duplicate: &Duplicate<'_>) -> Self {
        match duplicate {
            Duplicate::Exact { of } => {
                self.reason.clear();
                self.flagged(Flag::ExactDuplicate, limits::of_copy(of))
            }
            Duplicate::Near { of } => self.flagged(Flag::NearDuplicate, limits::of_likeness(of)),
            Duplicate::Mirrored { of } => self.with_finding(&format!("Mirror image of {of}.")),
        }
    }

    fn with_finding(mut self, finding: &str) -> Self {
        self.reason = format!("{} {finding}", self.reason.trim_end()).trim_start().to_owned();
        self
    }
}
