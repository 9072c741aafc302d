//! An image from a service: reserve the price, request the image once, record the id of its prediction, wait, fetch the
//! output.
//!
//! The slot records each step before the next one, so a successor of an interrupted worker pays for nothing twice.

use std::time::Duration;

use aws::store::slots::SlotRecord;
use aws::store::spending::Reservation;
use domain::budget::{Charge, Settlement};
use domain::disposition::{Billed, Disposition};
use domain::lifecycle::actor::{ActorEvent, OnBehalf};
use domain::lifecycle::slot::{SlotEvent, SlotState};
use domain::money::MicroUsd;
use jiff::Timestamp;
use providers::generator::{Created, Failure, Found, Lost, Prediction, Service, ServiceError, wait_for};
use tokio::time::Instant;
use tracing::info;

use super::attempt::MAX_ATTEMPTS;
use super::{CONTINUATION_DELAY, Generation, Job};
use crate::heartbeat::LEASE_POLL;
use crate::{HandlerError, outage, park, park_over_budget};

/// The time for one search for a prediction whose id is unknown.
const MAX_SEARCH: Duration = Duration::from_secs(60);

/// How long to wait for a prediction before the message is deferred. Most take six seconds.
const MAX_WAIT: Duration = Duration::from_secs(60);

/// The delay between deliveries while a prediction runs.
const RUNNING_POLL: Duration = Duration::from_secs(15);

/// The delay after a prediction that the service did not finish. Such failures come in waves that last a minute or more,
/// and each prediction within a wave fails too.
const AFTER_INTERRUPTION: Duration = Duration::from_secs(100);

impl Generation {
    /// Takes one step towards a paid image. The caller reads the slot again after it.
    pub(super) async fn advance_paid<S: Service>(
        &self,
        job: Job<'_>,
        record: &SlotRecord,
        service: &S,
    ) -> Result<(), HandlerError> {
        if is_of_another_service::<S>(record) {
            let reason = "the generator has changed since it was requested";
            return self.try_again(job, record, Settlement::Paid, reason).await;
        }
        match &record.progress.state {
            SlotState::Pending => self.reserve_price(job, record, service).await,
            SlotState::Reserved { charge } if charge.amount < self.price(job, service) => {
                let reason = "the price of an image has risen since it was reserved";
                self.try_again(job, record, Settlement::Released, reason).await
            }
            SlotState::Reserved { .. } => self.request(job, record, service).await,
            SlotState::Requested { at, .. } => self.find_or_request(job, record, *at, service).await,
            SlotState::Predicting { id, since, .. } => self.await_output(job, record, id, *since, service).await,
            // The image needs nothing more from the service.
            SlotState::Staged | SlotState::Numbered { .. } | SlotState::Done { .. } | SlotState::Failed { .. } => {
                Ok(())
            }
        }
    }

    fn price(&self, job: Job<'_>, service: &impl Service) -> MicroUsd {
        service.price(self.format.with(job.slot.format).size)
    }

    async fn reserve_price<S: Service>(
        &self,
        job: Job<'_>,
        record: &SlotRecord,
        service: &S,
    ) -> Result<(), HandlerError> {
        // Nothing is reserved for a model that can't be used.
        if let Err(error) = service.check(self.format.with(job.slot.format).ratio).await {
            return Err(self.defer_or_fail::<S>(job, record, error).await?);
        }
        let charge = Charge { day: self.clock.today(), amount: self.price(job, service) };
        match self.store.reserve_image(job.name(), record, charge, &self.budget).await? {
            Reservation::Granted => Ok(()),
            Reservation::UsedUp(limit) => {
                let reason = self.budget.shortage(limit, charge.amount, charge.day);
                let behalf = OnBehalf::Plan(&job.plan.plan_id);
                Err(park_over_budget(&self.store, &self.clock, &self.budget, job.actor, behalf, limit, reason).await?)
            }
        }
    }

    /// Finds the prediction of an earlier request whose response was lost. If there is surely none, requests it again.
    async fn find_or_request<S: Service>(
        &self,
        job: Job<'_>,
        record: &SlotRecord,
        requested_at: Timestamp,
        service: &S,
    ) -> Result<(), HandlerError> {
        // A search takes time, and may miss what is listed only after it began.
        let lost = Lost { seed: job.seed(record), at: requested_at, now: self.clock.now() };
        let until = job.deadline.min(Instant::now() + MAX_SEARCH);
        let found = match service.find(lost, until).await {
            Ok(found) => found,
            // A search that fails proves nothing about the prediction.
            Err(error) => return Err(self.defer_or_fail::<S>(job, record, error).await?),
        };
        info!(actor = %job.actor, ?found, "searched for the image of a lost response");
        match found {
            Found::Prediction(id) => self.note_prediction(job, record, id).await,
            Found::Nothing => self.request(job, record, service).await,
            Found::NotYet(wait) => Err(self.defer_until_listed::<S>(record, wait)),
            Found::Unknowable(reason) => self.give_up_answer(job, record, reason).await,
        }
    }

