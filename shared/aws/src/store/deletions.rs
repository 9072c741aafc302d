//! Deletions: their claims and their workers. `domain::lifecycle::deletion` defines the rules and the transitions.
//!
//! A deletion begins with a claim: one transaction writes the deletion's id into the image record and creates the trash
//! record, which contains everything known about the image. The image record is removed last, so an interrupted deletion
//! can always be resumed from the records.
//!
//! The lease of the trash record admits one worker at a time. A worker that stalls past its lease could still delete a
//! restored image, which is the same object. So a restore waits until every worker has finished, or its function has
//! surely timed out.

use domain::actor::ActorId;
use domain::lifecycle::deletion::{Admission, Version, admit};
use domain::trash::{TrashRecord, WORKER_TIMEOUT};
use jiff::Timestamp;

use super::change::{Change, Condition, Removal};
use super::images::{image_key, image_value};
use super::items::{millis, text, value};
use super::leases::LEASE_DURATION;
use super::trash::{trash_change, trash_key};
use super::{Store, StoreError};

/// How often the records may change between reading and claiming an image before the message fails.
const MAX_CHANGES: u32 = 10;

/// A deletion whose lease a worker holds.
#[derive(Debug, Clone, PartialEq)]
pub struct ClaimedDeletion {
    /// The trash record. Its id is that of the deletion that made the claim.
    pub trashed: TrashRecord,
    /// When all earlier workers have surely ended; `None` if there were none.
    earlier_workers_end_at: Option<Timestamp>,
}

/// The result of a claim.
#[derive(Debug, Clone, PartialEq)]
pub enum Claim {
    /// The worker carries the deletion out.
    Granted(Box<ClaimedDeletion>),
    /// Another worker holds the lease.
    Busy,
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
    /// Claims an image for its deletion and takes the lease of the deletion. A deletion that has claimed the image
    /// already is continued. The trash record is made from the image record, or from `wanted` if no evaluation has
    /// recorded the file yet.
    pub async fn claim_deletion(
        &self,
        actor: &ActorId,
        filename: &str,
        wanted: &TrashRecord,
        version: Version,
        token: &str,
    ) -> Result<Claim, StoreError> {
        let now = wanted.deleted_at;
        for attempt in 0..MAX_CHANGES {
            let known = self.image(actor, filename).await?;
            let claimed_by = known.as_ref().and_then(|image| image.deleting.as_deref());
            let is_wanted = known.as_ref().is_some_and(|image| image.etag == wanted.image.etag);
            // The first claim of the wanted image is the usual case and saves a read: if there is a trash record, the claim
            // fails, and the next attempt reads it.
            let kept = if attempt == 0 && claimed_by.is_none() && is_wanted {
                None
            } else {
                self.trash_item(actor, filename, claimed_by.unwrap_or(&wanted.plan_id)).await?
            };
            let lease_until = kept.as_ref().and_then(|item| item.lease_until);
            let workers_end_at = kept.as_ref().and_then(|item| item.workers_end_at);
            let worker = Worker { token, now, earlier_workers_end_at: workers_end_at };
            let granted = match admit(known.as_ref(), kept.map(|item| item.trashed), wanted, version) {
                Admission::Claim(trashed) => {
                    let is_claimed = self.claim(actor, filename, &trashed, worker, version, known.is_some()).await?;
                    is_claimed.then_some(trashed)
                }
                Admission::Join(_) if lease_until.is_some_and(|until| until >= now) => return Ok(Claim::Busy),
                Admission::Join(begun) => self.resume(actor, filename, begun, worker).await?,
                Admission::Over(kept) => return Ok(Claim::Over(Box::new(kept))),
                Admission::Pinned => return Ok(Claim::Pinned),
                Admission::Replaced => return Ok(Claim::Replaced),
            };
            if let Some(trashed) = granted {
                let earlier_workers_end_at = worker.earlier_workers_end_at;
                return Ok(Claim::Granted(Box::new(ClaimedDeletion { trashed, earlier_workers_end_at })));
            }
        }
        Err(StoreError::Contended("change the record of the image"))
    }

