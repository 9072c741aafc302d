//! One attempt at an image, with any generator: its request and its end.

use std::collections::BTreeSet;

use aws::store::slots::SlotRecord;
use domain::budget::Settlement;
use domain::lifecycle::slot::{NextPrompt, SlotEvent};
use domain::slot::{SlotPrompt, redraw_prompt};
use providers::generator::Request;
use tracing::warn;

use super::{Generation, Job};
use crate::base_image::BaseImages;
use crate::prompts::PromptsFiles;
use crate::{HandlerError, report_payment};

/// How many attempts a slot has.
pub(super) const MAX_ATTEMPTS: u32 = 3;

impl Generation {
    /// The request for the image, with the base image and up to `max_references` images of the character read anew.
    ///
    /// # Errors
    /// [`HandlerError::NeedsOperator`] if the image can't be requested at all.
    pub(super) async fn prepare(
        &self,
        job: Job<'_>,
        record: &SlotRecord,
        max_references: usize,
    ) -> Result<Request, HandlerError> {
        let actor = self.store.actor(job.actor).await?.unwrap_or_default();
        let base_images = BaseImages { bucket: &self.bucket, keys: &self.keys, local: &self.local };
        let base = base_images.load(job.actor, &actor.base_images).await?;
        let further = base_images.further(job.actor, &actor.base_images, max_references.saturating_sub(1)).await?;
        let Some(SlotPrompt { prompt, .. }) = job.prompt(record) else {
            let problem = format!("The prompt {} is not in this version's library.", job.prompt_id(record));
            return Err(HandlerError::NeedsOperator(problem));
        };
        let prompt = prompt.render(actor.profile.descriptor());
        let format = self.format.with(job.slot.format);
        Ok(Request { base, further, format, kind: job.slot.kind, prompt, seed: job.seed(record) })
    }

    /// Stores the image in the staging area until it has its number.
    pub(super) async fn stage(&self, job: Job<'_>, record: &SlotRecord, bytes: Vec<u8>) -> Result<(), HandlerError> {
        let key = self.keys.staging(job.actor, &job.plan.plan_id, &job.slot.slot_id);
        self.bucket.put(&key, bytes, "image/jpeg").await?;
        if self.store.advance_slot(job.name(), record, &SlotEvent::ImageStaged).await?.is_some() {
            self.report_payment(record, record.progress.state.settlement_in_doubt()).await;
        }
        Ok(())
    }

    /// Ends an attempt without an image. Another one follows, unless it was the last.
    pub(super) async fn try_again(
        &self,
        job: Job<'_>,
        record: &SlotRecord,
        settlement: Settlement,
        reason: &str,
    ) -> Result<(), HandlerError> {
        let attempt = record.progress.attempt;
        if attempt + 1 >= MAX_ATTEMPTS {
            let reason = format!("{MAX_ATTEMPTS} attempts failed, the last because {reason}");
            return self.abandon(job, record, settlement, &reason).await;
        }
        warn!(actor = %job.actor, slot_id = job.slot.slot_id, attempt, reason, "trying again");
        let failed = SlotEvent::AttemptFailed { settlement, prompt: None };
        if self.store.advance_slot(job.name(), record, &failed).await?.is_some() {
            self.report_payment(record, settlement).await;
        }
        Ok(())
    }

    /// Ends an attempt whose prompt the generator rejected. The next attempt uses another prompt.
    pub(super) async fn try_other_prompt(
        &self,
        job: Job<'_>,
        record: &SlotRecord,
        settlement: Settlement,
        reason: &str,
    ) -> Result<(), HandlerError> {
        let rejected = job.prompt_id(record);
        self.store.reject_prompt(job.actor, rejected).await?;
        let next_attempt = record.progress.attempt + 1;
        if next_attempt >= MAX_ATTEMPTS {
            let reason = format!(
                "the generator rejected {MAX_ATTEMPTS} prompts ({reason}); if it rejects those of every image, replace the base image"
            );
            return self.abandon(job, record, settlement, &reason).await;
        }
        let used = self.used_prompts(job).await?;
        let files = PromptsFiles { bucket: &self.bucket, keys: &self.keys };
        let library = match files.load(job.actor, true).await {
            Ok(loaded) => loaded.library,
            Err(HandlerError::NeedsOperator(problem)) => {
                let reason = format!("the generator rejected a prompt ({reason}), and there is no other: {problem}");
                return self.abandon(job, record, settlement, &reason).await;
            }
            Err(error) => return Err(error),
        };
        let (plan_id, slot) = (&job.plan.plan_id, job.slot);
        let first = job.plan.first_prompt_of(slot).map(|first| first.prompt);
        let Some(other) = redraw_prompt(&library, plan_id, slot, first.as_deref(), next_attempt, &used) else {
            return self.try_again(job, record, settlement, reason).await;
        };
        warn!(actor = %job.actor, rejected, other = other.id, reason, "drawing another prompt");
        let is_shared = used.contains(&other.id);
        let next = NextPrompt { id: other.id.clone(), own: library.own(other, job.plan.outfit_turn(slot)) };
        if self.store.redraw_prompt(job.name(), record, settlement, next, is_shared).await? {
            self.report_payment(record, settlement).await;
        }
        Ok(())
    }

    /// The prompts of the set and of the plan, and the rejected ones.
    async fn used_prompts(&self, job: Job<'_>) -> Result<BTreeSet<String>, HandlerError> {
        let mut used = self.store.actor(job.actor).await?.unwrap_or_default().rejected_prompts;
        if let Some(plan) = self.store.plan(job.actor, &job.plan.plan_id).await? {
            used.extend(plan.redrawn_prompts);
        }
        used.extend(job.plan.slots.iter().map(|slot| slot.prompt_id.clone()));
        used.extend(self.store.images(job.actor).await?.into_values().filter_map(|image| image.prompt_id));
        Ok(used)
    }

    /// Fails the slot. The next evaluation finds that the set is still short of an image.
    pub(super) async fn abandon(
        &self,
        job: Job<'_>,
        record: &SlotRecord,
        settlement: Settlement,
        reason: &str,
    ) -> Result<(), HandlerError> {
        warn!(actor = %job.actor, plan_id = job.plan.plan_id, slot_id = job.slot.slot_id, reason, "no image made");
        let abandoned = SlotEvent::Abandoned { settlement, reason: reason.to_owned() };
        if self.store.advance_slot(job.name(), record, &abandoned).await?.is_some() {
            self.report_payment(record, settlement).await;
        }
        Ok(())
    }

    /// Emits the metrics of a paid attempt.
    async fn report_payment(&self, record: &SlotRecord, settlement: Settlement) {
        if let (Some(charge), Settlement::Paid) = (record.progress.state.charge(), settlement) {
            report_payment(&self.store, &self.budget, charge).await;
        }
    }
}
