//! The evaluation handler: takes the inventory of a set, has new images assessed, and starts a plan if the set is not
//! balanced.

mod approval;
mod assess;
mod blocked;
mod compare;
mod conclusion;
mod context;
mod decide;
mod dry_run;
mod finish;
mod generation_failures;
mod inventory;
mod plan;
mod reference;
mod resume;
mod suspension;
mod sweep;
mod turn;
mod uploads;

use std::sync::Arc;
use std::time::Duration;

use aws::bucket::Bucket;
use aws::queues::{Queue, Queues};
use aws::store::Store;
use aws::store::actors::ActorRecord;
use aws::store::leases::Leased;
use domain::budget::Budget;
use domain::keys::Keys;
use domain::messages::{Cause, EvaluationCommand, EvaluationMessage, Mode};
use domain::plan::MANUAL;
use domain::planner::Scope;
use domain::settings::Settings;
use jiff::{SignedDuration, Timestamp};
use providers::vision::VisionModel;
use tokio::sync::Semaphore;
use tracing::info;

use super::base_image::BaseImages;
use super::{Clock, Handler, HandlerError, Message, actors, lease_token};
use crate::heartbeat::{Heartbeat, HeldLease, LEASE_POLL};
use crate::local_copy::LocalCopy;
use crate::panics::caught;
use context::EvaluationContext;
use turn::Turn;

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
    /// The settings of sets whose `actor.json` states no others.
    pub settings: Settings,
    /// The percentage of a set that one plan may delete without approval.
    pub max_deleted_percent: u8,
    /// Consecutive rounds before the actor needs attention.
    pub max_rounds: u32,
    /// How long uploads must pause before an evaluation starts.
    pub quiet: Duration,
    /// How long an actor's work may make no progress before a sweep resumes it.
    pub stalled_after: SignedDuration,
    pub heartbeat: Heartbeat,
    /// [`MAX_CONCURRENT_READS`] permits.
    pub read_permits: Arc<Semaphore>,
    pub clock: Clock,
}

impl Handler for Evaluation {
    const QUEUE: Queue = Queue::Evaluation;

    async fn handle(&self, message: Message<'_>) -> Result<(), HandlerError> {
        match EvaluationMessage::parse(message.body)? {
            EvaluationMessage::StorageTest => Ok(()),
            EvaluationMessage::Uploads(uploads) => self.record_uploads(&uploads, message.request_id).await,
            EvaluationMessage::Sweep => self.sweep().await,
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
        if command.cause == Cause::Resume {
            self.resume_work(actor, &record).await?;
        } else {
            self.resume_dispatch(actor, &record).await?;
        }
        let request_id = command.request_id.as_deref().unwrap_or(message.request_id);
        let now = self.clock.now();
        let (record, is_answered) = self.raise_revision(command, record, request_id, now).await?;
        let age = message.first_sent_at.map_or(Duration::ZERO, |sent| age(sent, now));
        let request = turn::Request { command, record: &record, is_answered, age };
        match request.turn(&self.store, now, self.quiet).await? {
            Turn::Now { continues } => self.evaluate_under_lease(&request, request_id, continues).await?,
            Turn::NothingNew => info!(%actor, "nothing new to evaluate"),
            Turn::AfterPlan => info!(%actor, plan = record.active_plan, "plan running; evaluation will follow"),
            Turn::Later(reason, delay) => return Err(HandlerError::deferred(reason, delay)),
        }
        if let Cause::PlanDone(plan_id) = &command.cause {
            self.store.review_plan(actor, plan_id).await?;
        }
        Ok(())
    }

    /// Raises the desired revision on behalf of the request, once. Returns the actor's record, and whether a verdict has
    /// answered the request.
    async fn raise_revision(
        &self,
        command: &EvaluationCommand,
        record: ActorRecord,
        request_id: &str,
        now: Timestamp,
    ) -> Result<(ActorRecord, bool), HandlerError> {
        let actor = &command.actor_id;
        let raised_by = match &command.cause {
            // A dry run leaves no verdict, so it can be repeated.
            Cause::Manual if command.mode == Mode::DryRun => None,
            Cause::Manual if command.scope != Scope::All => {
                return Ok((record, self.store.request(actor, request_id).await?.is_some()));
            }
            Cause::Manual | Cause::Changed => Some(request_id),
            // A verdict replaces the active plan. A manual plan is never active.
            Cause::PlanDone(plan_id) => Some(plan_id.as_str()).filter(|id| id.starts_with(MANUAL)),
            Cause::Uploads | Cause::Resume => None,
        };
        let Some(id) = raised_by else { return Ok((record, false)) };
        let (record, request) = self.store.raise_revision_once(actor, id, now).await?;
        let is_answered = request.is_answered(record.observed_revision);
        Ok((record, is_answered))
    }

    /// Takes the lease and evaluates the set.
    async fn evaluate_under_lease(
        &self,
        request: &turn::Request<'_>,
        request_id: &str,
        continues: bool,
    ) -> Result<(), HandlerError> {
        let turn::Request { command, record: seen, .. } = *request;
        let actor = &command.actor_id;
        let now = self.clock.now();
        let token = lease_token(request_id, now);
        let Some(record) = self.store.lease_actor(actor, &token, now).await? else {
            return Err(HandlerError::deferred("another evaluation of this actor is running", LEASE_POLL));
        };
        let leased = Leased::Actor(actor);
        if record.active_plan != seen.active_plan || record.observed_revision != seen.observed_revision {
            // Another evaluation has ended since, so the turn must be determined again.
            self.store.release_lease(leased, &token).await?;
            return Err(HandlerError::deferred("another evaluation of this actor has just ended", LEASE_POLL));
        }
        // An event since then starts a new series of rounds.
        let continues = continues && !record.is_evaluation_pending();
        let round = if continues { record.round + 1 } else { 1 };
        let context = EvaluationContext { command, record, settings: self.settings, round, token: &token, request_id };
        let (store, clock, heartbeat) = (&self.store, &self.clock, self.heartbeat);
        let lease = HeldLease { store, clock, heartbeat, leased, token: &token, taken_at: now };
        // A panic must release the lease too. Otherwise the next delivery would be deferred, and its failures would
        // never reach the dead-letter queue.
        let work = caught(lease.run(self.decide(context)));
        let evaluated = work.await.unwrap_or_else(|panic| Err(panic.into()));
        if evaluated.is_err() {
            self.store.release_lease(leased, &token).await?;
        }
        evaluated
    }

    fn base_images(&self) -> BaseImages<'_> {
        BaseImages { bucket: &self.bucket, keys: &self.keys, local: &self.local }
    }
}

fn age(sent_at: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(now.duration_since(sent_at)).unwrap_or_default()
}