    /// Ends an attempt whose answer is lost. If the service fails rather than the worker, the next attempt, if there is
    /// one, waits: its answer may be lost too, and each counts as paid.
    async fn give_up_answer(&self, job: Job<'_>, record: &SlotRecord, reason: &str) -> Result<(), HandlerError> {
        self.try_again(job, record, Settlement::Paid, reason).await?;
        let attempt = record.progress.attempt;
        if record.progress.outage_since.is_some() && attempt + 1 < MAX_ATTEMPTS {
            return Err(HandlerError::deferred(reason, pause_after_lost_answer(attempt)));
        }
        Ok(())
    }

    /// When an outage has lasted for its time, each delivery counts as a failure; otherwise it would never end.
    fn defer_until_listed<S: Service>(&self, record: &SlotRecord, wait: Duration) -> HandlerError {
        let (now, unlisted) = (self.clock.now(), ServiceError::of::<S>(Failure::Unlisted));
        if outage::back_off(outage::since(record.progress.outage_since, now), now, None).is_none() {
            return HandlerError::Generator(unlisted.into());
        }
        HandlerError::deferred(unlisted.to_string(), wait.max(CONTINUATION_DELAY))
    }

    async fn request<S: Service>(&self, job: Job<'_>, record: &SlotRecord, service: &S) -> Result<(), HandlerError> {
        let max_references = match service.max_references().await {
            Ok(most) => most,
            Err(error) => return Err(self.defer_or_fail::<S>(job, record, error).await?),
        };
        let request = match self.prepare(job, record, max_references).await {
            Ok(request) => request,
            Err(HandlerError::NeedsOperator(problem)) => {
                let settlement = record.progress.state.settlement_in_doubt();
                return self.abandon(job, record, settlement, &problem).await;
            }
            Err(error) => return Err(error),
        };
        // Shrinking the base image must not use up the time within which the prediction is surely listed.
        let creation = match service.prepare(&request).await {
            Ok(creation) => creation,
            Err(error) => return self.after_failed_request::<S>(job, record, record, error).await,
        };
        let begun = SlotEvent::RequestBegun { at: self.clock.now(), service: S::NAMES.service };
        let Some(requested) = self.store.advance_slot(job.name(), record, &begun).await? else {
            return Err(HandlerError::deferred("another worker has advanced this slot", LEASE_POLL));
        };
        match service.create(&creation).await {
            Ok(Created::Prediction(id)) => self.note_prediction(job, &requested, id).await,
            Ok(Created::Image(bytes)) => {
                self.stage(job, &requested, bytes).await?;
                self.resume_actor(job).await
            }
            Ok(Created::Unusable(reason)) => {
                self.try_again(job, &requested, Settlement::Paid, &reason).await?;
                self.resume_actor(job).await
            }
            Err(error) => self.after_failed_request::<S>(job, record, &requested, error).await,
        }
    }

    async fn note_prediction(&self, job: Job<'_>, record: &SlotRecord, id: String) -> Result<(), HandlerError> {
        let found = SlotEvent::PredictionFound { id, at: self.clock.now() };
        self.store.advance_slot(job.name(), record, &found).await?;
        self.resume_actor(job).await
    }

    /// The service works: an actor that was parked for money is no longer.
    async fn resume_actor(&self, job: Job<'_>) -> Result<(), HandlerError> {
        let behalf = OnBehalf::Plan(&job.plan.plan_id);
        self.store.change_standing(job.actor, behalf, &ActorEvent::WorkResumed, self.clock.now()).await?;
        Ok(())
    }

    /// `before` is the slot as it was before this request, `record` as it is now. If an earlier request may have
    /// created a prediction, the failure of this one proves nothing.
    async fn after_failed_request<S: Service>(
        &self,
        job: Job<'_>,
        before: &SlotRecord,
        record: &SlotRecord,
        error: Failure,
    ) -> Result<(), HandlerError> {
        let created_nothing =
            error.billed() == Billed::No && matches!(before.progress.state, SlotState::Reserved { .. });
        let unrequested = match record.progress.state {
            SlotState::Requested { .. } if created_nothing => {
                self.store.advance_slot(job.name(), record, &SlotEvent::RequestFailed).await?
            }
            _ => None,
        };
        let record = unrequested.as_ref().unwrap_or(record);
        let settlement = if created_nothing { Settlement::Released } else { Settlement::Paid };
        if let Failure::ContentRejected(reason) = &error {
            return self.try_other_prompt(job, record, settlement, reason).await;
        }
        if error.disposition() == Disposition::Permanent {
            let reason = ServiceError::of::<S>(error).to_string();
            return self.abandon(job, record, settlement, &reason).await;
        }
        Err(self.defer_or_fail::<S>(job, record, error).await?)
    }

