//! The images of a set and the generations they came in.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::{Put, TransactWriteItem};
use serde::{Deserialize, Serialize};

use super::actors::actor_key;
use super::change::Change;
use super::items::{self, Item, number, text, value};
use super::{Store, StoreError};
use crate::adapters::AwsError;
use crate::domain::actor::ActorId;
use crate::domain::manifest::{Generation, Image};

const IMAGE: &str = "IMAGE#";
const GENERATION: &str = "GENERATION#";

/// Images that enter a manifest in one transaction; DynamoDB takes 100 items at once.
pub const MOST_AT_ONCE: usize = 90;

/// A nested map, so that one attribute of it can be changed by itself.
#[derive(Serialize, Deserialize)]
struct ImageItem {
    image: Image,
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
                images.insert(filename, items::data::<ImageItem>(item)?.image);
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
        Ok(found.map(|item| item.image))
    }

    /// Every generation of an actor, in order.
    ///
    /// # Errors
    /// If the table can't be read.
    pub async fn generations(&self, actor: &ActorId) -> Result<Vec<Generation>, StoreError> {
        self.query(actor, GENERATION).await?.into_iter().map(items::data).collect()
    }

    /// Enters up to [`MOST_AT_ONCE`] images as one new generation, as long as the lease is held. `false` if it
    /// isn't any more.
    ///
    /// # Errors
    /// If the table can't be written.
    pub async fn register(
        &self,
        actor: &ActorId,
        token: &str,
        generation: &Generation,
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

    /// Writes what is known of an image, whatever was known before.
    ///
    /// # Errors
    /// If the table can't be written.
    pub async fn save_image(&self, actor: &ActorId, filename: &str, image: &Image) -> Result<(), StoreError> {
        let item = items::item(image_key(actor, filename), &ImageItem { image: image.clone() })?;
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
    pub async fn import_generation(&self, actor: &ActorId, generation: &Generation) -> Result<(), StoreError> {
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
        let item = items::item(image_key(actor, filename), &ImageItem { image: image.clone() })?;
        self.put_new(item)
    }

    pub(super) fn put_generation(
        &self,
        actor: &ActorId,
        generation: &Generation,
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

pub(super) fn image_key(actor: &ActorId, filename: &str) -> Item {
    items::key(actor, format!("{IMAGE}{filename}"))
}

/// Padded, so that generations sort by their number.
fn generation_key(actor: &ActorId, generation: u32) -> Item {
    items::key(actor, format!("{GENERATION}{generation:010}"))
}
