//! Evaluation: look at an actor's set, plan, and set the plan going.

mod approval;
mod assess;
mod blocked;
mod decide;
mod generation_failures;
mod inventory;
mod suspension;
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
use domain::messages::{Cause, EvaluationCommand, EvaluationMessage, Mode};
use domain::plan::{Origin, Plan, PlanState, is_made_for};
use domain::target::Target;
use jiff::{SignedDuration, Timestamp};
use providers::vision::VisionModel;
use tokio::sync::Semaphore;
use tracing::info;

use super::base_image::BaseImages;
use super::dispatch::dispatch_plan;
use super::{Clock, Handler, HandlerError, Message, actors, lease_token};
use crate::local_copy::LocalCopy;
use crate::panics::caught;

/// How long an evaluation may take before another one may begin: as long as its function may run.
pub const LEASE: SignedDuration = SignedDuration::from_secs(300);

/// When to look again while another evaluation is at it.
const LEASE_POLL: Duration = Duration::from_secs(5);

/// When to look again whether a plan has been carried out, for who wants something else than its end gives.
const PLAN_POLL: Duration = Duration::from_secs(30);

/// What a function's time leaves for the sets of a batch beside the longest asking: listing, reading and measuring them.
/// Hundreds of new images need more, and have it as long as the vision model is not at its slowest too.
pub const READING_TIME_RESERVE: Duration = Duration::from_secs(50);

/// New images that one evaluation reads and has judged; where there are more, the next one goes on. With what four sets
/// of a batch keep of them meanwhile, the function's memory is enough.
const MAX_NEW_IMAGES: usize = 100;

/// When the next one goes on.
const NEXT_PART: Duration = Duration::from_secs(1);

/// Images of a set, at most: what is looked at together must fit into a function's memory and time.
pub const MAX_SET_IMAGES: usize = 500;

/// Images that one function decodes at the same time, whatever it is at: each may take some 600 MB meanwhile.
pub const MAX_CONCURRENT_READS: usize = 2;

/// The evaluation stage.
#[derive(Clone)]
pub struct Evaluation {
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
    /// Who judges.
    pub vision: VisionModel,
    /// What may be spent on it.
    pub budget: Budget,
    /// What a set is measured against.
    pub target: Target,
    /// Images of a lower quality than this go.
    pub quality_floor: u8,
    /// The treatment of images that face the camera or are symmetrical.
    pub frontal_images: FrontalImages,
    /// The share of a set, in percent, that one plan may delete without being approved.
    pub most_deleted_percent: u8,
    /// How often in a row a set is mended before a person is asked.
    pub max_rounds: u32,
    /// How long the bucket must have been quiet.
    pub quiet: Duration,
    /// A permit for each of the [`MAX_CONCURRENT_READS`] images.
    pub reading: Arc<Semaphore>,
    /// What the time is.
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

/// Whether the time for an evaluation has come.
enum Turn {
    /// Go ahead; `continues` a series of mendings, or begins one.
    Now { continues: bool },
    /// Everything there was to see has been seen.
    NothingNew,
    /// Something else comes first.
    NotYet(&'static str, Duration),
    /// A plan is being carried out; its end asks for the next evaluation.
    AfterPlan,
}

impl Evaluation {
    async fn evaluate(&self, command: &EvaluationCommand, message: Message<'_>) -> Result<(), HandlerError> {
        let actor = &command.actor_id;
        let record = match self.store.actor(actor).await? {
            Some(record) => record,
            None => {
                let places = BaseImages { bucket: &self.bucket, keys: &self.keys, local: &self.local };
                actors::reject_unknown(&self.store, places, actor).await?;
                ActorRecord::default()
            }
        };
        self.resume_dispatch(actor, &record).await?;
        match self.turn(command, &record, message).await? {
            Turn::Now { continues } => self.evaluate_alone(command, &record, message.id, continues).await?,
            Turn::NothingNew => info!(%actor, "nothing new to evaluate"),
            Turn::AfterPlan => {
                info!(%actor, plan = record.active_plan, "a plan is being carried out; evaluation follows")
            }
            Turn::NotYet(reason, wait) => return Err(HandlerError::deferred(reason, wait)),
        }
        if let Cause::PlanDone(plan_id) = &command.cause {
            self.store.close_plan(actor, plan_id).await?;
        }
        Ok(())
    }

    /// An evaluation may have been cut off between storing its plan and sending the plan's messages.
    async fn resume_dispatch(&self, actor: &ActorId, record: &ActorRecord) -> Result<(), HandlerError> {
        let Some(plan_id) = &record.active_plan else { return Ok(()) };
        match self.store.plan(actor, plan_id).await? {
            Some(plan) if plan.is_under_way() && !plan.dispatched => {
                dispatch_plan(&self.store, &self.queues, actor, &plan).await
            }
            _ => Ok(()),
        }
    }

