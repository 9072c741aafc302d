//! Having an image begun: once, whatever gets lost on the way. The base image is read only when it is sent.

use std::time::Duration;

use aws::store::actors::OnBehalf;
use aws::store::slots::SlotRecord;
use aws::store::spending::{Charge, Reservation, Settlement};
use domain::disposition::{Billed, Disposition};
use domain::status::Status;
use jiff::{SignedDuration, Timestamp};
use providers::generator::{CREATION_TIMEOUT, Replicate, ReplicateError};
use tokio::time::Instant;
use tracing::info;

use super::{AT_ONCE, CLAIM_POLL, Generation, Job};
use crate::{HandlerError, outage, park_over_budget};

/// How long a list is searched for an image whose beginning was not answered.
const LONGEST_SEARCH: Duration = Duration::from_secs(60);

/// How soon Replicate surely lists what it has begun. It doesn't say; asking too early would pay twice. What got lost may
/// have been begun at any time until its creation was not waited for any longer.
const LISTED_WITHIN: SignedDuration = SignedDuration::from_secs(CREATION_TIMEOUT.as_secs().cast_signed() + 15);

/// Replicate forgets what it was asked for after an hour; a little earlier, what can't be found may have been made.
const REMEMBERED: SignedDuration = SignedDuration::from_mins(55);

impl Generation {
    pub(super) async fn set_price_aside(&self, job: Job<'_>, replicate: &Replicate) -> Result<(), HandlerError> {
        let charge = Charge { day: self.clock.today(), amount: replicate.price() };
        match self.store.reserve_image(job.name(), charge, &self.budget).await? {
            Reservation::Granted => Ok(()),
            Reservation::UsedUp(limit) => {
                let reason = self.budget.shortage(limit, charge.amount, charge.day);
                let behalf = OnBehalf::Plan(&job.plan.plan_id);
                Err(park_over_budget(&self.store, &self.clock, &self.budget, job.actor, behalf, limit, reason).await?)
            }
        }
    }

    /// Finds the image that was asked for before, or asks for it.
    pub(super) async fn begin(
        &self,
        job: Job<'_>,
        record: &SlotRecord,
        replicate: &Replicate,
    ) -> Result<(), HandlerError> {
        if let Some(asked_at) = record.asked_at {
            // Looking takes its time, and what is listed only meanwhile is not seen.
            let looked_at = self.clock.now();
            if let Some(id) = self.find_lost(job, record, asked_at, replicate).await? {
                return self.note_begun(job, record, &id).await;
            }
            let passed = looked_at.duration_since(asked_at);
            if passed >= REMEMBERED {
                let reason = "whether it was ever made can't be found out any more";
                return self.try_again(job, record, Settlement::Paid, reason).await;
            }
            if passed < LISTED_WITHIN {
                let now = self.clock.now();
                let wait =
                    Duration::try_from(asked_at.duration_since(now) + LISTED_WITHIN).unwrap_or_default().max(AT_ONCE);
                let is_waited_for = outage::back_off(outage::since(record.outage_since, now), now, None).is_some();
                // When an outage has been waited for long enough, each delivery counts, or they would never end.
                return Err(if is_waited_for {
                    HandlerError::deferred(ReplicateError::Unlisted.to_string(), wait)
                } else {
                    HandlerError::Generator(ReplicateError::Unlisted.into())
                });
            }
        }
        self.ask(job, record, replicate).await
    }

    /// Finds the image that may have been asked for when the answer got lost.
    async fn find_lost(
        &self,
        job: Job<'_>,
        record: &SlotRecord,
        asked_at: Timestamp,
        replicate: &Replicate,
    ) -> Result<Option<String>, HandlerError> {
        let until = job.until.min(Instant::now() + LONGEST_SEARCH);
        match replicate.find(job.seed(record), asked_at, until).await {
            Ok(found) => {
                info!(actor = %job.actor, prediction = found, "looked for the image that may have been asked for");
                Ok(found)
            }
            // Whatever keeps us from looking says nothing about the image that was asked for.
            Err(error) => Err(self.put_off(job, record, error).await?),
        }
    }

    async fn ask(&self, job: Job<'_>, record: &SlotRecord, replicate: &Replicate) -> Result<(), HandlerError> {
        let request = match self.prepare(job, record).await? {
            Ok(request) => request,
            Err(problem) => {
                // What has been asked for may have been charged.
                let settlement = if record.asked_at.is_some() { Settlement::Paid } else { Settlement::Released };
                return self.give_up(job, record, settlement, &problem).await;
            }
        };
        // First, since shrinking the base image must not use up the time in which the image is sure to be listed.
        let creation = match replicate.prepare(&request).await {
            Ok(creation) => creation,
            Err(error) => return self.not_begun(job, record, error).await,
        };
        if !self.store.mark_asked(job.name(), record, self.clock.now()).await? {
            return Err(HandlerError::deferred("another worker has gone on with this image", CLAIM_POLL));
        }
        match replicate.create(&creation).await {
            Ok(id) => self.note_begun(job, record, &id).await,
            Err(error) => self.not_begun(job, record, error).await,
        }
    }

    async fn note_begun(&self, job: Job<'_>, record: &SlotRecord, id: &str) -> Result<(), HandlerError> {
        self.store.mark_begun(job.name(), record, id, self.clock.now()).await?;
        let actor = self.store.actor(job.actor).await?.unwrap_or_default();
        if actor.status == Status::Parked {
            self.store.go_on(job.actor, OnBehalf::Plan(&job.plan.plan_id), self.clock.now()).await?;
        }
        Ok(())
    }

    async fn not_begun(&self, job: Job<'_>, record: &SlotRecord, error: ReplicateError) -> Result<(), HandlerError> {
        // An earlier request may have created a prediction all the same.
        let is_unbilled = error.billed() == Billed::No && record.asked_at.is_none();
        if is_unbilled {
            self.store.mark_not_asked(job.name()).await?;
        }
        let settlement = if is_unbilled { Settlement::Released } else { Settlement::Paid };
        if let ReplicateError::ContentRejected(reason) = &error {
            return self.try_other_prompt(job, record, settlement, reason).await;
        }
        if error.disposition() == Disposition::Permanent {
            return self.give_up(job, record, settlement, &error.to_string()).await;
        }
        Err(self.put_off(job, record, error).await?)
    }
}
