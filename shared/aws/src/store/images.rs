//! The images of a set and the generations they came in.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem};
use domain::actor::ActorId;
use domain::manifest::{GenerationBatch, Image};
use serde::{Deserialize, Serialize};

use super::actors::actor_key;
use super::change::Change;
use super::items::{self, Item, number, text, value};
use super::{Store, StoreError};
use crate::AwsError;

const IMAGE: &str = "IMAGE#";
const GENERATION: &str = "GENERATION#";

/// What an evaluation finds out about an image, and which object it has looked at, as the manifest calls it.
const FINDINGS: [&str; 8] = ["etag", "type", "quality", "flags", "reason", "assessed_by", "facts", "unusable"];

/// Images that enter a manifest in one transaction; DynamoDB takes 100 items at once.
pub const MAX_IMAGES_PER_TRANSACTION: usize = 90;

/// A nested map, so that one attribute of it can be changed by itself.
///
/// The pin and the deletion claim are separate attributes: an evaluation that writes its findings must not undo a pin or a
/// claim that was written since the evaluation read the record.
#[derive(Serialize, Deserialize)]
struct ImageItem {
    image: Image,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pinned: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    deleting: Option<String>,
}

impl From<&Image> for ImageItem {
    fn from(image: &Image) -> Self {
        let (pinned, deleting) = (image.pinned.then_some(true), image.deleting.clone());
        Self { image: Image { pinned: false, ..image.clone() }, pinned, deleting }
    }
}

impl From<ImageItem> for Image {
    fn from(ImageItem { image, pinned, deleting }: ImageItem) -> Self {
        Self { pinned: pinned.unwrap_or_default(), deleting, ..image }
    }
}

/// What became of a wish to pin an image, or to let it go again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pinning {
    /// It is as wished.
    Done,
    /// The manifest has no image of that name.
    Unknown,
    /// It is on its way to the trash.
    BeingDeleted,
}

impl Store {
    /// Every image of an actor, by file name.
    ///
    /// # Errors
    /// If the table can't be read.
    pub async fn images(&self, actor: &ActorId) -> Result<BTreeMap<String, Image>, StoreError> {
        let mut images = BTreeMap::new();
        for item in self.query(actor, IMAGE).await? {
            if let Some(filename) = items::sort_key_after(&item, IMAGE) {
                images.insert(filename, items::data::<ImageItem>(item)?.into());
            }
        }
        Ok(images)
    }

    /// One image; `None` if the manifest has none of that name.
    ///
    /// # Errors
    /// If the table can't be read.
    pub async fn image(&self, actor: &ActorId, filename: &str) -> Result<Option<Image>, StoreError> {
        let found: Option<ImageItem> = self.get(image_key(actor, filename)).await?;
        Ok(found.map(Image::from))
    }

    /// Every generation of an actor, in order.
    ///
    /// # Errors
    /// If the table can't be read.
    pub async fn generations(&self, actor: &ActorId) -> Result<Vec<GenerationBatch>, StoreError> {
        self.query(actor, GENERATION).await?.into_iter().map(items::data).collect()
    }

    /// Enters up to [`MAX_IMAGES_PER_TRANSACTION`] images as one new generation, as long as the lease is held. `false` if it
    /// isn't any more.
    ///
    /// # Errors
    /// If the table can't be written.
    pub async fn register(
        &self,
        actor: &ActorId,
        token: &str,
        generation: &GenerationBatch,
        images: &[(String, Image)],
    ) -> Result<bool, StoreError> {
        let counted = Change::of(actor_key(actor))
            .set("last_generation", number(generation.generation_id))
            .when_equal("lease_token", text(token));
        let mut writes = vec![counted.in_transaction(self)?, self.put_generation(actor, generation)?];
        for (filename, image) in images {
            writes.push(self.put_image(actor, filename, image)?);
        }
        self.transact(writes).await
    }

    /// Writes the measurements and the observation of an image. All other attributes stay unchanged: the operator may have
    /// restored the image meanwhile, with its prompt and cost.
    ///
    /// # Errors
    /// If the table can't be written.
    pub async fn save_findings(&self, actor: &ActorId, filename: &str, image: &Image) -> Result<(), StoreError> {
        let mut fields = value(image)?.as_m().cloned().unwrap_or_default();
        let change = Change::of(image_key(actor, filename)).when_item_exists();
        let change = FINDINGS.iter().fold(change, |change, field| match fields.remove(*field) {
            Some(found) => change.set(&format!("image.{field}"), found),
            None => change.remove(&format!("image.{field}")),
        });
        self.apply(change).await.map(drop)
    }

    /// Writes all that is known of an image of the manifest, which is another one than it was. Whether its name is
    /// pinned, or being deleted, stays as it is.
    ///
    /// # Errors
    /// If the table can't be written.
    pub async fn save_replaced(&self, actor: &ActorId, filename: &str, image: &Image) -> Result<(), StoreError> {
        let change = Change::of(image_key(actor, filename)).set("image", image_value(image)?).when_item_exists();
        self.apply(change).await.map(drop)
    }

