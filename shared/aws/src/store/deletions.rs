//! Deletions: their claims and their workers. `domain::lifecycle::deletion` defines the rules and the transitions.
//!
//! A deletion begins with a claim: one transaction writes the deletion's id into the image record and creates the trash
//! record, which contains everything known about the image. The image record is removed last, so an interrupted deletion
//! can always be resumed from the records.
//!
//! The trash record lists the active workers. A stalled worker could delete a restored image, which is the same object.
//! So a restore waits until all workers have finished or their time has run out.

use domain::actor::ActorId;
use domain::lifecycle::deletion::{Admission, Version, admit};
use domain::trash::TrashRecord;
use jiff::Timestamp;

use super::change::{Change, Condition, Removal};
use super::images::{image_key, image_value};
use super::items::{members, millis, text, value};
use super::trash::{trash_change, trash_key};
use super::{Store, StoreError};

/// How often the records may change between reading and claiming an image before the message fails.
const MAX_CHANGES: u32 = 10;

/// A deletion that a worker has claimed or joined.
#[derive(Debug, Clone, PartialEq)]
pub struct ClaimedDeletion {
    /// The trash record. Its id is that of the deletion that made the claim.
    pub trashed: TrashRecord,
    /// The id of the worker in the trash record.
    pub worker: String,
}

/// The result of a claim.
#[derive(Debug, Clone, PartialEq)]
pub enum Claim {
    /// The worker carries the deletion out.
    Granted(Box<ClaimedDeletion>),
    /// The deletion was completed before. This is its record.
    Over(Box<TrashRecord>),
    /// The image is pinned.
    Pinned,
    /// The image is not the assessed one.
    Replaced,
}

/// What a completed deletion leaves behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remains {
    /// The trash has the image.
    Trashed,
    /// Neither the bucket nor the trash had the image.
    Nothing,
}

impl Store {
    /// Claims an image for its deletion. Repeated calls join the same deletion. The trash record is made from the image
    /// record, or from `wanted` if no evaluation has recorded the file yet.
    pub async fn claim_deletion(
        &self,
        actor: &ActorId,
        filename: &str,
        wanted: &TrashRecord,
        version: Version,
    ) -> Result<Claim, StoreError> {
        let worker = format!("{:016x}", rand::random::<u64>());
        for attempt in 0..MAX_CHANGES {
            let known = self.image(actor, filename).await?;
            let claimed_by = known.as_ref().and_then(|image| image.deleting.as_deref());
            let is_wanted = known.as_ref().is_some_and(|image| image.etag == wanted.image.etag);
            // The first claim of the wanted image is the usual case and saves a read: if there is a trash record, the claim
            // fails, and the next attempt reads it.
            let kept = if attempt == 0 && claimed_by.is_none() && is_wanted {
                None
            } else {
                self.trashed(actor, filename, claimed_by.unwrap_or(&wanted.plan_id)).await?
            };
            let granted = match admit(known.as_ref(), kept, wanted, version) {
                Admission::Claim(trashed) => {
                    let is_claimed = self.claim(actor, filename, &trashed, &worker, version, known.is_some()).await?;
                    is_claimed.then_some(trashed)
                }
                Admission::Join(begun) => self.join(actor, filename, begun, wanted.deleted_at, &worker).await?,
                Admission::Over(kept) => return Ok(Claim::Over(Box::new(kept))),
                Admission::Pinned => return Ok(Claim::Pinned),
                Admission::Replaced => return Ok(Claim::Replaced),
            };
            if let Some(trashed) = granted {
                return Ok(Claim::Granted(Box::new(ClaimedDeletion { trashed, worker })));
            }
        }
        Err(StoreError::Contended("change the record of the image"))
    }

