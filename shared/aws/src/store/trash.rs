//! Trash records, and the claims of deletions. `domain::lifecycle::deletion` defines the rules and the transitions.
//!
//! A deletion begins with a claim: one transaction writes the deletion's id into the image record and creates the trash
//! record, which contains everything known about the image. The image record is removed last, so an interrupted deletion can
//! always be resumed from the records.
//!
//! The trash record lists the active workers. A stalled worker could delete a restored image, which is the same object. So a
//! restore waits until all workers have finished or their time has run out.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::types::AttributeValue;
use domain::actor::ActorId;
use domain::lifecycle::deletion::{Admission, DeletionState, Version, admit};
use domain::manifest::Image;
use domain::trash::{TRASH_RETENTION, TrashRecord};
use jiff::Timestamp;
use jiff::fmt::serde::timestamp::{millisecond, second};
use serde::{Deserialize, Serialize};

use super::actors::millis;
use super::change::{Change, Write};
use super::images::{image_key, image_value};
use super::items::{self, Item, text, value};
use super::{Store, StoreError};

const TRASH: &str = "TRASH#";

/// How often the records may change between reading and claiming an image before the message fails.
const MAX_CHANGES: u32 = 10;

/// A trash record as it is stored.
#[derive(Serialize, Deserialize)]
struct TrashItem {
    filename: String,
    trashed: TrashRecord,
    /// When DynamoDB may remove the item, in seconds since 1970.
    #[serde(with = "second::required")]
    expires_at: Timestamp,
    /// The workers that have joined the deletion and have not finished.
    #[serde(default)]
    workers: BTreeSet<String>,
    /// When the last worker that finished did so.
    #[serde(default, with = "millisecond::optional")]
    left_at: Option<Timestamp>,
}

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
        let kept = kept(actor, filename, trashed)?.set("workers", members(worker)).when_absent("pk");
        Ok(self.transact(&[claimed.into(), kept.into()]).await?.is_empty())
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
        let joined = kept(actor, filename, &trashed)?.when_absent_or_equal("trashed.deleted_at", as_read);
        let joined = if are_others_dead {
            joined.set("workers", members(worker))
        } else {
            joined.add("workers", members(worker))
        };
        let is_joined = self.transact(&[claimed.into(), joined.into()]).await?.is_empty();
        Ok(is_joined.then_some(trashed))
    }

    /// Completes a deletion: removes the image record, and the trash record if nothing remains. A deletion that holds no claim
    /// stays unchanged.
    pub async fn end_deletion(
        &self,
        actor: &ActorId,
        filename: &str,
        plan_id: &str,
        remains: Remains,
    ) -> Result<(), StoreError> {
        let claimed = Change::of(image_key(actor, filename)).when_equal("deleting", text(plan_id));
        match remains {
            Remains::Trashed => self.remove_item(claimed).await.map(drop),
            Remains::Nothing => {
                let kept = Change::of(trash_key(actor, filename, plan_id));
                self.transact(&[Write::Remove(claimed), Write::Remove(kept)]).await.map(drop)
            }
        }
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
        let kept = Change::of(trash_key(actor, filename, plan_id));
        self.transact(&[freed.into(), Write::Remove(kept)]).await.map(drop)
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
            .take("workers", members(&claimed.worker))
            .set("left_at", millis(now))
            .when_item_exists();
        self.apply(left).await.map(drop)
    }

    /// The state of a deletion.
    pub async fn deletion_state(
        &self,
        actor: &ActorId,
        filename: &str,
        plan_id: &str,
    ) -> Result<DeletionState, StoreError> {
        let image = self.image(actor, filename).await?;
        let trashed = self.trashed(actor, filename, plan_id).await?;
        Ok(DeletionState::of(plan_id, image.as_ref(), trashed.is_some()))
    }

    /// The time by which all workers of this deletion have finished; `None` if there is no trash record of it.
    pub async fn deletion_over_at(
        &self,
        actor: &ActorId,
        filename: &str,
        plan_id: &str,
    ) -> Result<Option<Timestamp>, StoreError> {
        let found: Option<TrashItem> = self.get(trash_key(actor, filename, plan_id)).await?;
        Ok(found.map(|item| item.trashed.over_at(!item.workers.is_empty(), item.left_at)))
    }

    /// The trash record of an image that this deletion has claimed or deleted.
    pub async fn trashed(
        &self,
        actor: &ActorId,
        filename: &str,
        plan_id: &str,
    ) -> Result<Option<TrashRecord>, StoreError> {
        let found: Option<TrashItem> = self.get(trash_key(actor, filename, plan_id)).await?;
        Ok(found.map(|item| item.trashed))
    }

    /// The trash records of all images that had this name.
    pub async fn trash_of(&self, actor: &ActorId, filename: &str) -> Result<Vec<TrashRecord>, StoreError> {
        let items = self.query(actor, &format!("{TRASH}{filename}#")).await?;
        let kept: Vec<TrashItem> = items.into_iter().map(items::data).collect::<Result<_, _>>()?;
        // A file name may contain the separator.
        Ok(kept.into_iter().filter(|item| item.filename == filename).map(|item| item.trashed).collect())
    }

    /// An actor's trash records by file name, the oldest first.
    pub async fn trash(&self, actor: &ActorId) -> Result<BTreeMap<String, Vec<TrashRecord>>, StoreError> {
        let mut trash: BTreeMap<String, Vec<TrashRecord>> = BTreeMap::new();
        for item in self.query(actor, TRASH).await? {
            let TrashItem { filename, trashed, .. } = items::data(item)?;
            trash.entry(filename).or_default().push(trashed);
        }
        for entries in trash.values_mut() {
            entries.sort_by_key(|trashed| trashed.deleted_at);
        }
        Ok(trash)
    }

    /// Writes an imported trash record.
    pub async fn import_trashed(
        &self,
        actor: &ActorId,
        filename: &str,
        trashed: &TrashRecord,
    ) -> Result<(), StoreError> {
        self.apply(kept(actor, filename, trashed)?).await.map(drop)
    }

    /// Creates the record of a restored image again, and replaces that of an evaluation which has recorded its object as an
    /// upload meanwhile. Returns `false`, and changes nothing, if a deletion has claimed it.
    pub async fn restore_image(
        &self,
        actor: &ActorId,
        filename: &str,
        image: &Image,
        pin: bool,
    ) -> Result<bool, StoreError> {
        let mut restored =
            Change::of(image_key(actor, filename)).set("image", image_value(image)?).when_absent("deleting");
        if pin {
            restored = restored.set("pinned", value(&true)?);
        }
        Ok(self.apply(restored).await?.is_some())
    }

    /// Removes the trash record of a restored image.
    pub async fn forget_trashed(&self, actor: &ActorId, filename: &str, plan_id: &str) -> Result<(), StoreError> {
        self.remove_item(Change::of(trash_key(actor, filename, plan_id))).await.map(drop)
    }
}

fn members(worker: &str) -> AttributeValue {
    AttributeValue::Ss(vec![worker.to_owned()])
}

fn kept(actor: &ActorId, filename: &str, trashed: &TrashRecord) -> Result<Change, StoreError> {
    Ok(Change::of(trash_key(actor, filename, &trashed.plan_id))
        .set("filename", text(filename))
        .set("trashed", value(trashed)?)
        .set("expires_at", items::number((trashed.deleted_at + TRASH_RETENTION).as_second())))
}

fn trash_key(actor: &ActorId, filename: &str, plan_id: &str) -> Item {
    items::key(actor, format!("{TRASH}{filename}#{plan_id}"))
}
