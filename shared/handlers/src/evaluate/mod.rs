//! The evaluation handler: takes the inventory of a set, has new images assessed, and starts a plan if the set is not
//! balanced.

mod approval;
mod assess;
mod blocked;
mod conclusion;
mod context;
mod decide;
mod dry_run;
mod finish;
mod generation_failures;
mod inventory;
mod plan;
mod suspension;
mod turn;
mod uploads;

use std::sync::Arc;
use std::time::Duration;

use aws::bucket::Bucket;
use aws::queues::{Queue, Queues};
use aws::store::Store;
use aws::store::actors::ActorRecord;
use domain::actor::ActorId;
use domain::budget::Budget;
use domain::keys::Keys;
use domain::limits::FrontalImages;
use domain::messages::{Cause, EvaluationCommand, EvaluationMessage};
use domain::plan::PlanState;
use domain::target::Target;
use jiff::SignedDuration;
use providers::vision::VisionModel;
use tokio::sync::Semaphore;
use tracing::info;

use super::base_image::BaseImages;
use super::dispatch::dispatch_plan;
use super::{Clock, Handler, HandlerError, Message, actors, lease_token};
use crate::local_copy::LocalCopy;
use crate::panics::caught;
use context::EvaluationContext;
use turn::Turn;

/// How long an evaluation holds its lease: the timeout of its function.
pub const LEASE_DURATION: SignedDuration = SignedDuration::from_secs(300);

/// The delay of a message while another evaluation holds the lease.
const LEASE_POLL: Duration = Duration::from_secs(5);

/// The part of a function's time that one wave of a batch has for listing, reading and measuring images, besides the
/// longest vision session. Hundreds of new images need more; they have it unless the vision model is also at its
/// slowest.
pub const READING_TIME_RESERVE: Duration = Duration::from_secs(50);

/// New images that one evaluation reads and assesses; the next one continues. The previews of four sets of a batch with
/// this many images fit into the function's memory.
const MAX_NEW_IMAGES: usize = 100;

/// The delay before the next part of a set with more than [`MAX_NEW_IMAGES`] new images.
const NEXT_PART_DELAY: Duration = Duration::from_secs(1);

/// A larger set would exceed a function's memory and time.
pub const MAX_SET_IMAGES: usize = 500;

/// Images that one function decodes at the same time, for all messages of its batch. Each may take 600 MB.
pub const MAX_CONCURRENT_READS: usize = 2;

#[derive(Clone)]
pub struct Evaluation {
    pub bucket: Bucket,
    pub store: Store,
    pub queues: Queues,
    pub local: LocalCopy,
    pub keys: Keys,
    pub vision: VisionModel,
    pub budget: Budget,
    pub target: Target,
    pub quality_floor: u8,
    pub frontal_images: FrontalImages,
    /// The percentage of a set that one plan may delete without approval.
    pub max_deleted_percent: u8,
    /// Consecutive rounds before the actor needs attention.
    pub max_rounds: u32,
    /// How long uploads must pause before an evaluation starts.
    pub quiet: Duration,
    /// [`MAX_CONCURRENT_READS`] permits.
    pub read_permits: Arc<Semaphore>,
    pub clock: Clock,
}

impl Handler for Evaluation {
    const QUEUE: Queue = Queue::Evaluation;

    async fn handle(&self, message: Message<'_>) -> Result<(), HandlerError> {
        match EvaluationMessage::parse(message.body)? {
            EvaluationMessage::StorageTest => Ok(()),
            EvaluationMessage::Uploads(uploads) => self.record_uploads(&uploads).await,
            EvaluationMessage::Command(command) => self.evaluate(&command, message).await,
        }
    }
}

impl Evaluation {
    async fn evaluate(&self, command: &EvaluationCommand, message: Message<'_>) -> Result<(), HandlerError> {
        let actor = &command.actor_id;
        let record = match self.store.actor(actor).await? {
            Some(record) => record,
            None => {
                actors::reject_unknown(&self.store, self.base_images(), actor).await?;
                ActorRecord::default()
            }
        };
        self.resume_dispatch(actor, &record).await?;
        match turn::of(&self.store, command, &record, message, self.clock.now(), self.quiet).await? {
            Turn::Now { continues } => self.evaluate_under_lease(command, &record, message.id, continues).await?,
            Turn::NothingNew => info!(%actor, "nothing new to evaluate"),
            Turn::AfterPlan => info!(%actor, plan = record.active_plan, "plan running; evaluation will follow"),
            Turn::Later(reason, delay) => return Err(HandlerError::deferred(reason, delay)),
        }
        if let Cause::PlanDone(plan_id) = &command.cause {
            self.store.review_plan(actor, plan_id).await?;
        }
        Ok(())
    }

    /// Sends the messages of a plan if an evaluation stopped after it stored the plan and before it sent them.
    async fn resume_dispatch(&self, actor: &ActorId, record: &ActorRecord) -> Result<(), HandlerError> {
        let Some(plan_id) = &record.active_plan else { return Ok(()) };
        match self.store.plan(actor, plan_id).await? {
            Some(plan) if plan.state == PlanState::Adopted => {
                dispatch_plan(&self.store, &self.queues, actor, &plan).await
            }
            _ => Ok(()),
        }
    }

    /// Takes the lease and evaluates the set. `seen` is the actor record that determined the turn.
    async fn evaluate_under_lease(
        &self,
        command: &EvaluationCommand,
        seen: &ActorRecord,
        message_id: &str,
        continues: bool,
    ) -> Result<(), HandlerError> {
        let actor = &command.actor_id;
        let now = self.clock.now();
        let token = lease_token(message_id, now);
        let Some(record) = self.store.take_lease(actor, &token, now, LEASE_DURATION).await? else {
            return Err(HandlerError::deferred("another evaluation of this actor is running", LEASE_POLL));
        };
        if record.active_plan != seen.active_plan {
            // Another evaluation has ended since, so the turn must be determined again.
            self.store.release_lease(actor, &token).await?;
            return Err(HandlerError::deferred("another evaluation of this actor has just ended", LEASE_POLL));
        }
        // An upload since then starts a new series of rounds.
        let continues = continues && record.pending_since.is_none();
        let round = if continues { record.round + 1 } else { 1 };
        let context = EvaluationContext { command, record, round, continues, began: now, token: &token, message_id };
        // A panic must release the lease too. Otherwise the next delivery would be deferred as a fresh copy, and its
        // failures would never reach the dead-letter queue.
        let evaluated = caught(self.decide(context)).await.unwrap_or_else(|panic| Err(panic.into()));
        if evaluated.is_err() {
            self.store.release_lease(actor, &token).await?;
        }
        evaluated
    }

    fn base_images(&self) -> BaseImages<'_> {
        BaseImages { bucket: &self.bucket, keys: &self.keys, local: &self.local }
    }
}
