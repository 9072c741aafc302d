//! The inventory of a set: reconciles the image records with the bucket, and reads and measures new images.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use aws::bucket::{Bucket, Fetched};
use aws::store::Store;
use aws::store::actors::ActorRecord;
use aws::store::deletions::Remains;
use aws::store::images::MAX_IMAGES_PER_TRANSACTION;
use domain::actor::ActorId;
use domain::keys::Keys;
use domain::manifest::{GenerationBatch, Image, Observer, UPLOADED, timestamp_text};
use domain::numbering::{highest, number_of};
use domain::plan::Note;
use domain::reconciliation::{Listed, compare};
use domain::suspension::fingerprint;
use futures::{StreamExt, TryStreamExt, stream};
use image::RgbImage;
use imaging::{DecodeError, MAX_BYTES, decode, measure_and_shrink};
use tokio::sync::Semaphore;
use tracing::info;

use super::{MAX_CONCURRENT_READS, MAX_NEW_IMAGES, MAX_SET_IMAGES};
use crate::heartbeat::LEASE_POLL;
use crate::listing::list_folder;
use crate::local_copy::LocalCopy;
use crate::{Clock, HandlerError};

pub(super) struct Inventory {
    /// The usable images, by file name.
    pub(super) images: Vec<InventoryImage>,
    /// The unusable and ignored files, with the reasons.
    pub(super) notes: Vec<Note>,
    /// New files beyond [`MAX_NEW_IMAGES`], for the next part.
    pub(super) unread: Vec<String>,
    /// Whether this inventory found unusable files that no earlier one had found.
    pub(super) has_new_unusable: bool,
    /// The highest number of a generation batch.
    pub(super) last_generation: u32,
    /// Identifies the files of the set and their pins.
    pub(super) fingerprint: String,
    /// Whether the actor has prompts of its own.
    pub(super) has_own_prompts: bool,
}

pub(super) struct InventoryImage {
    pub(super) filename: String,
    /// The image record.
    pub(super) image: Image,
    /// A small copy, if this evaluation has read the file.
    pub(super) preview: Option<Arc<RgbImage>>,
}

/// Takes the inventory of one actor's set, under the lease.
pub(super) struct InventoryBuilder<'a> {
    pub(super) bucket: &'a Bucket,
    pub(super) store: &'a Store,
    pub(super) local: &'a LocalCopy,
    pub(super) keys: &'a Keys,
    pub(super) clock: &'a Clock,
    pub(super) read_permits: &'a Semaphore,
    /// Whose observations are valid.
    pub(super) observer: Observer<'a>,
    pub(super) actor: &'a ActorId,
    pub(super) lease_token: &'a str,
    /// Whether the evaluation's verdict will cover new images.
    pub(super) observes_revision: bool,
}