    /// Takes an image out of the manifest that is no longer in the bucket, unless it has been pinned, or its deletion
    /// has begun, since it was read.
    ///
    /// # Errors
    /// If the table can't be written.
    pub async fn forget_vanished(&self, actor: &ActorId, filename: &str, image: &Image) -> Result<(), StoreError> {
        let mut vanished = Change::of(image_key(actor, filename)).when_absent("deleting");
        if !image.pinned {
            vanished = vanished.when_absent("pinned");
        }
        self.remove_item(vanished).await.map(drop)
    }

    /// Pins an image, or lets it go again, unless its deletion has begun.
    ///
    /// # Errors
    /// If the table can't be written.
    pub async fn set_pinned(&self, actor: &ActorId, filename: &str, pinned: bool) -> Result<Pinning, StoreError> {
        let change = Change::of(image_key(actor, filename)).when_item_exists().when_absent("deleting");
        let change = if pinned { change.set("pinned", value(&true)?) } else { change.remove("pinned") };
        if self.apply(change).await?.is_some() {
            return Ok(Pinning::Done);
        }
        let known = self.image(actor, filename).await?;
        Ok(if known.is_some() { Pinning::BeingDeleted } else { Pinning::Unknown })
    }

    /// Writes an imported image.
    ///
    /// # Errors
    /// If the table can't be written.
    pub async fn import_image(&self, actor: &ActorId, filename: &str, image: &Image) -> Result<(), StoreError> {
        let item = items::item(image_key(actor, filename), &ImageItem::from(image))?;
        let put = self.client.put_item().table_name(&self.table).set_item(Some(item)).send().await;
        put.map(drop).map_err(|error| self.error("PutItem", filename, &error))
    }

    /// Takes an image out of the manifest, if it is there.
    ///
    /// # Errors
    /// If the table can't be written.
    pub async fn forget_image(&self, actor: &ActorId, filename: &str) -> Result<(), StoreError> {
        let key = image_key(actor, filename);
        let deleted = self.client.delete_item().table_name(&self.table).set_key(Some(key)).send().await;
        deleted.map(drop).map_err(|error| self.error("DeleteItem", filename, &error))
    }

    /// Notes that a generated image has reached its place.
    ///
    /// # Errors
    /// If the table can't be written.
    pub async fn mark_placed(&self, actor: &ActorId, filename: &str, etag: &str) -> Result<(), StoreError> {
        let change = Change::of(image_key(actor, filename))
            .set("image.etag", text(etag))
            .when_item_exists()
            .when_absent("image.etag");
        self.apply(change).await.map(drop)
    }

    /// Writes an imported generation.
    ///
    /// # Errors
    /// If the table can't be written.
    pub async fn import_generation(&self, actor: &ActorId, generation: &GenerationBatch) -> Result<(), StoreError> {
        let item = items::item(generation_key(actor, generation.generation_id), generation)?;
        let put = self.client.put_item().table_name(&self.table).set_item(Some(item)).send().await;
        put.map(drop).map_err(|error| self.error("PutItem", GENERATION, &error))
    }

    /// Raises the highest number ever used to at least this.
    ///
    /// # Errors
    /// If the table can't be written.
    pub async fn raise_last_number(&self, actor: &ActorId, at_least: u64) -> Result<(), StoreError> {
        let change = Change::of(actor_key(actor))
            .set("last_number", value(&at_least)?)
            .when_absent_or_below("last_number", number(at_least));
        self.apply(change).await.map(drop)
    }

    pub(super) fn put_image(
        &self,
        actor: &ActorId,
        filename: &str,
        image: &Image,
    ) -> Result<TransactWriteItem, StoreError> {
        self.put_new(items::item(image_key(actor, filename), &ImageItem::from(image))?)
    }

    pub(super) fn put_generation(
        &self,
        actor: &ActorId,
        generation: &GenerationBatch,
    ) -> Result<TransactWriteItem, StoreError> {
        self.put_new(items::item(generation_key(actor, generation.generation_id), generation)?)
    }

    /// A write that holds only where there is no such item.
    pub(super) fn put_new(&self, item: Item) -> Result<TransactWriteItem, StoreError> {
        let put = Put::builder()
            .table_name(&self.table)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(pk)")
            .build()
            .map_err(|error| AwsError::new("DynamoDB", "TransactWriteItems", &self.table, error.to_string()))?;
        Ok(TransactWriteItem::builder().put(put).build())
    }
}

/// An image as it stands in its item, without what stands beside it there.
pub(super) fn image_value(image: &Image) -> Result<AttributeValue, StoreError> {
    value(&ImageItem::from(image).image)
}

pub(super) fn image_key(actor: &ActorId, filename: &str) -> Item {
    items::key(actor, format!("{IMAGE}{filename}"))
}

/// Padded, so that generations sort by their number.
fn generation_key(actor: &ActorId, generation: u32) -> Item {
    items::key(actor, format!("{GENERATION}{generation:010}"))
}
