//! From a slot to bytes that are safe.

use aws::store::slots::SlotRecord;
use aws::store::spending::Settlement;
use domain::disposition::Disposition;
use domain::prompts;
use providers::generator::{Generator, Request, draw};
use tracing::warn;

use super::{Generation, Job};
use crate::base_image::BaseImages;
use crate::{HandlerError, report_payment};

impl Generation {
    /// Has the image made and puts it into the staging area. What can't be made is noted in the slot: the next
    /// evaluation sees that the set is still short.
    pub(super) async fn draw_and_stage(&self, job: Job<'_>, record: &SlotRecord) -> Result<(), HandlerError> {
        match &self.generator {
            Generator::Embedded => self.draw_here(job, record).await,
            Generator::Replicate(replicate) => self.have_drawn(job, record, replicate).await,
        }
    }

    async fn draw_here(&self, job: Job<'_>, record: &SlotRecord) -> Result<(), HandlerError> {
        let request = match self.prepare(job, record).await? {
            Ok(request) => request,
            Err(problem) => return self.give_up(job, record, Settlement::Released, &problem).await,
        };
        match draw(request).await {
            Ok(bytes) => self.stage(job, record, bytes).await,
            Err(error) if error.disposition() == Disposition::Permanent => {
                self.give_up(job, record, Settlement::Released, &error.to_string()).await
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Puts the bytes where they are safe until the image has its number.
    pub(super) async fn stage(&self, job: Job<'_>, record: &SlotRecord, bytes: Vec<u8>) -> Result<(), HandlerError> {
        let key = self.keys.staging(job.actor, &job.plan.plan_id, &job.slot.slot_id);
        self.bucket.put(&key, bytes, "image/jpeg").await?;
        self.store.mark_staged(job.name(), record).await?;
        self.tell_of(record, Settlement::Paid).await;
        Ok(())
    }

    /// Tells CloudWatch of an image that was paid.
    pub(super) async fn tell_of(&self, record: &SlotRecord, settlement: Settlement) {
        if let (Some(charge), Settlement::Paid) = (record.charge, settlement) {
            report_payment(&self.store, &self.budget, charge).await;
        }
    }

    /// What is asked for, with the base image read anew.
    ///
    /// # Errors
    /// The inner one, a sentence for people, if it can't be asked for at all.
    pub(super) async fn prepare(
        &self,
        job: Job<'_>,
        record: &SlotRecord,
    ) -> Result<Result<Request, String>, HandlerError> {
        let actor = self.store.actor(job.actor).await?.unwrap_or_default();
        let base_images = BaseImages { bucket: &self.bucket, keys: &self.keys, local: &self.local };
        let base = match base_images.load(job.actor, &actor.base_images).await? {
            Ok(base) => base,
            Err(problem) => return Ok(Err(problem)),
        };
        let prompt_id = job.prompt_id(record);
        let Some(prompt) = prompts::by_id(prompt_id) else {
            return Ok(Err(format!("The prompt {prompt_id} is not in this version's library.")));
        };
        let prompt = prompt.render(actor.profile.descriptor());
        Ok(Ok(Request { base, kind: job.slot.kind, prompt, seed: job.seed(record) }))
    }

    /// Ends the slot without an image.
    pub(super) async fn give_up(
        &self,
        job: Job<'_>,
        record: &SlotRecord,
        settlement: Settlement,
        reason: &str,
    ) -> Result<(), HandlerError> {
        warn!(actor = %job.actor, plan_id = job.plan.plan_id, slot_id = job.slot.slot_id, reason, "no image made");
        self.store.fail_slot(job.name(), record, settlement, reason).await?;
        self.tell_of(record, settlement).await;
        Ok(())
    }
}
