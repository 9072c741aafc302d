//! Trash records: what is known of deleted images, and of images that a deletion has claimed.

use std::collections::BTreeMap;

use domain::actor::ActorId;
use domain::manifest::Image;
use domain::trash::{TRASH_RETENTION, TrashRecord};
use jiff::Timestamp;
use jiff::fmt::serde::timestamp::{millisecond, second};
use serde::{Deserialize, Serialize};

use super::change::{Change, Removal};
use super::images::{image_key, image_value};
use super::items::{self, Item, text, value};
use super::requests::raised;
use super::{Store, StoreError};

const TRASH: &str = "TRASH#";

/// A trash record as it is stored.
#[derive(Serialize, Deserialize)]
pub(super) struct TrashItem {
    filename: String,
    pub(super) trashed: TrashRecord,
    /// When DynamoDB may remove the item, in seconds since 1970.
    #[serde(with = "second::required")]
    expires_at: Timestamp,
    /// The end of the lease of the worker that carries the deletion out ([`leases`](super::leases)).
    #[serde(default, with = "millisecond::optional")]
    pub(super) lease_until: Option<Timestamp>,
    /// When the last of its workers has surely ended.
    #[serde(default, with = "millisecond::optional")]
    pub(super) workers_end_at: Option<Timestamp>,
}

impl Store {
    /// The trash record of an image that this deletion has claimed or deleted.
    pub async fn trashed(
        &self,
        actor: &ActorId,
        filename: &str,
        plan_id: &str,
    ) -> Result<Option<TrashRecord>, StoreError> {
        Ok(self.trash_item(actor, filename, plan_id).await?.map(|item| item.trashed))
    }

    pub(super) async fn trash_item(
        &self,
        actor: &ActorId,
        filename: &str,
        plan_id: &str,
    ) -> Result<Option<TrashItem>, StoreError> {
        self.get(trash_key(actor, filename, plan_id)).await
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
        self.apply(trash_change(actor, filename, trashed)?).await.map(drop)
    }

    /// Creates the record of a restored image again, and replaces that of an evaluation which has recorded its object
    /// as an upload meanwhile. Returns `false`, and changes nothing, if a deletion has claimed it.
    pub async fn restore_image(
        &self,
        actor: &ActorId,
        filename: &str,
        image: &Image,
        pin: bool,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut restored =
            Change::of(image_key(actor, filename)).set("image", image_value(image)?).when_absent("deleting");
        if let Some(caption) = &image.caption {
            restored = restored.set("caption", text(caption));
        }
        if pin {
            restored = restored.set("pinned", value(&true)?);
        }
        // The event of the restored object finds a record that describes it, and evaluates the raised revision.
        let raised = raised(actor, now).add("desired_revision", items::number(1));
        Ok(self.transact(&[restored.into(), raised.into()]).await?.is_empty())
    }

    /// Removes the trash record of a restored image. Comes after [`Self::restore_image`], which no claim of this
    /// deletion can follow: while its trash record exists, the deletion counts as completed.
    pub async fn forget_trashed(&self, actor: &ActorId, filename: &str, plan_id: &str) -> Result<(), StoreError> {
        self.remove_item(Removal::of(trash_key(actor, filename, plan_id))).await.map(drop)
    }
}

/// The change that writes a trash record.
pub(super) fn trash_change(actor: &ActorId, filename: &str, trashed: &TrashRecord) -> Result<Change, StoreError> {
    Ok(Change::of(trash_key(actor, filename, &trashed.plan_id))
        .set("filename", text(filename))
        .set("trashed", value(trashed)?)
        .set("expires_at", items::number((trashed.deleted_at + TRASH_RETENTION).as_second())))
}

pub(super) fn trash_key(actor: &ActorId, filename: &str, plan_id: &str) -> Item {
    items::key(actor, format!("{TRASH}{filename}#{plan_id}"))
}
