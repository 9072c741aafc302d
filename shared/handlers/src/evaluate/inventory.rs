//! What an actor's set consists of: bucket and manifest brought into agreement, every file read and measured.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws::bucket::Fetched;
use aws::store::actors::ActorRecord;
use aws::store::images::MAX_IMAGES_PER_TRANSACTION;
use domain::actor::ActorId;
use domain::manifest::{GenerationBatch, Image, UPLOADED, timestamp_text};
use domain::numbering::{highest, number_of};
use domain::plan::Note;
use domain::reconciliation::{Listed, compare};
use domain::suspension::fingerprint;
use futures::{StreamExt, TryStreamExt, stream};
use image::RgbImage;
use imaging::{DecodeError, MAX_BYTES, PREVIEW_SIDE, decode, measure, shrink};
use tracing::info;

use super::Evaluation;
use crate::HandlerError;
use crate::listing::list_folder;

/// An actor's set.
pub(super) struct Inventory {
    /// The images, by file name.
    pub(super) images: Vec<InventoryImage>,
    /// The files that can't be used, and why.
    pub(super) notes: Vec<Note>,
    /// Files that nobody has looked at yet, and that were too many for this time.
    pub(super) unread: Vec<String>,
    /// Whether files were found unusable only now.
    pub(super) has_new_unusable: bool,
    /// The highest number of a generation so far.
    pub(super) last_generation: u32,
    /// Identifies the set and its state.
    pub(super) fingerprint: String,
}

/// One image of the set.
pub(super) struct InventoryImage {
    pub(super) filename: String,
    /// What the manifest says.
    pub(super) image: Image,
    /// A small version to look at, where somebody has to: only of images not yet judged.
    pub(super) preview: Option<Arc<RgbImage>>,
}

/// What reading a file gave.
struct Reading {
    image: Image,
    preview: Option<Arc<RgbImage>>,
}

impl Evaluation {
    /// Lists the set, takes what is new, changed or vanished over into the manifest, and reads what must be judged.
    ///
    /// # Errors
    /// The inner one, a sentence for people, if it is too large a set.
    pub(super) async fn take_inventory(
        &self,
        actor: &ActorId,
        record: &ActorRecord,
        token: &str,
    ) -> Result<Result<Inventory, String>, HandlerError> {
        // The records come first: what is recorded and placed in between is listed, and nothing seems to have vanished
        // that has only just come.
        let known = self.store.images(actor).await?;
        let listing = list_folder(&self.bucket, &self.keys, actor).await?;
        if let Some(obstacle) = listing.obstacle() {
            return Ok(Err(obstacle));
        }
        for twins in listing.twins() {
            info!(%actor, ?twins, "trainers and file systems may take these images for one");
        }
        let set_aside = listing.notes();
        let listed = listing.images;
        if listed.len() > super::MAX_SET_IMAGES {
            return Ok(Err(format!(
                "The set has {} images; at most {} are looked at. Take some away.",
                listed.len(),
                super::MAX_SET_IMAGES
            )));
        }
        self.store.raise_last_number(actor, highest(listed.iter().map(|file| file.filename.as_str()))).await?;
        let last_generation = self.reconcile(actor, record, token, &listed, &known).await?;
        let recorded = self.store.images(actor).await?;
        let set = listed.iter().filter_map(|file| recorded.get_key_value(&file.filename));
        let fingerprint = fingerprint(set.map(|(filename, image)| (filename.as_str(), image)));
        let present = listed.into_iter().filter_map(|file| {
            let image = recorded.get(&file.filename)?.clone();
            Some((file, image))
        });
        let (known, mut new): (Vec<_>, Vec<_>) = present.partition(|(_, image)| self.is_known(image));
        let unread: Vec<String> =
            new.split_off(new.len().min(super::MAX_NEW_IMAGES)).into_iter().map(|(file, _)| file.filename).collect();
        let known_before = known.len();
        let images: Vec<InventoryImage> = stream::iter(known.into_iter().chain(new))
            .map(|(file, image)| self.read(actor, file, image))
            .buffered(super::MAX_CONCURRENT_READS)
            .try_collect()
            .await?;
        let has_new_unusable = images[known_before..].iter().any(|file| file.image.unusable.is_some());
        let (unusable, images): (Vec<_>, Vec<_>) = images.into_iter().partition(|file| file.image.unusable.is_some());
        let unusable = unusable
            .into_iter()
            .map(|file| Note { remark: file.image.unusable.unwrap_or_default(), filename: file.filename });
        let notes: Vec<Note> = unusable.collect();
        if images.is_empty() && unread.is_empty() && !notes.is_empty() {
            return Ok(Err(nothing_can_be_read(&notes)));
        }
        let notes = notes.into_iter().chain(set_aside).collect();
        Ok(Ok(Inventory { images, notes, unread, has_new_unusable, last_generation, fingerprint }))
    }

    /// Whether what the manifest says of an image suffices.
    fn is_known(&self, image: &Image) -> bool {
        let is_judged = image.facts.is_some() && image.observation_by(self.vision.name()).is_some();
        is_judged || image.unusable.is_some()
    }

