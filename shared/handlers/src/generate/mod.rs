//! Generation: one message, one image.

mod attempt;
mod embedded;
mod manual;
mod output;
mod paid;
mod place;

use std::time::Duration;

use aws::bucket::Bucket;
use aws::queues::{Queue, Queues};
use aws::store::Store;
use aws::store::leases::Leased;
use aws::store::slots::{SlotName, SlotRecord};
use domain::actor::ActorId;
use domain::budget::Budget;
use domain::format::Format;
use domain::keys::Keys;
use domain::lifecycle::slot::SlotState;
use domain::messages::GenerationMessage;
use domain::plan::{Plan, PlanState};
use domain::slot::{Slot, SlotPrompt};
use domain::status::Status;
use providers::generator::Generator;
use tokio::time::Instant;
use tracing::info;

use super::dispatch::{evaluate_change, review_if_completed};
use super::{Clock, Handler, HandlerError, Message, lease_token};
use crate::heartbeat::{Heartbeat, HeldLease, LEASE_POLL};
use crate::local_copy::LocalCopy;
use crate::panics::caught;

/// The time within which a worker begins further steps of an image. The last step may take two and a half minutes, for an
/// answer of OpenAI's image edits, so the worker ends before its function's timeout of five minutes.
pub const TIME_BUDGET: Duration = Duration::from_secs(120);

/// The delay of a message whose worker has used up its time.
const CONTINUATION_DELAY: Duration = Duration::from_secs(1);

/// The generation handler.
#[derive(Clone)]
pub struct Generation {
    pub bucket: Bucket,
    pub store: Store,
    pub queues: Queues,
    pub local: LocalCopy,
    pub keys: Keys,
    pub generator: Generator,
    /// The format of images whose actor and prompt have none of their own.
    pub format: Format,
    pub budget: Budget,
    /// [`TIME_BUDGET`], except in tests.
    pub time_budget: Duration,
    pub heartbeat: Heartbeat,
    pub clock: Clock,
}

/// An image to generate, with its plan and actor.
#[derive(Clone, Copy)]
struct Job<'a> {
    actor: &'a ActorId,
    plan: &'a Plan,
    slot: &'a Slot,
    /// No step begins later.
    deadline: Instant,
}