impl InventoryBuilder<'_> {
    /// # Errors
    /// [`HandlerError::NeedsOperator`] if the set is too large or can't be interpreted, or none of its images can be read.
    pub(super) async fn build(&self, record: &ActorRecord) -> Result<Inventory, HandlerError> {
        let actor = self.actor;
        // The records are read before the bucket is listed. An image that is recorded and placed in between is listed,
        // so it doesn't seem to have vanished.
        let known = self.store.images(actor).await?;
        let listing = list_folder(self.bucket, self.keys, actor).await?;
        if let Some(obstacle) = listing.obstacle() {
            return Err(HandlerError::NeedsOperator(obstacle));
        }
        for twins in listing.twins() {
            info!(%actor, ?twins, "trainers and file systems may confuse these images");
        }
        let ignored = listing.notes();
        let (listed, prompts_file) = (listing.images, listing.prompts_file);
        if listed.len() > MAX_SET_IMAGES {
            return Err(HandlerError::NeedsOperator(format!(
                "The set has {} images, but can have at most {MAX_SET_IMAGES}. Remove some.",
                listed.len(),
            )));
        }
        self.store.raise_last_number(actor, highest(listed.iter().map(|file| file.filename.as_str()))).await?;
        let last_generation = self.reconcile(record.last_generation, &listed, &known).await?;
        let recorded = self.store.images(actor).await?;
        let set = listed.iter().filter_map(|file| recorded.get_key_value(&file.filename));
        let of_images = fingerprint(set.map(|(filename, image)| (filename.as_str(), image)));
        // Another base image changes what the model sees in the same images, and other prompts give other images.
        let reference = self.observer.reference.map(|reference| &reference.digits);
        let fingerprint =
            reference.into_iter().chain(&prompts_file).fold(of_images, |all, part| format!("{all}/{part}"));
        let present = listed.into_iter().filter_map(|file| {
            let image = recorded.get(&file.filename)?.clone();
            Some((file, image))
        });
        let (known, mut new): (Vec<_>, Vec<_>) = present.partition(|(_, image)| self.is_known(image));
        let unread = new.split_off(new.len().min(MAX_NEW_IMAGES)).into_iter().map(|(file, _)| file.filename).collect();
        let known_count = known.len();
        let room = MAX_NEW_IMAGES.saturating_sub(new.len());
        let outdated = known.iter().filter(|(_, image)| is_outdated(image)).take(room);
        let outdated: BTreeSet<String> = outdated.map(|(file, _)| file.filename.clone()).collect();
        let known = known.into_iter().map(|(file, image)| (outdated.contains(&file.filename), file, image));
        let new = new.into_iter().map(|(file, image)| (true, file, image));
        let read: Vec<InventoryImage> = stream::iter(known.chain(new))
            .map(|(must_read, file, image)| self.take(must_read, file, image))
            .buffered(MAX_CONCURRENT_READS)
            .try_collect()
            .await?;
        let has_new_unusable = read[known_count..].iter().any(|file| file.image.unusable.is_some());
        let inventory = Inventory {
            images: read,
            notes: Vec::new(),
            unread,
            has_new_unusable,
            last_generation,
            fingerprint,
            has_own_prompts: prompts_file.is_some(),
        };
        inventory.without_unusable(ignored)
    }

    /// Whether the image needs no assessment.
    fn is_known(&self, image: &Image) -> bool {
        let is_assessed = image.facts.is_some() && image.observation_by(self.observer).is_some();
        is_assessed || image.unusable.is_some()
    }

    /// Creates, updates and removes image records to match the bucket. Returns the highest number of a generation
    /// batch.
    async fn reconcile(
        &self,
        mut last_generation: u32,
        listed: &[Listed],
        recorded: &BTreeMap<String, Image>,
    ) -> Result<u32, HandlerError> {
        let actor = self.actor;
        let differences = compare(listed, recorded);
        for filename in &differences.vanished {
            let Some(image) = recorded.get(filename) else { continue };
            info!(%actor, filename, "no longer in the bucket");
            match &image.deleting {
                // A deletion has removed the object and is still running, or was interrupted. Complete it.
                Some(plan_id) => {
                    self.local.trash(actor, plan_id, filename, None).await?;
                    self.store.end_deletion(actor, filename, plan_id, Remains::Trashed).await?;
                }
                None => self.store.forget_vanished(actor, filename, image).await?,
            }
        }
        for file in &differences.changed {
            if let Some(known) = recorded.get(&file.filename) {
                // An imported record names no object: the first one of its name is the image that it describes.
                let image = match &known.etag {
                    Some(_) => {
                        info!(%actor, filename = file.filename, "replaced by another file");
                        known.describing(Some(&file.etag))
                    }
                    None => self.found(known, file),
                };
                self.store.save_replaced(actor, &file.filename, known, &image).await?;
            }
        }
        for files in differences.new.chunks(MAX_IMAGES_PER_TRANSACTION) {
            last_generation += 1;
            self.register_uploads(last_generation, files).await?;
        }
        Ok(last_generation)
    }

    async fn register_uploads(&self, generation_id: u32, files: &[Listed]) -> Result<(), HandlerError> {
        let actor = self.actor;
        let now = self.clock.now();
        let images: Vec<_> = files
            .iter()
            .map(|file| {
                let image = Image {
                    generated_at: Some(timestamp_text(now)),
                    s3_url: Some(self.bucket.url(&self.keys.image(actor, &file.filename))),
                    local_path: self.local.image_path(actor, &file.filename).map(|path| path.display().to_string()),
                    index: number_of(&file.filename),
                    generation_id: Some(generation_id),
                    generation_type: Some(UPLOADED.to_owned()),
                    etag: Some(file.etag.clone()),
                    ..Image::default()
                };
                (file.filename.clone(), image)
            })
            .collect();
        let batch = GenerationBatch::new(generation_id, UPLOADED, now, images.len());
        if self.store.register(actor, self.lease_token, &batch, &images, self.observes_revision).await? {
            Ok(())
        } else {
            Err(HandlerError::deferred("the lease of this evaluation was lost", LEASE_POLL))
        }
    }

    /// The record of an image whose first object was found.
    fn found(&self, known: &Image, file: &Listed) -> Image {
        let mut image = known.describing(Some(&file.etag));
        let path = || Some(self.local.image_path(self.actor, &file.filename)?.display().to_string());
        image.generated_at.get_or_insert_with(|| timestamp_text(self.clock.now()));
        image.s3_url = Some(self.bucket.url(&self.keys.image(self.actor, &file.filename)));
        image.local_path = path();
        image.generation_type.get_or_insert_with(|| UPLOADED.to_owned());
        image
    }

    /// Reads and measures a file, unless its record suffices.
    async fn take(&self, must_read: bool, file: Listed, known: Image) -> Result<InventoryImage, HandlerError> {
        let actor = self.actor;
        // A generated image may have been placed after its record was read; the listing has its `ETag`.
        let known = Image { etag: Some(file.etag.clone()), ..known };
        if !must_read {
            return Ok(InventoryImage { filename: file.filename, image: known, preview: None });
        }
        let permit = self.read_permits.acquire().await;
        let reading = match self.bucket.get_at_most(&self.keys.image(actor, &file.filename), MAX_BYTES).await? {
            Fetched::Missing => {
                let reason = format!("{} disappeared while it was read", file.filename);
                return Err(HandlerError::deferred(reason, LEASE_POLL));
            }
            Fetched::TooLarge(bytes) => Reading::unusable(known, &DecodeError::TooLarge(bytes)),
            Fetched::Whole(object) => {
                let blank = known.clone();
                let read = tokio::task::spawn_blocking(move || Reading::of(known, &object.bytes)).await;
                // A decoder that panics does so at each attempt.
                let damaged = DecodeError::Damaged("it can't be decoded".to_owned());
                read.unwrap_or_else(|_| Reading::unusable(blank, &damaged))
            }
        };
        drop(permit);
        self.store.save_measurements(actor, &file.filename, &reading.image).await?;
        Ok(InventoryImage { filename: file.filename, image: reading.image, preview: reading.preview })
    }
}