    /// Brings the manifest into agreement with the bucket. Returns the highest number of a generation.
    async fn reconcile(
        &self,
        actor: &ActorId,
        record: &ActorRecord,
        token: &str,
        listed: &[Listed],
        recorded: &BTreeMap<String, Image>,
    ) -> Result<u32, HandlerError> {
        let differences = compare(listed, recorded);
        for filename in &differences.vanished {
            let Some(image) = recorded.get(filename) else { continue };
            info!(%actor, filename, "no longer in the bucket");
            match &image.deleting {
                // A deletion was cut off here, or is at it: what it would do now is done.
                Some(plan_id) => {
                    self.local.trash(actor, plan_id, filename, None).await?;
                    self.store.end_deletion(actor, filename, plan_id).await?;
                }
                None => self.store.forget_vanished(actor, filename, image).await?,
            }
        }
        for file in &differences.changed {
            if let Some(mut image) = recorded.get(&file.filename).cloned() {
                info!(%actor, filename = file.filename, "replaced by another file");
                image.replace(&file.etag);
                self.store.save_replaced(actor, &file.filename, &image).await?;
            }
        }
        let mut last_generation = record.last_generation;
        for files in differences.new.chunks(MAX_IMAGES_PER_TRANSACTION) {
            last_generation += 1;
            self.register_uploads(actor, token, last_generation, files).await?;
        }
        Ok(last_generation)
    }

    async fn register_uploads(
        &self,
        actor: &ActorId,
        token: &str,
        generation_id: u32,
        files: &[Listed],
    ) -> Result<(), HandlerError> {
        let now = timestamp_text(self.clock.now());
        let images: Vec<_> = files
            .iter()
            .map(|file| {
                let image = Image {
                    generated_at: Some(now.clone()),
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
        let generation = GenerationBatch {
            generation_id,
            origin: UPLOADED.to_owned(),
            generated_at: now,
            image_count: images.len() as u64,
            metadata: serde_json::Map::new(),
            other: serde_json::Map::new(),
        };
        if self.store.register(actor, token, &generation, &images).await? {
            Ok(())
        } else {
            Err(HandlerError::deferred("the right to evaluate this actor was lost", super::LEASE_POLL))
        }
    }

    /// Reads and measures a file, unless what the manifest says of it suffices.
    async fn read(&self, actor: &ActorId, file: Listed, known: Image) -> Result<InventoryImage, HandlerError> {
        // An image on its way may have arrived since its record was read; the listing says which object is there.
        let known = Image { etag: Some(file.etag.clone()), ..known };
        if self.is_known(&known) {
            return Ok(InventoryImage { filename: file.filename, image: known, preview: None });
        }
        // Shared by all actors of a batch: the function's memory is enough for so many and no more.
        let permit = self.reading.acquire().await;
        let reading = match self.bucket.get_at_most(&self.keys.image(actor, &file.filename), MAX_BYTES).await? {
            Fetched::Missing => {
                let reason = format!("{} vanished while it was read", file.filename);
                return Err(HandlerError::deferred(reason, super::LEASE_POLL));
            }
            Fetched::TooLarge(bytes) => Reading::unusable(known, &DecodeError::TooLarge(bytes)),
            Fetched::Whole(object) => {
                let blank = known.clone();
                let read = tokio::task::spawn_blocking(move || Reading::of(known, &object.bytes)).await;
                let damaged = DecodeError::Damaged("it can't be decoded".to_owned());
                // A decoder that panics at a file does so each time.
                read.unwrap_or_else(|_| Reading::unusable(blank, &damaged))
            }
        };
        drop(permit);
        self.store.save_findings(actor, &file.filename, &reading.image).await?;
        Ok(InventoryImage { filename: file.filename, image: reading.image, preview: reading.preview })
    }
}

/// The balancer does not regenerate a set from the base image if none of its images can be read: they may be of another
/// format, or damaged in transit.
fn nothing_can_be_read(unusable: &[Note]) -> String {
    const NAMED: usize = 3;
    let named = unusable.iter().take(NAMED).map(|note| format!("{}: {}", note.filename, note.remark));
    let named: Vec<_> = named.collect();
    let more = match unusable.len() - named.len() {
        0 => String::new(),
        more => format!(", and {more} more"),
    };
    format!(
        "No image of the set can be read ({}{more}). Replace them, or remove them if all are to be made from the base image. Until then nothing is deleted and nothing generated.",
        named.join("; ")
    )
}

impl Reading {
    fn of(known: Image, bytes: &[u8]) -> Self {
        match decode(bytes) {
            Ok(image) => {
                let facts = Some(measure(bytes, &image));
                let preview = Some(Arc::new(shrink(&image, PREVIEW_SIDE)));
                Self { image: Image { facts, unusable: None, ..known }, preview }
            }
            Err(error) => Self::unusable(known, &error),
        }
    }

    fn unusable(known: Image, error: &DecodeError) -> Self {
        Self { image: Image { unusable: Some(error.to_string()), ..known }, preview: None }
    }
}
