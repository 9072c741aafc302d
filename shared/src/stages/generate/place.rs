//! From safe bytes to an image of the set: its number, its object, its local copy.

use backon::Retryable;

use super::{Generation, Job};
use crate::adapters::bucket::PutNew;
use crate::adapters::store::AMONG_RIVALS;
use crate::adapters::store::slots::{SlotRecord, SlotState};
use crate::domain::manifest::{BALANCING, Image, timestamp_text};
use crate::domain::money::MicroUsd;
use crate::domain::numbering::{filename, highest};
use crate::domain::prompts;
use crate::metrics::Metric;
use crate::stages::StageError;

impl Generation {
    /// Gives the image the next number and enters it in the manifest.
    pub(super) async fn give_number(&self, job: Job<'_>, slot: &SlotRecord) -> Result<(), StageError> {
        let attempt = || self.try_number(job, slot);
        let is_taken = |error: &StageError| matches!(error, StageError::Later { .. });
        attempt.retry(AMONG_RIVALS).when(is_taken).await
    }

    async fn try_number(&self, job: Job<'_>, slot: &SlotRecord) -> Result<(), StageError> {
        let folder = self.keys.training_data(job.actor);
        let listed = self.bucket.list(&folder).await?;
        let highest = highest(listed.iter().map(|object| object.key.as_str()));
        self.store.raise_last_number(job.actor, highest).await?;
        let record = self.store.actor(job.actor).await?.unwrap_or_default();
        let number = record.last_number + 1;
        let filename = filename(job.actor, number);
        let image = self.image(job, slot, number, &filename, record.profile.descriptor());
        let given = self.store.give_number(job.name(), record.last_number, &filename, &image).await?;
        if given || self.store.slot(job.name()).await?.state != SlotState::Staged {
            Ok(())
        } else {
            Err(StageError::later("too many others want a number", super::CLAIM_POLL))
        }
    }

    fn image(&self, job: Job<'_>, slot: &SlotRecord, number: u64, filename: &str, descriptor: &str) -> Image {
        let prompt_id = job.prompt_id(slot);
        let prompt = prompts::by_id(prompt_id).map(|prompt| prompt.render(descriptor));
        let local_path = self.local.image_path(job.actor, filename).map(|path| path.display().to_string());
        Image {
            prompt_preview: prompt.as_deref().map(prompts::preview),
            prompt,
            prompt_id: Some(prompt_id.to_owned()),
            generated_at: Some(timestamp_text(self.clock.now())),
            s3_url: Some(self.bucket.url(&self.keys.image(job.actor, filename))),
            local_path,
            index: number,
            kind: Some(job.slot.kind),
            generation_id: job.plan.generation_id,
            generation_type: Some(BALANCING.to_owned()),
            plan_id: Some(job.plan.plan_id.clone()),
            cost_micro_usd: (slot.spent > MicroUsd::ZERO).then_some(slot.spent),
            ..Image::default()
        }
    }

    /// Puts the image into its place under its number.
    pub(super) async fn place(&self, job: Job<'_>, filename: &str) -> Result<(), StageError> {
        let staging = self.keys.staging(job.actor, &job.plan.plan_id, &job.slot.slot_id);
        let Some(staged) = self.bucket.get(&staging).await? else {
            return Err(StageError::Refused(format!(
                "{staging} is gone, so {filename} of {} can't be placed",
                job.actor
            )));
        };
        let key = self.keys.image(job.actor, filename);
        let etag = match self.bucket.put_new(&key, staged.bytes.clone(), "image/jpeg").await? {
            PutNew::Stored(etag) => etag,
            PutNew::Occupied => match self.bucket.get(&key).await? {
                // An earlier attempt got this far.
                Some(there) if there.bytes == staged.bytes => there.etag,
                _ => return Ok(self.store.yield_number(job.name(), filename).await?),
            },
        };
        self.store.mark_placed(job.actor, filename, &etag).await?;
        self.local.save(job.actor, filename, &staged.bytes).await?;
        self.store.finish_slot(job.name()).await?;
        Metric::ImagesGenerated(1).emit();
        Ok(())
    }
}