    async fn turn(
        &self,
        command: &EvaluationCommand,
        record: &ActorRecord,
        message: Message<'_>,
    ) -> Result<Turn, HandlerError> {
        let is_answered = is_answered(command, record, message.sent_at);
        if let Some(plan) = self.plan_under_way(&command.actor_id, record).await? {
            let is_own = is_made_for(&plan.plan_id, message.id);
            if is_answered || is_own || !command.force && command.is_answered_after_plan_of(plan.scope) {
                return Ok(Turn::AfterPlan);
            }
            if !command.force {
                return Ok(Turn::NotYet("a plan is being carried out", PLAN_POLL));
            }
        }
        match &command.cause {
            // What has landed since then may still wait.
            _ if is_answered => Ok(self.turn_of_uploads(record)),
            Cause::Manual => Ok(Turn::Now { continues: false }),
            Cause::PlanDone(plan_id) => self.turn_after_plan(&command.actor_id, record, plan_id).await,
            Cause::Uploads => Ok(self.turn_of_uploads(record)),
        }
    }

    /// A plan of an evaluation is active until somebody has looked at what it has done: if it isn't any more, an earlier
    /// delivery of this message was cut off after it had. Starting afresh then would give the set new rounds for ever.
    async fn turn_after_plan(
        &self,
        actor: &ActorId,
        record: &ActorRecord,
        plan_id: &str,
    ) -> Result<Turn, HandlerError> {
        let is_active = record.active_plan.as_deref() == Some(plan_id);
        let waits_for_a_look = match self.store.plan(actor, plan_id).await? {
            Some(plan) => plan.state == PlanState::Running && (is_active || plan.origin == Origin::Manual),
            None => false,
        };
        if !waits_for_a_look {
            return Ok(self.turn_of_uploads(record));
        }
        Ok(Turn::Now { continues: is_active && record.pending_since.is_none() })
    }

    async fn plan_under_way(&self, actor: &ActorId, record: &ActorRecord) -> Result<Option<Plan>, HandlerError> {
        let Some(plan_id) = &record.active_plan else { return Ok(None) };
        Ok(self.store.plan(actor, plan_id).await?.filter(Plan::is_under_way))
    }

    async fn evaluate_alone(
        &self,
        command: &EvaluationCommand,
        seen: &ActorRecord,
        message_id: &str,
        continues: bool,
    ) -> Result<(), HandlerError> {
        let actor = &command.actor_id;
        let now = self.clock.now();
        let token = lease_token(message_id, now);
        let Some(record) = self.store.take_lease(actor, &token, now, LEASE).await? else {
            return Err(HandlerError::deferred("another evaluation of this actor is under way", LEASE_POLL));
        };
        if record.active_plan != seen.active_plan {
            // Whose turn it is was told from what was so before.
            self.store.release_lease(actor, &token).await?;
            return Err(HandlerError::deferred("another evaluation of this actor has just ended", LEASE_POLL));
        }
        // Whatever has landed since the turn was told starts afresh.
        let continues = continues && record.pending_since.is_none();
        let round = if continues { record.round + 1 } else { 1 };
        let context =
            decide::EvaluationContext { command, record, round, continues, began: now, token: &token, message_id };
        // With the lease left behind, the next delivery would be put off as a fresh copy, and never counted as failed.
        let evaluated = caught(self.decide(context)).await.unwrap_or_else(|panic| Err(panic.into()));
        if evaluated.is_err() {
            self.store.release_lease(actor, &token).await?;
        }
        evaluated
    }
}

/// Whether an evaluation has begun since the question was asked, and has come to a verdict on all that is asked for. A
/// message that is delivered late, or once more, would otherwise give a set that was given up new rounds.
fn is_answered(command: &EvaluationCommand, record: &ActorRecord, asked_at: Option<Timestamp>) -> bool {
    let is_open = match &command.cause {
        // Whether uploads wait is noted in the record.
        Cause::Uploads => true,
        // Every verdict on a plan lets go of it.
        Cause::PlanDone(plan_id) => record.active_plan.as_ref() == Some(plan_id),
        // A dry run leaves no verdict.
        Cause::Manual => command.mode == Mode::DryRun,
    };
    if is_open {
        return false;
    }
    let answered_at = record.evaluated_in(command.scope);
    asked_at.zip(answered_at).is_some_and(|(asked, answered)| asked < answered)
}
