//! Generation: one message, one image.

mod begin;
mod draw;
mod manual;
mod output;
mod place;
mod predict;

use std::time::Duration;

use aws::bucket::Bucket;
use aws::queues::{Queue, Queues};
use aws::store::Store;
use aws::store::slots::{SlotName, SlotRecord, SlotState};
use aws::store::spending::Settlement;
use domain::actor::ActorId;
use domain::budget::Budget;
use domain::keys::Keys;
use domain::messages::GenerationMessage;
use domain::plan::{Plan, Slot};
use domain::status::Status;
use jiff::SignedDuration;
use providers::generator::Generator;
use tokio::time::Instant;
use tracing::info;

use super::dispatch::{evaluate_if_completed, schedule_evaluation_of_change};
use super::{Clock, Handler, HandlerError, Message, lease_token};
use crate::local_copy::LocalCopy;
use crate::panics::caught;

/// How long one worker may be at an image before another may take it up: as long as its function may run.
pub const CLAIM: SignedDuration = SignedDuration::from_secs(300);

/// When to look again while another worker is at it.
const CLAIM_POLL: Duration = Duration::from_secs(10);

/// How long a worker takes further steps towards an image. With what the last one takes, some ten seconds for an
/// answer or thirty for an output, it stays below what a function may take.
pub const TIME_BUDGET: Duration = Duration::from_secs(120);

/// By how much the clocks of two functions may differ.
const MAX_CLOCK_SKEW: SignedDuration = SignedDuration::from_secs(2);

/// When to go on where only the time was up.
const AT_ONCE: Duration = Duration::from_secs(1);

/// The generation stage.
#[derive(Clone)]
pub struct Generation {
    /// Where the images lie.
    pub bucket: Bucket,
    /// Where the manifests lie.
    pub store: Store,
    /// What comes next.
    pub queues: Queues,
    /// The same images as plain files.
    pub local: LocalCopy,
    /// Where things lie in the bucket.
    pub keys: Keys,
    /// Who draws.
    pub generator: Generator,
    /// What may be spent on it.
    pub budget: Budget,
    /// For how long steps are taken; [`TIME_BUDGET`], but for tests.
    pub time_budget: Duration,
    /// What the time is.
    pub clock: Clock,
}

/// One image to make, with all it belongs to.
#[derive(Clone, Copy)]
struct Job<'a> {
    actor: &'a ActorId,
    plan: &'a Plan,
    slot: &'a Slot,
    /// When no further step is taken.
    until: Instant,
}

impl<'a> Job<'a> {
    fn name(&self) -> SlotName<'a> {
        SlotName { actor: self.actor, plan_id: &self.plan.plan_id, slot_id: &self.slot.slot_id }
    }

    /// The prompt that the slot is made with now.
    fn prompt_id(&self, record: &'a SlotRecord) -> &'a str {
        record.prompt_id.as_deref().unwrap_or(&self.slot.prompt_id)
    }

    /// The seed that the slot is made with now.
    fn seed(&self, record: &SlotRecord) -> u32 {
        self.slot.seed_of(self.actor, &self.plan.plan_id, record.attempt, record.interruptions)
    }
}

impl Handler for Generation {
    const QUEUE: Queue = Queue::Generation;

    async fn handle(&self, message: Message<'_>) -> Result<(), HandlerError> {
        match GenerationMessage::parse(message.body)? {
            GenerationMessage::Manual { actor_id, generate, request_id } => {
                self.plan_manual_request(&actor_id, generate, request_id.as_deref().unwrap_or(message.id)).await
            }
            GenerationMessage::Planned { actor_id, plan_id, slot_id } => {
                let Some(plan) = self.store.plan(&actor_id, &plan_id).await? else {
                    return Err(HandlerError::Rejected(format!("{actor_id} has no plan {plan_id}")));
                };
                let slot = plan.slot(&slot_id).ok_or_else(|| {
                    HandlerError::Rejected(format!("plan {plan_id} of {actor_id} has no image {slot_id}"))
                })?;
                let until = Instant::now() + self.time_budget;
                self.work(Job { actor: &actor_id, plan: &plan, slot, until }, message.id).await
            }
        }
    }
}

