//! An image that somebody else draws, for money: set the price aside, ask once, note under which name it was begun,
//! wait, fetch. Whatever is cut off is taken up where it stopped, so nothing is paid twice.

use std::collections::BTreeSet;
use std::time::Duration;

use aws::store::actors::OnBehalf;
use aws::store::slots::SlotRecord;
use aws::store::spending::Settlement;
use domain::disposition::Disposition;
use domain::plan::redraw;
use jiff::SignedDuration;
use providers::generator::{Prediction, Replicate, ReplicateError};
use tokio::time::Instant;
use tracing::warn;

use super::{Generation, Job};
use crate::{HandlerError, outage, park};

/// How often an image is asked for before its slot is given up.
const MOST_ATTEMPTS: u32 = 3;

/// How long an image is waited for before the message is put back. Most take six seconds.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// When to look again for an image that takes unusually long.
const STILL_RUNNING: Duration = Duration::from_secs(15);

/// The delay after a prediction that Replicate did not finish. Such failures come in waves that last a minute or more,
/// and each creation within a wave fails too.
const AFTER_INTERRUPTION: Duration = Duration::from_secs(100);

/// Replicate itself ends what runs for half an hour.
const LONGEST_RUN: SignedDuration = SignedDuration::from_mins(45);

impl Generation {
    /// Takes one step towards an image by Replicate; the slot's record says which, and is read again after it.
    pub(super) async fn have_drawn(
        &self,
        job: Job<'_>,
        record: &SlotRecord,
        replicate: &Replicate,
    ) -> Result<(), HandlerError> {
        match &record.prediction_id {
            _ if record.charge.is_none() => self.set_price_aside(job, replicate).await,
            None => self.begin(job, record, replicate).await,
            Some(id) => self.wait(job, record, id, replicate).await,
        }
    }

    async fn wait(
        &self,
        job: Job<'_>,
        record: &SlotRecord,
        id: &str,
        replicate: &Replicate,
    ) -> Result<(), HandlerError> {
        match replicate.wait_for(id, job.until.min(Instant::now() + LONGEST_WAIT)).await {
            Ok(Prediction::Running) => self.still_running(job, record).await,
            Ok(Prediction::Succeeded(output)) => self.fetch(job, record, replicate, &output).await,
            Ok(Prediction::ContentRejected(reason)) => {
                self.try_other_prompt(job, record, Settlement::Released, &reason).await
            }
            Ok(Prediction::Interrupted(reason)) => Err(self.wait_out_interruption(job, record, reason).await?),
            Ok(Prediction::Failed(reason)) => self.try_again(job, record, Settlement::Released, &reason).await,
            Ok(Prediction::Canceled(reason)) => self.try_again(job, record, Settlement::Paid, &reason).await,
            Ok(Prediction::Gone) => self.try_again(job, record, Settlement::Paid, "its output has been removed").await,
            Ok(Prediction::Missing(reason)) => self.fetch_again(job, record, reason).await,
            Err(error) => Err(self.put_off(job, record, error).await?),
        }
    }

    async fn still_running(&self, job: Job<'_>, record: &SlotRecord) -> Result<(), HandlerError> {
        let since = record.begun_at.or(record.asked_at);
        if since.is_some_and(|since| self.clock.now().duration_since(since) >= LONGEST_RUN) {
            let reason = format!("it had not ended after {} minutes", LONGEST_RUN.as_mins());
            return self.try_again(job, record, Settlement::Paid, &reason).await;
        }
        self.forget_outage(job, record).await?;
        Err(HandlerError::deferred("the image is still being made", STILL_RUNNING))
    }

    /// Waits out a service that accepts a creation and does not finish it. Nothing is charged, and no attempt is used
    /// up. After an hour each delivery counts as failed, as after any other outage.
    async fn wait_out_interruption(
        &self,
        job: Job<'_>,
        record: &SlotRecord,
        reason: String,
    ) -> Result<HandlerError, HandlerError> {
        let now = self.clock.now();
        let since = outage::since(record.interrupted_since, now);
        self.store.note_interruption(job.name(), record, since).await?;
        let error = ReplicateError::Interrupted(reason);
        Ok(match outage::back_off(since, now, Some(AFTER_INTERRUPTION)) {
            Some(pause) => HandlerError::deferred(error.to_string(), pause),
            None => HandlerError::Generator(error.into()),
        })
    }

