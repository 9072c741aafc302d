//! An image that somebody else draws, for money: set the price aside, ask once, note under which name it was begun,
//! wait, fetch. Whatever is cut off is taken up where it stopped, so nothing is paid twice.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::SignedDuration;
use tokio::time::Instant;
use tracing::warn;

use super::{Generation, Job};
use crate::adapters::generator::{Prediction, Replicate, ReplicateError};
use crate::adapters::store::slots::SlotRecord;
use crate::adapters::store::spending::Settlement;
use crate::domain::plan::redraw;
use crate::stages::{StageError, outage, park};

/// How often an image is asked for before its slot is given up.
const MOST_ATTEMPTS: u32 = 3;

/// How long an image is waited for before the message is put back. Most take six seconds.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// When to look again for an image that takes unusually long.
const STILL_RUNNING: Duration = Duration::from_secs(15);

/// Replicate itself ends what runs for half an hour.
const LONGEST_RUN: SignedDuration = SignedDuration::from_mins(45);

impl Generation {
    /// Takes one step towards an image by Replicate; the slot's record says which, and is read again after it.
    pub(super) async fn have_drawn(
        &self,
        job: Job<'_>,
        record: &SlotRecord,
        replicate: &Replicate,
    ) -> Result<(), StageError> {
        match &record.prediction_id {
            _ if record.charge.is_none() => self.set_price_aside(job, replicate).await,
            None => self.begin(job, record, replicate).await,
            Some(id) => self.wait(job, record, id, replicate).await,
        }
    }

    async fn wait(&self, job: Job<'_>, record: &SlotRecord, id: &str, replicate: &Replicate) -> Result<(), StageError> {
        match replicate.wait_for(id, job.until.min(Instant::now() + LONGEST_WAIT)).await {
            Ok(Prediction::Running) => self.still_running(job, record).await,
            Ok(Prediction::Succeeded(output)) => self.fetch(job, record, replicate, &output).await,
            Ok(Prediction::Improper(reason)) => self.try_other_prompt(job, record, &reason).await,
            Ok(Prediction::Failed(reason)) => self.try_again(job, record, Settlement::Released, &reason).await,
            Ok(Prediction::Canceled(reason)) => self.try_again(job, record, Settlement::Paid, &reason).await,
            Ok(Prediction::Gone) => self.try_again(job, record, Settlement::Paid, "its output has been removed").await,
            Err(error) => Err(self.put_off(job, record, error).await?),
        }
    }

    async fn still_running(&self, job: Job<'_>, record: &SlotRecord) -> Result<(), StageError> {
        let since = record.begun_at.or(record.asked_at);
        if since.is_some_and(|since| self.clock.now().duration_since(since) >= LONGEST_RUN) {
            let reason = format!("it had not ended after {} minutes", LONGEST_RUN.as_mins());
            return self.try_again(job, record, Settlement::Paid, &reason).await;
        }
        if record.outage_since.is_some() {
            self.store.note_outage(job.name(), None).await?;
        }
        Err(StageError::later("the image is still being made", STILL_RUNNING))
    }

    async fn fetch(
        &self,
        job: Job<'_>,
        record: &SlotRecord,
        replicate: &Replicate,
        output: &str,
    ) -> Result<(), StageError> {
        match replicate.fetch(output).await {
            Ok(Some(bytes)) => self.stage(job, record, bytes).await,
            Ok(None) => self.try_again(job, record, Settlement::Paid, "its output has been removed").await,
            Err(error) if error.is_final() => self.try_again(job, record, Settlement::Paid, &error.to_string()).await,
            Err(error) => Err(self.put_off(job, record, error).await?),
        }
    }

    pub(super) async fn try_again(
        &self,
        job: Job<'_>,
        record: &SlotRecord,
        settlement: Settlement,
        reason: &str,
    ) -> Result<(), StageError> {
        if record.attempt + 1 >= MOST_ATTEMPTS {
            let reason = format!("{MOST_ATTEMPTS} attempts failed, the last because {reason}");
            return self.give_up(job, record, settlement, &reason).await;
        }
        warn!(actor = %job.actor, slot_id = job.slot.slot_id, attempt = record.attempt, reason, "trying again");
        self.store.try_again(job.name(), record, settlement).await?;
        self.tell_of(record, settlement).await;
        Ok(())
    }

    async fn try_other_prompt(&self, job: Job<'_>, record: &SlotRecord, reason: &str) -> Result<(), StageError> {
        let rejected = job.prompt_id(record);
        self.store.reject_prompt(job.actor, rejected).await?;
        if record.attempt + 1 >= MOST_ATTEMPTS {
            let reason = format!(
                "{MOST_ATTEMPTS} prompts were found improper ({reason}); if it happens to every image, it is the base image that is: replace it"
            );
            return self.give_up(job, record, Settlement::Released, &reason).await;
        }
        let used = self.used_prompts(job).await?;
        let Some(other) = redraw(&job.plan.plan_id, job.slot, record.attempt + 1, &used) else {
            return self.try_again(job, record, Settlement::Released, reason).await;
        };
        warn!(actor = %job.actor, rejected, other = other.id, reason, "another prompt is drawn");
        let is_shared = used.contains(other.id);
        Ok(self.store.try_other_prompt(job.name(), record, other.id, is_shared).await?)
    }

    /// The prompts of the set and of the plan, and those found improper.
    async fn used_prompts(&self, job: Job<'_>) -> Result<BTreeSet<String>, StageError> {
        let mut used = self.store.actor(job.actor).await?.unwrap_or_default().rejected_prompts;
        if let Some(plan) = self.store.plan(job.actor, &job.plan.plan_id).await? {
            used.extend(plan.redrawn_prompts);
        }
        used.extend(job.plan.slots.iter().map(|slot| slot.prompt_id.clone()));
        used.extend(self.store.images(job.actor).await?.into_values().filter_map(|image| image.prompt_id));
        Ok(used)
    }

    /// What an error that may pass means for the message.
    pub(super) async fn put_off(
        &self,
        job: Job<'_>,
        record: &SlotRecord,
        error: ReplicateError,
    ) -> Result<StageError, StageError> {
        let has_answered = error.pause().is_some() || matches!(error, ReplicateError::NoCredit(_));
        if has_answered && record.outage_since.is_some() {
            self.store.note_outage(job.name(), None).await?;
        }
        if let Some(pause) = error.pause() {
            return Ok(StageError::later(error.to_string(), pause));
        }
        if matches!(error, ReplicateError::NoCredit(_)) {
            return Ok(park(&self.store, &self.clock, &self.budget, job.actor, None, error.to_string()).await?);
        }
        if let Some(asked) = error.outage() {
            let now = self.clock.now();
            let since = outage::since(record.outage_since, now);
            if let Some(pause) = outage::pause(since, now, asked) {
                self.store.note_outage(job.name(), Some(since)).await?;
                return Ok(StageError::later(error.to_string(), pause));
            }
        }
        Ok(StageError::Generator(error.into()))
    }
}