impl Generation {
    async fn work(&self, job: Job<'_>, message_id: &str) -> Result<(), HandlerError> {
        let now = self.clock.now();
        let token = lease_token(message_id, now);
        let Some(mut record) = self.store.claim_slot(job.name(), &token, now, CLAIM).await? else {
            return Err(HandlerError::deferred("another worker is making this image", CLAIM_POLL));
        };
        let mut is_overtaken = !job.plan.may_be_carried_out();
        // Claims are given back after a panic too: else the next delivery would be put off, and never counted as failed.
        let worked = caught(async {
            loop {
                match record.state {
                    SlotState::Open | SlotState::Staged if is_overtaken => return self.abandon(job, &record).await,
                    SlotState::Open if Instant::now() >= job.until => {
                        return Err(HandlerError::deferred(
                            "an image takes longer than one function may; it goes on",
                            AT_ONCE,
                        ));
                    }
                    SlotState::Open => self.draw_and_stage(job, &record).await?,
                    SlotState::Staged => self.give_number(job, &record).await?,
                    SlotState::Numbered => self.place(job, &record).await?,
                    SlotState::Done | SlotState::Failed => return self.tidy_up(job, &record).await,
                }
                let before = std::mem::replace(&mut record, self.store.slot(job.name()).await?);
                if record.attempt > before.attempt {
                    // Another attempt is paid for anew.
                    let plan = self.store.plan(job.actor, &job.plan.plan_id).await?;
                    is_overtaken = plan.is_none_or(|plan| !plan.may_be_carried_out());
                }
                if record == before {
                    return Err(HandlerError::deferred("the image has come no further", CLAIM_POLL));
                }
            }
        })
        .await
        .unwrap_or_else(|panic| Err(panic.into()));
        self.store.release_slot(job.name(), &token).await?;
        worked
    }

    /// The plan is not to be carried out any more: an image without a number is not made, or not kept. What may have
    /// been charged counts as paid.
    async fn abandon(&self, job: Job<'_>, record: &SlotRecord) -> Result<(), HandlerError> {
        let reason = format!("plan {} of {} is not to be carried out any more", job.plan.plan_id, job.actor);
        if record.state == SlotState::Open && record.charge.is_some() {
            let settlement = if record.asked_at.is_some() { Settlement::Paid } else { Settlement::Released };
            self.store.fail_slot(job.name(), record, settlement, &reason).await?;
        }
        self.bucket.delete(&self.keys.staging(job.actor, &job.plan.plan_id, &job.slot.slot_id)).await?;
        if self.store.actor(job.actor).await?.is_some_and(|actor| actor.status == Status::Parked) {
            // Perhaps for want of money for this image, which would let nothing go on any more.
            schedule_evaluation_of_change(&self.store, &self.queues, &self.clock, job.actor, self.clock.now()).await?;
        }
        Err(HandlerError::Rejected(reason))
    }

    /// The image is in its place, or given up: what it left behind goes, and the plan goes on.
    async fn tidy_up(&self, job: Job<'_>, record: &SlotRecord) -> Result<(), HandlerError> {
        let Job { actor, plan, slot, .. } = job;
        self.bucket.delete(&self.keys.staging(actor, &plan.plan_id, &slot.slot_id)).await?;
        info!(%actor, plan_id = plan.plan_id, slot_id = slot.slot_id, kind = %slot.kind, "slot finished");
        let changed = record.ended_at.map(|ended| ended + MAX_CLOCK_SKEW);
        evaluate_if_completed(&self.store, &self.queues, &self.clock, actor, &plan.plan_id, changed).await
    }
}