    async fn await_output<S: Service>(
        &self,
        job: Job<'_>,
        record: &SlotRecord,
        id: &str,
        since: Timestamp,
        service: &S,
    ) -> Result<(), HandlerError> {
        match wait_for(service, id, job.deadline.min(Instant::now() + MAX_WAIT)).await {
            Ok(Prediction::Running) => self.still_running::<S>(job, record, since).await,
            Ok(Prediction::Succeeded(output)) => self.fetch(job, record, since, service, &output).await,
            Ok(Prediction::ContentRejected(reason)) => {
                self.try_other_prompt(job, record, Settlement::Released, &reason).await
            }
            Ok(Prediction::Interrupted(reason)) => Err(self.wait_out_interruption::<S>(job, record, reason).await?),
            Ok(Prediction::Failed(reason)) => self.try_again(job, record, Settlement::Released, &reason).await,
            Ok(Prediction::Canceled(reason)) => self.try_again(job, record, Settlement::Paid, &reason).await,
            Ok(Prediction::Gone) => self.try_again(job, record, Settlement::Paid, "its output has been removed").await,
            Ok(Prediction::Missing(reason)) => self.fetch_again(job, record, reason).await,
            Err(error) => Err(self.defer_or_fail::<S>(job, record, error).await?),
        }
    }

    async fn still_running<S: Service>(
        &self,
        job: Job<'_>,
        record: &SlotRecord,
        since: Timestamp,
    ) -> Result<(), HandlerError> {
        if self.clock.now().duration_since(since) >= S::MAX_RUN {
            let reason = format!("it had not ended after {} minutes", S::MAX_RUN.as_mins());
            return self.try_again(job, record, Settlement::Paid, &reason).await;
        }
        self.forget_outage(job, record).await?;
        Err(HandlerError::deferred("the prediction is still running", RUNNING_POLL))
    }

    /// Waits out a service that accepts a prediction and does not finish it. Nothing is charged, and no attempt is used
    /// up. After an hour each delivery counts as failed, as after any other outage.
    async fn wait_out_interruption<S: Service>(
        &self,
        job: Job<'_>,
        record: &SlotRecord,
        reason: String,
    ) -> Result<HandlerError, HandlerError> {
        let now = self.clock.now();
        let since = outage::since(record.progress.interrupted_since, now);
        self.store.advance_slot(job.name(), record, &SlotEvent::Interrupted { since }).await?;
        let error = ServiceError::of::<S>(Failure::Interrupted(reason));
        Ok(match outage::back_off(since, now, Some(AFTER_INTERRUPTION)) {
            Some(pause) => HandlerError::deferred(error.to_string(), pause),
            None => HandlerError::Generator(error.into()),
        })
    }

    /// The consequence of a temporary error: the message is deferred, or fails after a long outage.
    pub(super) async fn defer_or_fail<S: Service>(
        &self,
        job: Job<'_>,
        record: &SlotRecord,
        failure: Failure,
    ) -> Result<HandlerError, HandlerError> {
        let error = ServiceError::of::<S>(failure);
        match error.failure.disposition() {
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
        error: ServiceError,
        retry_after: Option<Duration>,
    ) -> Result<HandlerError, HandlerError> {
        let now = self.clock.now();
        let since = outage::since(record.progress.outage_since, now);
        let Some(pause) = outage::back_off(since, now, retry_after) else {
            return Ok(HandlerError::Generator(error.into()));
        };
        self.store.advance_slot(job.name(), record, &SlotEvent::OutageNoted { since: Some(since) }).await?;
        Ok(HandlerError::deferred(error.to_string(), pause))
    }

    /// The service answers again.
    async fn forget_outage(&self, job: Job<'_>, record: &SlotRecord) -> Result<(), HandlerError> {
        if record.progress.outage_since.is_some() {
            self.store.advance_slot(job.name(), record, &SlotEvent::OutageNoted { since: None }).await?;
        }
        Ok(())
    }
}

/// Whether the slot has requested its image from a service that is no longer the generator. What that service has charged
/// can't be found out.
fn is_of_another_service<S: Service>(record: &SlotRecord) -> bool {
    let is_requested = matches!(record.progress.state, SlotState::Requested { .. } | SlotState::Predicting { .. });
    is_requested && record.progress.service.as_deref().is_some_and(|service| service != S::NAMES.service)
}

/// How long the attempt after one with a lost answer waits: 2 and 10 minutes.
fn pause_after_lost_answer(attempt: u32) -> Duration {
    Duration::from_secs(120).saturating_mul(5_u32.saturating_pow(attempt)).min(Duration::from_secs(900))
}