impl Inventory {
    /// Moves the unusable files to the notes, before the ignored ones.
    ///
    /// # Errors
    /// [`HandlerError::NeedsOperator`] if no image of the set is usable. The images may have another format or be
    /// damaged in transit, so the balancer doesn't generate a new set.
    fn without_unusable(self, ignored: Vec<Note>) -> Result<Self, HandlerError> {
        let (unusable, images): (Vec<_>, Vec<_>) =
            self.images.into_iter().partition(|file| file.image.unusable.is_some());
        let mut notes: Vec<Note> = unusable
            .into_iter()
            .map(|file| Note { remark: file.image.unusable.unwrap_or_default(), filename: file.filename })
            .collect();
        if images.is_empty() && self.unread.is_empty() && !notes.is_empty() {
            return Err(HandlerError::NeedsOperator(no_image_is_usable(&notes)));
        }
        notes.extend(ignored);
        Ok(Self { images, notes, ..self })
    }
}

/// Whether an older version has measured the file, which needs new measurements but no new assessment.
fn is_outdated(image: &Image) -> bool {
    image.unusable.is_none() && image.facts.as_ref().is_some_and(|facts| !facts.is_complete())
}

fn no_image_is_usable(unusable: &[Note]) -> String {
    const NAMED: usize = 3;
    let named = unusable.iter().take(NAMED).map(|note| format!("{}: {}", note.filename, note.remark));
    let named: Vec<_> = named.collect();
    let more = match unusable.len() - named.len() {
        0 => String::new(),
        more => format!(", and {more} more"),
    };
    format!(
        "No image of the set can be read ({}{more}). Replace them, or remove them if all are to be generated from the base image. Until then nothing is deleted and nothing generated.",
        named.join("; ")
    )
}

/// The result of reading a file.
struct Reading {
    image: Image,
    preview: Option<Arc<RgbImage>>,
}

impl Reading {
    fn of(known: Image, bytes: &[u8]) -> Self {
        match decode(bytes) {
            Ok(image) => {
                let (facts, preview) = measure_and_shrink(bytes, &image);
                let image = Image { facts: Some(facts), unusable: None, ..known };
                Self { image, preview: Some(Arc::new(preview)) }
            }
            Err(error) => Self::unusable(known, &error),
        }
    }

    fn unusable(known: Image, error: &DecodeError) -> Self {
        Self { image: Image { unusable: Some(error.to_string()), ..known }, preview: None }
    }
}
