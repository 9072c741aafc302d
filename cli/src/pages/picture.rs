//! One image of a set or of its trash, as pages show it.

use domain::actor::ActorId;
use domain::assessment::{Assessment, Flag, Origin};
use domain::caption::Caption;
use domain::kind::Kind;
use domain::manifest::Image;
use domain::trash::TrashRecord;

use super::names;
use crate::sets::Place;

/// An image with its records.
#[derive(Debug, Clone)]
pub struct Picture<'a> {
    pub actor: &'a ActorId,
    pub place: Place,
    pub file: &'a str,
    pub image: &'a Image,
    /// `None` if the image was not assessed, or is deleted.
    pub assessment: Option<&'a Assessment>,
    pub caption: Option<&'a Caption>,
    /// The record of the deletion, if the image is deleted.
    pub deletion: Option<&'a TrashRecord>,
    /// Why the shown plan deletes the image, if it does.
    pub planned_deletion: Option<&'a str>,
}

impl<'a> Picture<'a> {
    pub fn kind(&self) -> Option<Kind> {
        self.image.kind
    }

    /// The assessed quality, or else the observed one.
    pub fn quality(&self) -> Option<u8> {
        self.assessment.map(|assessment| assessment.quality).or(self.image.quality)
    }

    pub fn flags(&self) -> &'a [Flag] {
        self.assessment.map_or(&self.image.flags, |assessment| &assessment.flags)
    }

    /// Why the image is or will be deleted, is unusable, or has its quality.
    pub fn reason(&self) -> Option<&'a str> {
        let of_assessment = || self.assessment.map(|assessment| assessment.reason.as_str());
        let reason = match self.deletion {
            Some(record) => Some(record.reason.as_str()),
            None if self.planned_deletion.is_some() => self.planned_deletion,
            None => self.image.unusable.as_deref().or_else(of_assessment).or(self.image.reason.as_deref()),
        };
        reason.filter(|reason| !reason.is_empty())
    }

    pub fn is_or_will_be_deleted(&self) -> bool {
        self.deletion.is_some() || self.planned_deletion.is_some()
    }

    pub fn is_generated(&self) -> bool {
        !self.image.origin().is_uploaded()
    }

    pub fn is_small(&self) -> bool {
        self.flags().contains(&Flag::Small)
    }

    /// The origin in words, with the requested kind if the image came out as another one.
    pub fn origin(&self) -> String {
        let missed = self.image.kind.and_then(|kind| self.image.origin().missed_kind(kind));
        match (self.image.origin(), missed) {
            (Origin::Uploaded, _) => "yours".to_owned(),
            (Origin::Generated { .. }, None) => "generated".to_owned(),
            (Origin::Generated { .. }, Some(kind)) => format!("generated as {}", kind.in_words()),
        }
    }

    /// The width and height in pixels.
    pub fn size(&self) -> Option<(u32, u32)> {
        self.image.facts.as_ref().map(|facts| (facts.width, facts.height))
    }

    /// Changes with the file, as far as the records know it.
    pub fn version(&self) -> Option<&'a str> {
        self.image.etag.as_deref()
    }

    /// The flags in words, such as `small, blurry`; empty if there are none.
    pub fn flags_in_words(&self) -> String {
        self.flags().iter().map(|flag| flag.in_words()).collect::<Vec<_>>().join(", ")
    }

    /// What a picture's `alt` says: kind, quality, flags and state.
    pub fn alt(&self) -> String {
        let mut parts = vec![match (self.image.unusable.is_some(), self.kind()) {
            (true, _) => "unusable file".to_owned(),
            (false, Some(kind)) => format!("{} image", kind.in_words()),
            (false, None) => "image that is not assessed".to_owned(),
        }];
        parts.extend(self.quality().map(|quality| format!("quality {quality}")));
        parts.extend(Some(self.flags_in_words()).filter(|flags| !flags.is_empty()));
        parts.push(self.origin());
        parts.extend(self.image.pinned.then(|| "pinned".to_owned()));
        parts.extend(self.deletion.map(|_| "deleted".to_owned()));
        names::plain(&parts.join(", "))
    }
}
