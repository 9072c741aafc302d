//! Deletions, and the images in the trash.
//!
//! A deletion begins with a claim: one transaction writes the deletion's id into the image record and creates the trash
//! record, which contains everything known about the image. From then on the image can't be pinned; a pinned image can't be
//! claimed. The image record is removed last, so an interrupted deletion can always be resumed from the records.
//!
//! The trash record lists the active workers. A stalled worker could delete a restored image, which is the same object. So a
//! restore waits until all workers have finished or their time has run out.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::types::AttributeValue;
use domain::actor::ActorId;
use domain::manifest::Image;
use domain::trash::{TRASH_RETENTION, TrashRecord, WORKER_TIMEOUT};
use jiff::Timestamp;
use jiff::fmt::serde::timestamp::{millisecond, second};
use serde::{Deserialize, Serialize};

use super::actors::millis;
use super::change::Change;
use super::images::{image_key, image_value};
use super::items::{self, Item, text, value};
use super::{Store, StoreError};
use crate::AwsError;

const TRASH: &str = "TRASH#";

/// How often the record may change between reading and claiming it before the message is left for later.
const MOST_CHANGES: u32 = 10;

/// A record of the trash.
#[derive(Serialize, Deserialize)]
struct TrashItem {
    filename: String,
    trashed: TrashRecord,
    /// When `DynamoDB` may forget it, in seconds since 1970.
    #[serde(with = "second::required")]
    expires_at: Timestamp,
    /// Who is at the deletion, or has died of it.
    #[serde(default)]
    workers: BTreeSet<String>,
    /// When the last of the others left.
    #[serde(default, with = "millisecond::optional")]
    left_at: Option<Timestamp>,
}

/// Which object a deletion is meant for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// The one that was judged, and no other.
    Assessed,
    /// Whichever bears the name.
    Any,
}

/// A deletion that may go on.
#[derive(Debug, Clone, PartialEq)]
pub struct Begun {
    /// What is kept of the image, under the deletion's name: its own, or that of one which began before and has not ended.
    pub trashed: TrashRecord,
    /// Who is at it.
    pub worker: String,
}

/// Whether a deletion may go on.
#[derive(Debug, Clone, PartialEq)]
pub enum Claim {
    /// It may.
    Begun(Box<Begun>),
    /// The deletion has been carried out before; this is its record.
    Over(Box<TrashRecord>),
    /// The image is pinned.
    Pinned,
    /// The image is another one than was judged.
    Replaced,
}

impl Store {
    /// Claims an image for its deletion. Repeated calls join the same deletion. The trash record is made from the image
    /// record, or from `wanted` if no evaluation has recorded the file yet.
    ///
    /// # Errors
    /// If the table can't be written.
    pub async fn begin_deletion(
        &self,
        actor: &ActorId,
        filename: &str,
        wanted: &TrashRecord,
        version: Version,
    ) -> Result<Claim, StoreError> {
        let worker = format!("{:016x}", rand::random::<u64>());
        for _ in 0..MOST_CHANGES {
            let known = self.image(actor, filename).await?;
            if let Some(plan_id) = known.as_ref().and_then(|image| image.deleting.as_ref()) {
                let begun = self.trashed(actor, filename, plan_id).await?;
                let begun = begun.unwrap_or_else(|| trashed_as(plan_id, known.as_ref(), wanted));
                if version == Version::Assessed && begun.image.etag != wanted.image.etag {
                    return Ok(Claim::Replaced);
                }
                if let Some(trashed) = self.take_up(actor, filename, begun, wanted.deleted_at, &worker).await? {
                    return Ok(Claim::Begun(Box::new(Begun { trashed, worker })));
                }
                continue;
            }
            if let Some(objection) = self.objection(actor, filename, wanted, version, known.as_ref()).await? {
                return Ok(objection);
            }
            let trashed = trashed_as(&wanted.plan_id, known.as_ref(), wanted);
            if self.claim(actor, filename, &trashed, &worker, version, known.is_some()).await? {
                return Ok(Claim::Begun(Box::new(Begun { trashed, worker })));
            }
            if let Some(kept) = self.trashed(actor, filename, &wanted.plan_id).await?
                && self.image(actor, filename).await?.is_none_or(|image| image.deleting.is_none())
            {
                // The image has been restored, or is being restored.
                return Ok(Claim::Over(Box::new(kept)));
            }
        }
        Err(AwsError::new("DynamoDB", "TransactWriteItems", filename, "its record changes all the time").into())
    }