impl<'a> Job<'a> {
    fn name(&self) -> SlotName<'a> {
        SlotName { actor: self.actor, plan_id: &self.plan.plan_id, slot_id: &self.slot.slot_id }
    }

    /// The id of the prompt that the slot is made with now.
    fn prompt_id(&self, record: &'a SlotRecord) -> &'a str {
        record.progress.prompt_id.as_deref().unwrap_or(&self.slot.prompt_id)
    }

    /// The prompt that the slot is made with now; `None` if this version lacks it.
    fn prompt(&self, record: &'a SlotRecord) -> Option<SlotPrompt<'a>> {
        self.plan.prompt_of(self.slot, &record.progress)
    }

    /// The id of a change that the slot makes to the set.
    fn change_id(&self, change: &str) -> String {
        format!("{}.{}.{change}", self.plan.plan_id, self.slot.slot_id)
    }

    /// The seed that the slot is made with now.
    fn seed(&self, record: &SlotRecord) -> u32 {
        self.slot.seed_of(self.actor, &self.plan.plan_id, record.progress.attempt, record.progress.interruptions)
    }
}

impl Handler for Generation {
    const QUEUE: Queue = Queue::Generation;

    async fn handle(&self, message: Message<'_>) -> Result<(), HandlerError> {
        match GenerationMessage::parse(message.body)? {
            GenerationMessage::Manual { actor_id, generate, request_id } => {
                self.plan_manual_request(&actor_id, generate, request_id.as_deref().unwrap_or(message.request_id)).await
            }
            GenerationMessage::Planned { actor_id, plan_id, slot_id } => {
                let Some(plan) = self.store.plan(&actor_id, &plan_id).await? else {
                    return Err(HandlerError::Rejected(format!("{actor_id} has no plan {plan_id}")));
                };
                let slot = plan.slot(&slot_id).ok_or_else(|| {
                    HandlerError::Rejected(format!("plan {plan_id} of {actor_id} has no image {slot_id}"))
                })?;
                let deadline = Instant::now() + self.time_budget;
                self.work(Job { actor: &actor_id, plan: &plan, slot, deadline }, message.request_id).await
            }
        }
    }
}

impl Generation {
    /// Works on a slot under its lease until it is done or failed.
    async fn work(&self, job: Job<'_>, request_id: &str) -> Result<(), HandlerError> {
        let now = self.clock.now();
        let token = lease_token(request_id, now);
        let Some(record) = self.store.lease_slot(job.name(), &token, now).await? else {
            return Err(HandlerError::deferred("another worker holds the lease of this slot", LEASE_POLL));
        };
        // A panic must end the lease too: otherwise the next delivery would be deferred, and never counted as failed.
        let leased = Leased::Slot(job.name());
        let (store, clock, heartbeat) = (&self.store, &self.clock, self.heartbeat);
        let lease = HeldLease { store, clock, heartbeat, leased, token: &token, taken_at: now };
        let work = caught(lease.run(self.advance_to_end(job, record)));
        let worked = work.await.unwrap_or_else(|panic| Err(panic.into()));
        self.store.release_lease(leased, &token).await?;
        worked
    }

    async fn advance_to_end(&self, job: Job<'_>, mut record: SlotRecord) -> Result<(), HandlerError> {
        let mut is_superseded = !job.plan.state.accepts_messages();
        loop {
            match &record.progress.state {
                SlotState::Done { .. } => return self.clean_up(job, true).await,
                SlotState::Failed { .. } => return self.clean_up(job, false).await,
                SlotState::Numbered { filename } => self.place(job, &record, filename).await?,
                _ if is_superseded => return self.abandon_superseded(job, &record).await,
                SlotState::Staged => self.assign_number(job, &record).await?,
                SlotState::Pending
                | SlotState::Reserved { .. }
                | SlotState::Requested { .. }
                | SlotState::Predicting { .. } => self.generate(job, &record).await?,
            }
            let before = std::mem::replace(&mut record, self.store.slot(job.name()).await?);
            if record.progress.attempt > before.progress.attempt {
                // Another attempt costs money again.
                let plan = self.store.plan(job.actor, &job.plan.plan_id).await?;
                is_superseded = plan.is_none_or(|plan| !plan.state.accepts_messages());
            }
            if record.progress == before.progress {
                return Err(HandlerError::deferred("slot made no progress", LEASE_POLL));
            }
        }
    }

    async fn generate(&self, job: Job<'_>, record: &SlotRecord) -> Result<(), HandlerError> {
        if Instant::now() >= job.deadline {
            return Err(HandlerError::deferred(
                "the time budget for this image is used up; it continues",
                CONTINUATION_DELAY,
            ));
        }
        match &self.generator {
            Generator::Embedded => self.draw_embedded(job, record).await,
            Generator::Replicate(service) => self.advance_paid(job, record, service.as_ref()).await,
            Generator::OpenAi(service) => self.advance_paid(job, record, service.as_ref()).await,
            Generator::ComfyUi(service) => self.advance_paid(job, record, service.as_ref()).await,
        }
    }

    /// Ends the work on a slot of a superseded plan that has no number. Its image is not made, or not kept; what may
    /// have been charged counts as paid.
    async fn abandon_superseded(&self, job: Job<'_>, record: &SlotRecord) -> Result<(), HandlerError> {
        let reason =
            format!("plan {} of {} is {} and accepts no work", job.plan.plan_id, job.actor, job.plan.state.name());
        let state = &record.progress.state;
        if state.charge().is_some() {
            self.abandon(job, record, state.settlement_in_doubt(), &reason).await?;
        }
        self.bucket.delete(&self.keys.staging(job.actor, &job.plan.plan_id, &job.slot.slot_id)).await?;
        if self.store.actor(job.actor).await?.is_some_and(|actor| actor.status == Status::Parked) {
            // It may be parked for the price of this image, and nothing else would resume it.
            evaluate_change(&self.queues, job.actor, &job.change_id("abandoned")).await?;
        }
        Err(HandlerError::Rejected(reason))
    }

    /// Removes what the slot has left behind, and requests an evaluation if it was the plan's last, or if the plan is
    /// superseded and the slot has an image.
    async fn clean_up(&self, job: Job<'_>, has_image: bool) -> Result<(), HandlerError> {
        let Job { actor, plan, slot, .. } = job;
        self.bucket.delete(&self.keys.staging(actor, &plan.plan_id, &slot.slot_id)).await?;
        info!(%actor, plan_id = plan.plan_id, slot_id = slot.slot_id, kind = %slot.kind, "slot finished");
        let state = review_if_completed(&self.store, &self.queues, actor, &plan.plan_id).await?;
        if state == Some(PlanState::Superseded) && has_image {
            evaluate_change(&self.queues, actor, &job.change_id("placed")).await?;
        }
        Ok(())
    }
}
