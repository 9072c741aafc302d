//! Image records and generation batches.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::actor::ActorId;
use domain::manifest::{GenerationBatch, Image};
use serde::{Deserialize, Serialize};

use super::actors::actor_key;
use super::change::{Change, Condition, Removal, Write};
use super::items::{self, Item, number, text, value};
use super::{Store, StoreError};

const IMAGE: &str = "IMAGE#";
const GENERATION: &str = "GENERATION#";

/// The attributes of an image that an evaluation measures, and the `ETag` of the object that it has read.
const MEASUREMENTS: [&str; 3] = ["image.etag", "image.facts", "image.unusable"];

/// The attributes of an image that a vision model observes.
const OBSERVATION: [&str; 7] = [
    "image.type",
    "image.quality",
    "image.flags",
    "image.reason",
    "image.depicts",
    "image.assessed_by",
    "image.compared_with",
];

/// The results of comparing an image with others.
const COMPARED: [&str; 1] = ["image.compared"];

/// The most image records that one transaction creates. DynamoDB accepts 100 items.
pub const MAX_IMAGES_PER_TRANSACTION: usize = 90;

/// An image record as it is stored: a nested map, whose attributes can be changed one by one.
///
/// The user's caption, the pin and the deletion claim are separate attributes: an evaluation that writes its findings
/// must not undo one that was written since the evaluation read the record.
#[derive(Serialize, Deserialize)]
struct ImageItem {
    image: Image,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    caption: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pinned: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    deleting: Option<String>,
}

impl From<&Image> for ImageItem {
    fn from(image: &Image) -> Self {
        let mut image = image.clone();
        let (caption, deleting) = (image.caption.take(), image.deleting.take());
        let pinned = std::mem::take(&mut image.pinned).then_some(true);
        Self { image, caption, pinned, deleting }
    }
}

impl From<ImageItem> for Image {
    fn from(ImageItem { image, caption, pinned, deleting }: ImageItem) -> Self {
        Self { caption, pinned: pinned.unwrap_or_default(), deleting, ..image }
    }
}

/// The result of a user's change of an image record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edit {
    Done,
    /// There is no record of an image of that name.
    Unknown,
    /// A deletion has claimed it.
    BeingDeleted,
}

impl Store {
    /// The image records of an actor, by file name.
    pub async fn images(&self, actor: &ActorId) -> Result<BTreeMap<String, Image>, StoreError> {
        let mut images = BTreeMap::new();
        for item in self.query(actor, IMAGE).await? {
            if let Some(filename) = items::sort_key_after(&item, IMAGE) {
                images.insert(filename, items::data::<ImageItem>(item)?.into());
            }
        }
        Ok(images)
    }

    /// The record of an image; `None` if there is none of that name.
    pub async fn image(&self, actor: &ActorId, filename: &str) -> Result<Option<Image>, StoreError> {
        let found: Option<ImageItem> = self.get(image_key(actor, filename)).await?;
        Ok(found.map(Image::from))
    }

    /// The generation batches of an actor, by number.
    pub async fn generations(&self, actor: &ActorId) -> Result<Vec<GenerationBatch>, StoreError> {
        self.query(actor, GENERATION).await?.into_iter().map(items::data).collect()
    }

    /// Creates the records of up to [`MAX_IMAGES_PER_TRANSACTION`] images and of their batch. `is_observed` states
    /// whether the evaluation's verdict will cover them. Returns `false`, and changes nothing, if the lease was lost.
    pub async fn register(
        &self,
        actor: &ActorId,
        token: &str,
        generation: &GenerationBatch,
        images: &[(String, Image)],
        is_observed: bool,
    ) -> Result<bool, StoreError> {
        let counted = Change::of(actor_key(actor))
            .set("last_generation", number(generation.generation_id))
            .when_equal("lease_token", text(token));
        let counted = if is_observed { counted } else { counted.set("registered_unobserved", items::flag(true)) };
        let mut writes = vec![counted.into(), new_generation(actor, generation)?];
        for (filename, image) in images {
            writes.push(new_image(actor, filename, image)?);
        }
        self.transact_once(&writes).await
    }

    /// Writes the measurements of an image, unless another object has its name by now. All other attributes stay
    /// unchanged: the operator may have restored the image meanwhile, with its prompt and cost.
    pub async fn save_measurements(&self, actor: &ActorId, filename: &str, image: &Image) -> Result<(), StoreError> {
        self.save_findings(actor, filename, image, &MEASUREMENTS, []).await
    }

    /// Writes the observation of an image, unless another object has its name by now, or its observation is by another
    /// model or beside another base image than that of `replaced`, the record as it was read: then a worker that stalled
    /// is late. All other attributes stay unchanged.
    pub async fn save_observation(
        &self,
        actor: &ActorId,
        filename: &str,
        image: &Image,
        replaced: &Image,
    ) -> Result<(), StoreError> {
        let unchanged = |name, value: &Option<String>| match value {
            Some(value) => Condition::AbsentOrEqual(name, text(value)),
            None => Condition::Absent(name),
        };
        let conditions = [
            unchanged("image.assessed_by", &replaced.assessed_by),
            unchanged("image.compared_with", &replaced.compared_with),
        ];
        self.save_findings(actor, filename, image, &OBSERVATION, conditions).await
    }

    /// Writes the results of comparing an image with others, unless another object has its name by now. All other
    /// attributes stay unchanged.
    pub async fn save_compared(&self, actor: &ActorId, filename: &str, image: &Image) -> Result<(), StoreError> {
        self.save_findings(actor, filename, image, &COMPARED, []).await
    }