    /// The reason why an unclaimed image must not be claimed; `None` if it may be.
    async fn objection(
        &self,
        actor: &ActorId,
        filename: &str,
        wanted: &TrashRecord,
        version: Version,
        known: Option<&Image>,
    ) -> Result<Option<Claim>, StoreError> {
        if known.is_some_and(|image| image.pinned) {
            return Ok(Some(Claim::Pinned));
        }
        let is_other = |image: &Image| image.etag.is_some() && image.etag != wanted.image.etag;
        let is_gone_or_other = known.is_none_or(is_other);
        if version == Version::Any || !is_gone_or_other {
            return Ok(None);
        }
        if let Some(kept) = self.trashed(actor, filename, &wanted.plan_id).await? {
            return Ok(Some(Claim::Over(Box::new(kept))));
        }
        Ok(known.is_some().then_some(Claim::Replaced))
    }

    /// Joins a deletion that has begun. Its time begins anew: the image can be put back for 30 days from now. `None` if it has just ended, or been taken up by another.
    async fn take_up(
        &self,
        actor: &ActorId,
        filename: &str,
        begun: TrashRecord,
        now: Timestamp,
        worker: &str,
    ) -> Result<Option<TrashRecord>, StoreError> {
        let are_others_dead = now.duration_since(begun.deleted_at) > WORKER_TIMEOUT;
        let as_read = value(&begun.deleted_at)?;
        let trashed = TrashRecord { deleted_at: now, ..begun };
        let plan_id = text(&trashed.plan_id);
        let claimed =
            Change::of(image_key(actor, filename)).set("deleting", plan_id.clone()).when_equal("deleting", plan_id);
        // A live worker may have joined since the record was read.
        let joined = kept(actor, filename, &trashed)?.when_absent_or_equal("trashed.deleted_at", as_read);
        let joined = if are_others_dead {
            joined.set("workers", members(worker))
        } else {
            joined.add("workers", members(worker))
        };
        let is_taken_up = self.transact_changes(&[claimed, joined]).await?.is_empty();
        Ok(is_taken_up.then_some(trashed))
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
            // The record is made for the claim's sake: so that an evaluation doesn't take the file up meanwhile.
            claimed.set("image", image_value(&trashed.image)?).when_absent("pk")
        };
        if let (true, Version::Assessed, Some(etag)) = (is_recorded, version, &trashed.image.etag) {
            claimed = claimed.when_absent_or_equal("image.etag", text(etag));
        }
        let kept = kept(actor, filename, trashed)?.set("workers", members(worker)).when_absent("pk");
        Ok(self.transact_changes(&[claimed, kept]).await?.is_empty())
    }

    /// Ends a deletion: the image leaves the manifest.
    ///
    /// # Errors
    /// If the table can't be written.
    pub async fn end_deletion(&self, actor: &ActorId, filename: &str, plan_id: &str) -> Result<(), StoreError> {
        let claimed = Change::of(image_key(actor, filename)).when_equal("deleting", text(plan_id));
        self.remove_item(claimed).await.map(drop)
    }

    /// Notes that a worker is not at a deletion any more. Comes last.
    ///
    /// # Errors
    /// If the table can't be written.
    pub async fn leave_deletion(
        &self,
        actor: &ActorId,
        filename: &str,
        begun: &Begun,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let left = Change::of(trash_key(actor, filename, &begun.trashed.plan_id))
            .take("workers", members(&begun.worker))
            .set("left_at", millis(now))
            .when_item_exists();
        self.apply(left).await.map(drop)
    }

    /// The time by which all workers of this deletion have finished; `None` if there is no trash record of it.
    ///
    /// # Errors
    /// If the table can't be read.
    pub async fn deletion_over_at(
        &self,
        actor: &ActorId,
        filename: &str,
        plan_id: &str,
    ) -> Result<Option<Timestamp>, StoreError> {
        let found: Option<TrashItem> = self.get(trash_key(actor, filename, plan_id)).await?;
        Ok(found.map(|TrashItem { trashed, workers, left_at, .. }| {
            if workers.is_empty() { left_at.unwrap_or(trashed.deleted_at) } else { trashed.deleted_at + WORKER_TIMEOUT }
        }))
    }

    /// Takes a deletion back that found another object under the image's name. Where a copy of the one that was meant
    /// lies in the trash already, its record stays there too.
    ///
    /// # Errors
    /// If the table can't be written.
    pub async fn take_deletion_back(
        &self,
        actor: &ActorId,
        filename: &str,
        plan_id: &str,
        has_copy: bool,
    ) -> Result<(), StoreError> {
        let freed = Change::of(image_key(actor, filename)).remove("deleting").when_equal("deleting", text(plan_id));
        let mut writes = vec![freed.in_transaction(self)?];
        if !has_copy {
            writes.push(Change::of(trash_key(actor, filename, plan_id)).removal_in_transaction(self)?);
        }
        self.transact_with_retry(writes).await.map(drop)
    }

    /// What is kept of an image that this plan has deleted, or is deleting.
    ///
    /// # Errors
    /// If the table can't be read.
    pub async fn trashed(
        &self,
        actor: &ActorId,
        filename: &str,
        plan_id: &str,
    ) -> Result<Option<TrashRecord>, StoreError> {
        let found: Option<TrashItem> = self.get(trash_key(actor, filename, plan_id)).await?;
        Ok(found.map(|item| item.trashed))
    }

    /// What is kept of the images that bore this name.
    ///
    /// # Errors
    /// If the table can't be read.
    pub async fn trash_of(&self, actor: &ActorId, filename: &str) -> Result<Vec<TrashRecord>, StoreError> {
        let items = self.query(actor, &format!("{TRASH}{filename}#")).await?;
        let kept: Vec<TrashItem> = items.into_iter().map(items::data).collect::<Result<_, _>>()?;
        Ok(kept.into_iter().filter(|item| item.filename == filename).map(|item| item.trashed).collect())
    }

    /// Everything that lies in an actor's trash, by file name, the oldest first.
    ///
    /// # Errors
    /// If the table can't be read.
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

    /// Writes an imported record of the trash.
    ///
    /// # Errors
    /// If the table can't be written.
    pub async fn import_trashed(
        &self,
        actor: &ActorId,
        filename: &str,
        trashed: &TrashRecord,
    ) -> Result<(), StoreError> {
        self.apply(kept(actor, filename, trashed)?).await.map(drop)
    }

    /// Enters an image in the manifest again that was deleted, pinned if so wanted, whatever an evaluation that has
    /// found its object meanwhile says of it. `false` if a deletion has begun.
    ///
    /// # Errors
    /// If the table can't be written.
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

    /// Strikes an image from the trash: it has been put back.
    ///
    /// # Errors
    /// If the table can't be written.
    pub async fn forget_trashed(&self, actor: &ActorId, filename: &str, plan_id: &str) -> Result<(), StoreError> {
        self.remove_item(Change::of(trash_key(actor, filename, plan_id))).await.map(drop)
    }
}

/// What is kept of an image whose deletion bears this name.
fn trashed_as(plan_id: &str, known: Option<&Image>, wanted: &TrashRecord) -> TrashRecord {
    TrashRecord { plan_id: plan_id.to_owned(), image: version_of(known, &wanted.image), ..wanted.clone() }
}

/// A set with one member.
fn members(worker: &str) -> AttributeValue {
    AttributeValue::Ss(vec![worker.to_owned()])
}

/// What is known of the object that goes, where the manifest knows the image: nothing if that is another object.
fn version_of(known: Option<&Image>, wanted: &Image) -> Image {
    let Some(known) = known else { return wanted.clone() };
    let mut image = known.clone();
    match (&known.etag, &wanted.etag) {
        (Some(etag), Some(other)) if etag != other => image.replace(other),
        _ => image.etag.clone_from(&wanted.etag),
    }
    image
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
