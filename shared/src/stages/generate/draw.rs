//! From a slot to bytes that are safe.

use tracing::warn;

use super::{Generation, Job};
use crate::adapters::generator::Request;
use crate::domain::prompts;
use crate::stages::StageError;
use crate::stages::base_image::BaseImages;

impl Generation {
    /// Has the image made and puts it into the staging area. What can't be made is noted in the slot: the next
    /// evaluation sees that the set is still short.
    pub(super) async fn draw_and_stage(&self, job: Job<'_>) -> Result<(), StageError> {
        let request = match self.request(job).await? {
            Ok(request) => request,
            Err(problem) => return self.give_up(job, &problem).await,
        };
        match crate::adapters::generator::draw(request).await {
            Ok(bytes) => {
                let key = self.keys.staging(job.actor, &job.plan.plan_id, &job.slot.slot_id);
                self.bucket.put(&key, bytes, "image/jpeg").await?;
                Ok(self.store.mark_staged(job.name()).await?)
            }
            Err(error) if !error.is_final() => Err(error.into()),
            Err(error) => self.give_up(job, &error.to_string()).await,
        }
    }

    async fn request(&self, job: Job<'_>) -> Result<Result<Request, String>, StageError> {
        let record = self.store.actor(job.actor).await?.unwrap_or_default();
        let base_images = BaseImages { bucket: &self.bucket, keys: &self.keys, local: &self.local };
        let base = match base_images.load(job.actor, &record.base_images).await? {
            Ok(base) => base,
            Err(problem) => return Ok(Err(problem)),
        };
        let Some(prompt) = prompts::by_id(&job.slot.prompt_id) else {
            return Ok(Err(format!("The prompt {} is not in this version's library.", job.slot.prompt_id)));
        };
        let text = prompt.render(record.profile.descriptor());
        Ok(Ok(Request { base, kind: job.slot.kind, prompt: text, seed: job.slot.seed }))
    }

    async fn give_up(&self, job: Job<'_>, reason: &str) -> Result<(), StageError> {
        warn!(actor = %job.actor, plan_id = job.plan.plan_id, slot_id = job.slot.slot_id, reason, "no image made");
        Ok(self.store.fail_slot(job.name(), reason).await?)
    }
}
