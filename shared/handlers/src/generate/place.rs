//! From safe bytes to an image of the set: its number, its object, its local copy.

use aws::bucket::{Fetched, PutNew};
use aws::metrics::Metric;
use aws::store::CONTENTION_BACKOFF;
use aws::store::slots::SlotRecord;
use backon::Retryable;
use domain::files::is_image_name;
use domain::lifecycle::slot::SlotEvent;
use domain::manifest::{BALANCING, Image, timestamp_text};
use domain::money::MicroUsd;
use domain::numbering::{filename, highest, number_of};
use domain::prompts;
use tracing::warn;

use super::{Generation, Job};
use crate::HandlerError;
use crate::dispatch::evaluate_change;
use crate::heartbeat::LEASE_POLL;
use crate::listing::list_images;
use crate::local_copy::Saved;

impl Generation {
    /// Assigns the image the next number and creates its record.
    pub(super) async fn assign_number(&self, job: Job<'_>, slot: &SlotRecord) -> Result<(), HandlerError> {
        let attempt = || self.try_number(job, slot);
        let is_taken = |error: &HandlerError| matches!(error, HandlerError::Deferred { .. });
        attempt.retry(CONTENTION_BACKOFF).when(is_taken).await
    }

    async fn try_number(&self, job: Job<'_>, slot: &SlotRecord) -> Result<(), HandlerError> {
        let listed = list_images(&self.bucket, &self.keys, job.actor).await?;
        let here = self.local.filenames(job.actor).await?;
        let highest = highest(listed.iter().map(|file| &file.filename).chain(&here).map(String::as_str));
        let mut record = self.store.actor(job.actor).await?.unwrap_or_default();
        if record.last_number < highest {
            self.store.raise_last_number(job.actor, highest).await?;
            record.last_number = self.store.actor(job.actor).await?.unwrap_or_default().last_number;
        }
        let number = record.last_number + 1;
        let filename = filename(job.actor, number);
        let image = self.image(job, slot, number, &filename, record.profile.descriptor());
        let is_assigned = self.store.assign_number(job.name(), slot, record.last_number, &filename, &image).await?;
        // If another worker has advanced the slot, this one must read it again.
        if is_assigned || self.store.slot(job.name()).await?.revision != slot.revision {
            Ok(())
        } else {
            Err(HandlerError::deferred("too many workers need a number", LEASE_POLL))
        }
    }

    fn image(&self, job: Job<'_>, slot: &SlotRecord, number: u64, filename: &str, descriptor: &str) -> Image {
        let used = job.prompt(slot);
        let prompt = used.as_ref().map(|used| used.prompt.render(descriptor));
        // The id of a built-in prompt says everything.
        let own = used.as_ref().filter(|used| used.revision.is_some());
        let local_path = self.local.image_path(job.actor, filename).map(|path| path.display().to_string());
        Image {
            prompt_preview: prompt.as_deref().map(prompts::preview),
            prompt,
            prompt_id: Some(job.prompt_id(slot).to_owned()),
            prompts_revision: own.and_then(|own| own.revision).map(str::to_owned),
            prompt_scene: own.map(|own| own.prompt.scene.clone()),
            generated_at: Some(timestamp_text(self.clock.now())),
            s3_url: Some(self.bucket.url(&self.keys.image(job.actor, filename))),
            local_path,
            index: number,
            kind: Some(job.slot.kind),
            requested_type: Some(job.slot.kind),
            generation_id: job.plan.generation_id,
            generation_type: Some(BALANCING.to_owned()),
            plan_id: Some(job.plan.plan_id.clone()),
            cost_micro_usd: (slot.progress.spent > MicroUsd::ZERO).then_some(slot.progress.spent),
            ..Image::default()
        }
    }

    /// Writes the image to its place under its number. An uploaded file that has the number by then, in the bucket or
    /// in the local copy, keeps it.
    pub(super) async fn place(&self, job: Job<'_>, record: &SlotRecord, filename: &str) -> Result<(), HandlerError> {
        let is_ours = |image: &Image| image.plan_id.as_ref() == Some(&job.plan.plan_id) && image.deleting.is_none();
        if !self.store.image(job.actor, filename).await?.as_ref().is_some_and(is_ours) {
            // An earlier attempt had placed it, and it has been deleted or replaced since, or is just being deleted.
            return self.finish(job, record).await.map(drop);
        }
        let staging = self.keys.staging(job.actor, &job.plan.plan_id, &job.slot.slot_id);
        let Some(staged) = self.bucket.get(&staging).await? else {
            let reason = format!("{staging} is gone, so {filename} can't be placed");
            warn!(actor = %job.actor, plan_id = job.plan.plan_id, slot_id = job.slot.slot_id, reason, "image lost");
            return Ok(self.store.fail_numbered_slot(job.name(), record, &reason).await?);
        };
        if self.local.save_new(job.actor, filename, &staged.bytes).await? == Saved::Occupied {
            return Ok(self.store.release_number(job.name(), record).await?);
        }
        if self.is_number_taken(job, filename).await? {
            self.local.remove_saved(job.actor, filename).await?;
            return Ok(self.store.release_number(job.name(), record).await?);
        }
        let key = self.keys.image(job.actor, filename);
        let etag = match self.bucket.put_new(&key, staged.bytes.clone(), "image/jpeg").await? {
            PutNew::Stored(etag) => etag,
            PutNew::Occupied => match self.bucket.get_at_most(&key, staged.bytes.len() as u64).await? {
                // An earlier attempt got this far.
                Fetched::Whole(there) if there.bytes == staged.bytes => there.etag,
                _ => {
                    self.local.remove_saved(job.actor, filename).await?;
                    // An earlier notification may have taken that file for this image, and ignored it.
                    evaluate_change(&self.queues, job.actor, &job.change_id(filename)).await?;
                    return Ok(self.store.release_number(job.name(), record).await?);
                }
            },
        };
        self.store.mark_placed(job.actor, filename, &etag).await?;
        if self.finish(job, record).await? {
            Metric::ImagesGenerated(1).emit();
        }
        Ok(())
    }

    /// Returns whether this worker has finished the slot.
    async fn finish(&self, job: Job<'_>, record: &SlotRecord) -> Result<bool, HandlerError> {
        let placed = SlotEvent::ImagePlaced { at: self.clock.now() };
        Ok(self.store.advance_slot(job.name(), record, &placed).await?.is_some())
    }

    /// Whether a file of another name has the number of an image that isn't in its place yet: an upload has used the
    /// number since it was assigned.
    async fn is_number_taken(&self, job: Job<'_>, filename: &str) -> Result<bool, HandlerError> {
        let listed = list_images(&self.bucket, &self.keys, job.actor).await?;
        let here = self.local.filenames(job.actor).await?;
        let number = number_of(filename);
        // Only images use up numbers; captions don't.
        let is_namesake =
            |name: &str| name != filename && is_image_name(name) && number != 0 && number_of(name) == number;
        let is_placed = listed.iter().any(|file| file.filename == filename);
        Ok(!is_placed
            && listed.iter().map(|file| &*file.filename).chain(here.iter().map(|name| &**name)).any(is_namesake))
    }
}