    async fn save_findings(
        &self,
        actor: &ActorId,
        filename: &str,
        image: &Image,
        names: &[&'static str],
        conditions: impl IntoIterator<Item = Condition>,
    ) -> Result<(), StoreError> {
        let mut fields = value(image)?.as_m().cloned().unwrap_or_default();
        let change = Change::of(image_key(actor, filename)).when_item_exists();
        let change = match &image.etag {
            Some(etag) => change.when_absent_or_equal("image.etag", text(etag)),
            None => change,
        };
        let change = conditions.into_iter().fold(change, Change::when);
        let mut found = |name: &str| fields.remove(name.strip_prefix("image.")?);
        let change = names.iter().fold(change, |change, name| change.set_or_remove(name, found(name)));
        self.apply(change).await.map(drop)
    }

    /// Replaces the record of an image whose object was replaced, unless the record `known` has changed to that of another
    /// object since it was read: then a worker that stalled is late. The name keeps its caption, its pin and its deletion
    /// claim.
    pub async fn save_replaced(
        &self,
        actor: &ActorId,
        filename: &str,
        known: &Image,
        image: &Image,
    ) -> Result<(), StoreError> {
        let change = Change::of(image_key(actor, filename)).set("image", image_value(image)?).when_item_exists();
        self.apply(change.when(of_object(known))).await.map(drop)
    }

    /// Removes the record of an image that is no longer in the bucket, unless it has been pinned or claimed since it
    /// was read, or describes another object by now.
    pub async fn forget_vanished(&self, actor: &ActorId, filename: &str, image: &Image) -> Result<(), StoreError> {
        let vanished = Removal::of(image_key(actor, filename)).when(of_object(image));
        let mut vanished = vanished.when(Condition::Absent("deleting"));
        if !image.pinned {
            vanished = vanished.when(Condition::Absent("pinned"));
        }
        self.remove_item(vanished).await.map(drop)
    }

    /// Pins or unpins an image, unless a deletion has claimed it.
    pub async fn set_pinned(&self, actor: &ActorId, filename: &str, pinned: bool) -> Result<Edit, StoreError> {
        let change = Change::of(image_key(actor, filename));
        let change = if pinned { change.set("pinned", value(&true)?) } else { change.remove("pinned") };
        self.edit(actor, filename, change).await
    }

    /// Sets or removes the user's caption of an image.
    pub async fn set_caption(
        &self,
        actor: &ActorId,
        filename: &str,
        caption: Option<&str>,
    ) -> Result<Edit, StoreError> {
        let change = Change::of(image_key(actor, filename)).set_or_remove("caption", caption.map(text));
        self.edit(actor, filename, change).await
    }

    async fn edit(&self, actor: &ActorId, filename: &str, change: Change) -> Result<Edit, StoreError> {
        if self.apply(change.when_item_exists().when_absent("deleting")).await?.is_some() {
            return Ok(Edit::Done);
        }
        let known = self.image(actor, filename).await?;
        Ok(if known.is_some() { Edit::BeingDeleted } else { Edit::Unknown })
    }

    /// Writes the record of an imported image.
    pub async fn import_image(&self, actor: &ActorId, filename: &str, image: &Image) -> Result<(), StoreError> {
        let item = items::item(image_key(actor, filename), &ImageItem::from(image))?;
        let put = self.client.put_item().table_name(&self.table).set_item(Some(item)).send().await;
        put.map(drop).map_err(|error| self.error("PutItem", filename, &error))
    }

    /// Records the `ETag` of a generated image whose object is in place.
    pub async fn mark_placed(&self, actor: &ActorId, filename: &str, etag: &str) -> Result<(), StoreError> {
        let change = Change::of(image_key(actor, filename))
            .set("image.etag", text(etag))
            .when_item_exists()
            .when_absent("image.etag");
        self.apply(change).await.map(drop)
    }

    /// Writes an imported generation batch.
    pub async fn import_generation(&self, actor: &ActorId, generation: &GenerationBatch) -> Result<(), StoreError> {
        let item = items::item(generation_key(actor, generation.generation_id), generation)?;
        let put = self.client.put_item().table_name(&self.table).set_item(Some(item)).send().await;
        put.map(drop).map_err(|error| self.error("PutItem", GENERATION, &error))
    }

    /// Raises the actor's highest used number to at least this.
    pub async fn raise_last_number(&self, actor: &ActorId, at_least: u64) -> Result<(), StoreError> {
        let change = Change::of(actor_key(actor))
            .set("last_number", value(&at_least)?)
            .when(Condition::AbsentOrBelow("last_number", number(at_least)));
        self.apply(change).await.map(drop)
    }
}

/// The condition that an image record still describes the object that it described when it was read as `known`.
fn of_object(known: &Image) -> Condition {
    match &known.etag {
        Some(etag) => Condition::Equal("image.etag", text(etag)),
        None => Condition::Absent("image.etag"),
    }
}

pub(super) fn new_image(actor: &ActorId, filename: &str, image: &Image) -> Result<Write, StoreError> {
    Ok(Write::Create(items::item(image_key(actor, filename), &ImageItem::from(image))?))
}

pub(super) fn new_generation(actor: &ActorId, generation: &GenerationBatch) -> Result<Write, StoreError> {
    Ok(Write::Create(items::item(generation_key(actor, generation.generation_id), generation)?))
}

/// The value of the attribute `image`, without the caption, the pin and the claim.
pub(super) fn image_value(image: &Image) -> Result<AttributeValue, StoreError> {
    value(&ImageItem::from(image).image)
}

pub(super) fn image_key(actor: &ActorId, filename: &str) -> Item {
    items::key(actor, format!("{IMAGE}{filename}"))
}

/// The number is padded, so that batches sort by it.
fn generation_key(actor: &ActorId, generation: u32) -> Item {
    items::key(actor, format!("{GENERATION}{generation:010}"))
}
