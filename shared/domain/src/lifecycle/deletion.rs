//! The lifecycle of a deletion, and the rules by which it claims an image.
//!
//! No record stores the state of a deletion. It follows from the claim in the image record and from the trash record
//! ([`DeletionState::of`]). Each event is one conditional write of these records, except for *image restored*, which
//! first creates the image record. So the transitions here are a specification: a test makes every write in every state
//! and compares the result. The object itself is copied and deleted between *image claimed* and *image removed*; those
//! steps can be repeated, so they need no state of their own.

use super::ImpossibleEvent;
use crate::manifest::Image;
use crate::trash::TrashRecord;

/// The state of the deletion of one image that has one id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeletionState {
    /// It has changed nothing, or everything that it changed was restored.
    NotBegun,
    /// It has claimed the image, which can't be pinned now.
    Claimed,
    /// It is complete. The image can be restored while the trash has it.
    Trashed,
}

/// An event in the life of a deletion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeletionEvent {
    /// The deletion claims the image.
    ImageClaimed,
    /// Another worker, or another delivery, continues the deletion.
    WorkerJoined,
    /// The object lies in the trash, and the image record is removed.
    ImageRemoved,
    /// Neither the bucket nor the trash has the object, so nothing can be restored. The image record is removed.
    ObjectMissing,
    /// The bucket has another object by now, which stays.
    ObjectReplaced {
        /// Whether the trash has a copy of the claimed object.
        has_copy: bool,
    },
    /// The operator has restored the image.
    ImageRestored,
}

impl DeletionEvent {
    /// All events.
    pub const ALL: [Self; 7] = [
        Self::ImageClaimed,
        Self::WorkerJoined,
        Self::ImageRemoved,
        Self::ObjectMissing,
        Self::ObjectReplaced { has_copy: false },
        Self::ObjectReplaced { has_copy: true },
        Self::ImageRestored,
    ];
}

impl DeletionState {
    /// The state of the deletion `id`. `image` is the image record, `has_trash_record` states whether there is a trash
    /// record of this image and this deletion.
    #[must_use]
    pub fn of(id: &str, image: Option<&Image>, has_trash_record: bool) -> Self {
        if image.is_some_and(|image| image.is_claimed_by(id)) {
            Self::Claimed
        } else if has_trash_record {
            Self::Trashed
        } else {
            Self::NotBegun
        }
    }

    /// The state after an event.
    ///
    /// # Errors
    /// If the event is impossible in this state.
    pub fn apply(self, event: DeletionEvent) -> Result<Self, ImpossibleEvent> {
        use DeletionEvent as E;
        match (self, event) {
            (Self::NotBegun, E::ImageClaimed) | (Self::Claimed, E::WorkerJoined) => Ok(Self::Claimed),
            (Self::Claimed, E::ImageRemoved | E::ObjectReplaced { has_copy: true }) => Ok(Self::Trashed),
            // An evaluation may complete a deletion before its worker finds that there is no copy.
            (Self::Claimed, E::ObjectMissing | E::ObjectReplaced { has_copy: false })
            | (Self::Trashed, E::ObjectMissing | E::ImageRestored) => Ok(Self::NotBegun),
            _ => Err(ImpossibleEvent { record: "deletion", state: self.name(), event: event.name() }),
        }
    }

    /// The name of the state in the documentation.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::NotBegun => "not begun",
            Self::Claimed => "claimed",
            Self::Trashed => "trashed",
        }
    }
}

impl DeletionEvent {
    /// The name of the event in the documentation.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ImageClaimed => "image claimed",
            Self::WorkerJoined => "worker joined",
            Self::ImageRemoved => "image removed",
            Self::ObjectMissing => "object missing",
            Self::ObjectReplaced { has_copy: false } => "object replaced",
            Self::ObjectReplaced { has_copy: true } => "object replaced, copy kept",
            Self::ImageRestored => "image restored",
        }
    }
}

/// The object that a deletion may delete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// Only the assessed one.
    Assessed,
    /// Any object of this name.
    Any,
}

/// Whether a deletion may claim an image.
#[derive(Debug, Clone, PartialEq)]
pub enum Admission {
    /// It may. The trash gets this record.
    Claim(TrashRecord),
    /// A deletion, perhaps another one, has claimed the image. The worker continues that deletion, which has this
    /// record.
    Join(TrashRecord),
    /// It was completed before. This is its record.
    Over(TrashRecord),
    /// The image is pinned.
    Pinned,
    /// The image is not the assessed one.
    Replaced,
}

/// Decides whether the deletion `wanted` may claim an image whose record is `known`. `kept` is the trash record of the
/// deletion that has claimed the image, or else of `wanted` itself.
#[must_use]
pub fn admit(known: Option<&Image>, kept: Option<TrashRecord>, wanted: &TrashRecord, version: Version) -> Admission {
    if let Some(claimed_by) = known.and_then(|image| image.deleting.as_deref()) {
        let begun = kept.unwrap_or_else(|| TrashRecord::of_claim(claimed_by, known, wanted));
        let is_other = version == Version::Assessed && begun.image.etag != wanted.image.etag;
        return if is_other { Admission::Replaced } else { Admission::Join(begun) };
    }
    if known.is_some_and(|image| image.pinned) {
        return Admission::Pinned;
    }
    if let Some(kept) = kept {
        // The image has been deleted before, and since then restored, uploaded again or not listed any more.
        return Admission::Over(kept);
    }
    let is_other = known.is_some_and(|image| image.etag.is_some() && image.etag != wanted.image.etag);
    if version == Version::Assessed && is_other {
        return Admission::Replaced;
    }
    Admission::Claim(TrashRecord::of_claim(&wanted.plan_id, known, wanted))
}

#[cfg(test)]
mod tests;