    pub(super) async fn try_again(
        &self,
        job: Job<'_>,
        record: &SlotRecord,
        settlement: Settlement,
        reason: &str,
    ) -> Result<(), HandlerError> {
        if record.attempt + 1 >= MOST_ATTEMPTS {
            let reason = format!("{MOST_ATTEMPTS} attempts failed, the last because {reason}");
            return self.give_up(job, record, settlement, &reason).await;
        }
        warn!(actor = %job.actor, slot_id = job.slot.slot_id, attempt = record.attempt, reason, "trying again");
        self.store.try_again(job.name(), record, settlement).await?;
        self.tell_of(record, settlement).await;
        Ok(())
    }

    pub(super) async fn try_other_prompt(
        &self,
        job: Job<'_>,
        record: &SlotRecord,
        settlement: Settlement,
        reason: &str,
    ) -> Result<(), HandlerError> {
        let rejected = job.prompt_id(record);
        self.store.reject_prompt(job.actor, rejected).await?;
        if record.attempt + 1 >= MOST_ATTEMPTS {
            let reason = format!(
                "{MOST_ATTEMPTS} prompts were found improper ({reason}); if it happens to every image, it is the base image that is: replace it"
            );
            return self.give_up(job, record, settlement, &reason).await;
        }
        let used = self.used_prompts(job).await?;
        let Some(other) = redraw(&job.plan.plan_id, job.slot, record.attempt + 1, &used) else {
            return self.try_again(job, record, settlement, reason).await;
        };
        warn!(actor = %job.actor, rejected, other = other.id, reason, "another prompt is drawn");
        let is_shared = used.contains(other.id);
        self.store.try_other_prompt(job.name(), record, settlement, other.id, is_shared).await?;
        self.tell_of(record, settlement).await;
        Ok(())
    }

    /// The prompts of the set and of the plan, and those found improper.
    async fn used_prompts(&self, job: Job<'_>) -> Result<BTreeSet<String>, HandlerError> {
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
    ) -> Result<HandlerError, HandlerError> {
        match error.disposition() {
            Disposition::RetryAfter(pause) => {
                self.forget_outage(job, record).await?;
                Ok(HandlerError::deferred(error.to_string(), pause))
            }
            Disposition::NeedsFunds => {
                self.forget_outage(job, record).await?;
                let (behalf, reason) = (OnBehalf::Plan(&job.plan.plan_id), error.to_string());
                Ok(park(&self.store, &self.clock, &self.budget, job.actor, behalf, None, reason).await?)
            }
            Disposition::Outage { retry_after } => self.back_off(job, record, error, retry_after).await,
            Disposition::Timeout => self.back_off(job, record, error, None).await,
            Disposition::Retry | Disposition::ContentRejected | Disposition::NeedsOperator | Disposition::Permanent => {
                Ok(HandlerError::Generator(error.into()))
            }
        }
    }

    /// Defers the message during an outage, with increasing delays. After about an hour it returns the error itself.
    async fn back_off(
        &self,
        job: Job<'_>,
        record: &SlotRecord,
        error: ReplicateError,
        retry_after: Option<Duration>,
    ) -> Result<HandlerError, HandlerError> {
        let now = self.clock.now();
        let since = outage::since(record.outage_since, now);
        let Some(pause) = outage::back_off(since, now, retry_after) else {
            return Ok(HandlerError::Generator(error.into()));
        };
        self.store.note_outage(job.name(), Some(since)).await?;
        Ok(HandlerError::deferred(error.to_string(), pause))
    }

    /// The service answers again.
    async fn forget_outage(&self, job: Job<'_>, record: &SlotRecord) -> Result<(), HandlerError> {
        if record.outage_since.is_some() {
            self.store.note_outage(job.name(), None).await?;
        }
        Ok(())
    }
}