    async fn claim(
        &self,
        actor: &ActorId,
        filename: &str,
        trashed: &TrashRecord,
        worker: &str,
        version: Version,
        is_recorded: bool,
    ) -> Result<bool, StoreError> {
        let mut claimed = Change::of(image_key(actor, filename)).set("deleting", text(&trashed.plan_id));
        claimed = if is_recorded {
            claimed.when_item_exists().when_absent("deleting").when_absent("pinned")
        } else {
            // The claim creates the record, so that no evaluation records the file as an upload.
            claimed.set("image", image_value(&trashed.image)?).when_absent("pk")
        };
        if let (true, Version::Assessed, Some(etag)) = (is_recorded, version, &trashed.image.etag) {
            claimed = claimed.when_absent_or_equal("image.etag", text(etag));
        }
        let record = trash_change(actor, filename, trashed)?.set("workers", members(worker)).when_absent("pk");
        Ok(self.transact(&[claimed.into(), record.into()]).await?.is_empty())
    }

    /// Joins a deletion that has begun, and restarts its retention. Returns `None`, and changes nothing, if the deletion has
    /// ended or another worker has joined since it was read.
    async fn join(
        &self,
        actor: &ActorId,
        filename: &str,
        begun: TrashRecord,
        now: Timestamp,
        worker: &str,
    ) -> Result<Option<TrashRecord>, StoreError> {
        let are_others_dead = begun.is_abandoned(now);
        let as_read = value(&begun.deleted_at)?;
        let trashed = TrashRecord { deleted_at: now, ..begun };
        let plan_id = text(&trashed.plan_id);
        let claimed =
            Change::of(image_key(actor, filename)).set("deleting", plan_id.clone()).when_equal("deleting", plan_id);
        let joined = trash_change(actor, filename, &trashed)?.when_absent_or_equal("trashed.deleted_at", as_read);
        let joined = if are_others_dead {
            joined.set("workers", members(worker))
        } else {
            joined.add("workers", members(worker))
        };
        let is_joined = self.transact(&[claimed.into(), joined.into()]).await?.is_empty();
        Ok(is_joined.then_some(trashed))
    }

    /// Completes a deletion: removes the image record if it has the claim, and the trash record if nothing remains.
    pub async fn end_deletion(
        &self,
        actor: &ActorId,
        filename: &str,
        plan_id: &str,
        remains: Remains,
    ) -> Result<(), StoreError> {
        let image = Removal::of(image_key(actor, filename)).when(Condition::Equal("deleting", text(plan_id)));
        let record = Removal::of(trash_key(actor, filename, plan_id));
        let is_ended = match remains {
            Remains::Trashed => self.remove_item(image).await?,
            Remains::Nothing => self.transact(&[image.into(), record.clone().into()]).await?.is_empty(),
        };
        if remains == Remains::Nothing && !is_ended {
            // An evaluation has ended the deletion, and could not know that there is no copy.
            self.remove_item(record).await?;
        }
        Ok(())
    }

    /// Withdraws the claim of a deletion that found another object. If the trash has a copy of the claimed object, its trash
    /// record stays. A deletion that holds no claim stays unchanged.
    pub async fn withdraw_deletion(
        &self,
        actor: &ActorId,
        filename: &str,
        plan_id: &str,
        has_copy: bool,
    ) -> Result<(), StoreError> {
        let freed = Change::of(image_key(actor, filename)).remove("deleting").when_equal("deleting", text(plan_id));
        if has_copy {
            return self.apply(freed).await.map(drop);
        }
        let record = Removal::of(trash_key(actor, filename, plan_id));
        self.transact(&[freed.into(), record.into()]).await.map(drop)
    }

    /// Records that a worker has finished its part of a deletion. This is its last write.
    pub async fn leave_deletion(
        &self,
        actor: &ActorId,
        filename: &str,
        claimed: &ClaimedDeletion,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let left = Change::of(trash_key(actor, filename, &claimed.trashed.plan_id))
            .remove_members("workers", members(&claimed.worker))
            .set("left_at", millis(now))
            .when_item_exists();
        self.apply(left).await.map(drop)
    }

    /// The time by which all workers of this deletion have finished; `None` if there is no trash record of it.
    pub async fn deletion_over_at(
        &self,
        actor: &ActorId,
        filename: &str,
        plan_id: &str,
    ) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.trash_item(actor, filename, plan_id).await?.map(|item| item.over_at()))
    }
}
