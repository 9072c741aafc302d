//! An image that somebody else draws, for money: set the price aside, ask once, note under which name it was begun,
//! wait, fetch. Whatever is cut off is taken up where it stopped, so nothing is paid twice.

use std::collections::BTreeSet;
use std::time::Duration;

use tracing::{info, warn};

use super::draw::Prepared;
use super::{Generation, Job};
use crate::adapters::generator::{Prediction, Replicate, ReplicateError, Request};
use crate::adapters::store::actors::{ActorRecord, Status};
use crate::adapters::store::slots::SlotRecord;
use crate::adapters::store::spending::{Charge, Reservation, Settlement};
use crate::domain::plan::redraw;
use crate::stages::{StageError, park, park_over_budget};

/// How often an image is asked for before its slot is given up.
const MOST_ATTEMPTS: u32 = 3;

/// When to look again for an image that takes unusually long.
const STILL_RUNNING: Duration = Duration::from_secs(15);

impl Generation {
    /// Takes one step, or several, towards an image by Replicate; the slot's record says from where.
    pub(super) async fn have_drawn(
        &self,
        job: Job<'_>,
        record: &SlotRecord,
        prepared: Prepared,
        replicate: &Replicate,
    ) -> Result<(), StageError> {
        let Prepared { request, actor } = prepared;
        if record.charge.is_none() {
            // The charge enters the slot's record, which is then read again.
            return self.set_price_aside(job, replicate).await;
        }
        let id = match &record.prediction_id {
            Some(id) => id.clone(),
            None => {
                let id = match self.find_lost(job, record, &request, replicate).await? {
                    Some(id) => id,
                    None => match self.ask(job, &request, replicate).await? {
                        Ok(id) => id,
                        Err(error) => return self.not_begun(job, record, error).await,
                    },
                };
                self.store.mark_begun(job.name(), &id).await?;
                if actor.status == Status::Parked {
                    self.store.go_on(job.actor, self.clock.now()).await?;
                }
                id
            }
        };
        match replicate.wait_for(&id).await {
            Ok(Prediction::Running) => Err(StageError::later("the image is still being made", STILL_RUNNING)),
            Ok(Prediction::Succeeded(output)) => self.fetch(job, record, replicate, &output).await,
            Ok(Prediction::Improper(reason)) => self.try_other_prompt(job, record, &actor, &reason).await,
            Ok(Prediction::Failed(reason)) => self.try_again(job, record, Settlement::Released, &reason).await,
            Ok(Prediction::Gone) => self.try_again(job, record, Settlement::Paid, "its output has been removed").await,
            Err(error) => Err(self.put_off(job, error).await?),
        }
    }

    async fn set_price_aside(&self, job: Job<'_>, replicate: &Replicate) -> Result<(), StageError> {
        let day = self.clock.today();
        let charge = Charge { day, amount: replicate.price() };
        match self.store.reserve_image(job.name(), charge, &self.budget).await? {
            Reservation::Granted => Ok(()),
            Reservation::UsedUp(limit) => {
                Err(park_over_budget(&self.store, &self.clock, &self.budget, job.actor, limit).await?)
            }
        }
    }

    /// Finds the image that may have been asked for when the answer got lost.
    async fn find_lost(
        &self,
        job: Job<'_>,
        record: &SlotRecord,
        request: &Request,
        replicate: &Replicate,
    ) -> Result<Option<String>, StageError> {
        let Some(since) = record.asked_at else { return Ok(None) };
        match replicate.find(request, since).await {
            Ok(found) => {
                info!(actor = %job.actor, prediction = found, "looked for the image that may have been asked for");
                Ok(found)
            }
            // Whatever keeps us from looking says nothing about the image that was asked for.
            Err(error) => Err(self.put_off(job, error).await?),
        }
    }

    async fn ask(
        &self,
        job: Job<'_>,
        request: &Request,
        replicate: &Replicate,
    ) -> Result<Result<String, ReplicateError>, StageError> {
        self.store.mark_asked(job.name(), self.clock.now()).await?;
        Ok(replicate.create(request).await)
    }

    async fn not_begun(&self, job: Job<'_>, record: &SlotRecord, error: ReplicateError) -> Result<(), StageError> {
        if error.began_nothing() {
            self.store.mark_not_asked(job.name()).await?;
        }
        if error.is_final() {
            let settlement = if error.began_nothing() { Settlement::Released } else { Settlement::Paid };
            return self.give_up(job, record, settlement, &error.to_string()).await;
        }
        Err(self.put_off(job, error).await?)
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
            Err(error) => Err(self.put_off(job, error).await?),
        }
    }

    async fn try_again(
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
        self.store.try_again(job.name(), record, settlement, None).await?;
        self.tell_of(record, settlement).await;
        Ok(())
    }

    async fn try_other_prompt(
        &self,
        job: Job<'_>,
        record: &SlotRecord,
        actor: &ActorRecord,
        reason: &str,
    ) -> Result<(), StageError> {
        let rejected = job.prompt_id(record);
        self.store.reject_prompt(job.actor, rejected).await?;
        if record.attempt + 1 >= MOST_ATTEMPTS {
            return self.give_up(job, record, Settlement::Released, reason).await;
        }
        let mut used: BTreeSet<String> = actor.rejected_prompts.clone();
        used.insert(rejected.to_owned());
        used.extend(job.plan.slots.iter().map(|slot| slot.prompt_id.clone()));
        used.extend(self.store.images(job.actor).await?.into_values().filter_map(|image| image.prompt_id));
        let other = redraw(&job.plan.plan_id, job.slot, record.attempt + 1, &used).map(|prompt| prompt.id);
        warn!(actor = %job.actor, rejected, other, reason, "another prompt is drawn");
        Ok(self.store.try_again(job.name(), record, Settlement::Released, other).await?)
    }

    /// What an error that may pass means for the message.
    async fn put_off(&self, job: Job<'_>, error: ReplicateError) -> Result<StageError, StageError> {
        if let Some(pause) = error.pause() {
            return Ok(StageError::later(error.to_string(), pause));
        }
        if matches!(error, ReplicateError::NoCredit(_)) {
            return Ok(park(&self.store, &self.clock, &self.budget, job.actor, error.to_string()).await?);
        }
        Ok(StageError::Generator(error.into()))
    }
}