    async fn claim(
        &self,
        actor: &ActorId,
        filename: &str,
        trashed: &TrashRecord,
        worker: Worker<'_>,
        version: Version,
        is_recorded: bool,
    ) -> Result<bool, StoreError> {
        let mut claimed = Change::of(image_key(actor, filename)).set("deleting", text(&trashed.plan_id));
        claimed = if is_recorded {
            // The trash record has the caption as it was read.
            let of_caption = match &trashed.image.caption {
                Some(caption) => Condition::Equal("caption", text(caption)),
                None => Condition::Absent("caption"),
            };
            claimed.when_item_exists().when_absent("deleting").when_absent("pinned").when(of_caption)
        } else {
            // The claim creates the record, so that no evaluation records the file as an upload.
            claimed.set("image", image_value(&trashed.image)?).when_absent("pk")
        };
        if let (true, Version::Assessed, Some(etag)) = (is_recorded, version, &trashed.image.etag) {
            claimed = claimed.when_absent_or_equal("image.etag", text(etag));
        }
        let record = worker.takes(trash_change(actor, filename, trashed)?).when_absent("pk");
        Ok(self.transact(&[claimed.into(), record.into()]).await?.is_empty())
    }

    /// Continues a deletion that has begun, and restarts its retention. Returns `None`, and changes nothing, if the
    /// deletion has ended or another worker has taken its lease since it was read.
    async fn resume(
        &self,
        actor: &ActorId,
        filename: &str,
        begun: TrashRecord,
        worker: Worker<'_>,
    ) -> Result<Option<TrashRecord>, StoreError> {
        let as_read = value(&begun.deleted_at)?;
        let trashed = TrashRecord { deleted_at: worker.now, ..begun };
        let plan_id = text(&trashed.plan_id);
        let claimed =
            Change::of(image_key(actor, filename)).set("deleting", plan_id.clone()).when_equal("deleting", plan_id);
        let resumed = trash_change(actor, filename, &trashed)?.when_absent_or_equal("trashed.deleted_at", as_read);
        let is_resumed = self.transact(&[claimed.into(), worker.takes(resumed).into()]).await?.is_empty();
        Ok(is_resumed.then_some(trashed))
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

    /// Releases the lease of a deletion. This is the worker's last write.
    pub async fn leave_deletion(
        &self,
        actor: &ActorId,
        filename: &str,
        claimed: &ClaimedDeletion,
        token: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let end_at = claimed.earlier_workers_end_at.map_or(now, |earlier| earlier.max(now));
        let left =
            Change::of(trash_key(actor, filename, &claimed.trashed.plan_id)).set("workers_end_at", millis(end_at));
        self.apply(left.end_lease(token)).await.map(drop)
    }

    /// When every worker of this deletion has surely ended; `None` if there is no trash record of it.
    pub async fn deletion_workers_end_at(
        &self,
        actor: &ActorId,
        filename: &str,
        plan_id: &str,
    ) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.trash_item(actor, filename, plan_id).await?.map(|item| {
            let trashed_at = item.trashed.deleted_at;
            item.workers_end_at.unwrap_or(trashed_at)
        }))
    }
}

/// A worker that takes the lease of a deletion.
#[derive(Debug, Clone, Copy)]
struct Worker<'a> {
    token: &'a str,
    now: Timestamp,
    earlier_workers_end_at: Option<Timestamp>,
}

impl Worker<'_> {
    fn takes(self, change: Change) -> Change {
        let end_at = self.now + WORKER_TIMEOUT;
        let end_at = self.earlier_workers_end_at.map_or(end_at, |earlier| earlier.max(end_at));
        let until = self.now + LEASE_DURATION;
        change.set("workers_end_at", millis(end_at)).take_lease(self.token, self.now, until)
    }
}
