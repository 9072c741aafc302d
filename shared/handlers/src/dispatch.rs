//! How a plan gets from stage to stage.

use std::time::Duration;

use aws::queues::{Queue, Queues};
use aws::store::Store;
use aws::store::actors::ActorRecord;
use domain::actor::ActorId;
use domain::messages::{Cause, DeletionMessage, EvaluationCommand, GenerationMessage};
use domain::plan::{Plan, PlanState};
use jiff::{SignedDuration, Timestamp};
use tracing::info;

use super::{Clock, HandlerError};

/// Sends a plan's first messages: deletions come before generations, so that a set never grows past its target.
/// Sending them twice is harmless.
pub(super) async fn dispatch_plan(
    store: &Store,
    queues: &Queues,
    actor: &ActorId,
    plan: &Plan,
) -> Result<(), HandlerError> {
    if plan.delete.is_empty() {
        dispatch_slots(queues, actor, plan).await?;
    } else {
        let message = DeletionMessage::Planned { actor_id: actor.clone(), plan_id: plan.plan_id.clone() };
        queues.send(Queue::Deletion, &message, Duration::ZERO).await?;
    }
    store.mark_dispatched(actor, &plan.plan_id).await?;
    Ok(())
}

/// Sends one message for each image to make.
pub(super) async fn dispatch_slots(queues: &Queues, actor: &ActorId, plan: &Plan) -> Result<(), HandlerError> {
    let messages: Vec<_> = plan
        .slots
        .iter()
        .map(|slot| GenerationMessage::Planned {
            actor_id: actor.clone(),
            plan_id: plan.plan_id.clone(),
            slot_id: slot.slot_id.clone(),
        })
        .collect();
    Ok(queues.send_all(Queue::Generation, &messages).await?)
}

/// How long an evaluation is counted on that was announced. Should its message be lost, because a function died of it
/// again and again without a word, the next upload after this time announces another.
const SCHEDULED_EVALUATION_TTL: SignedDuration = SignedDuration::from_hours(1);

/// Sends the message that will evaluate the uploads that wait, unless one is under way. The note comes after the
/// message: cut off in between, the repetition sends a second one, which then finds nothing new.
pub(super) async fn schedule_evaluation(
    store: &Store,
    queues: &Queues,
    clock: &Clock,
    actor: &ActorId,
    record: &ActorRecord,
    delay: Duration,
) -> Result<(), HandlerError> {
    let Some(since) = record.pending_since else { return Ok(()) };
    let now = clock.now();
    if record.evaluation_scheduled_at.is_some_and(|scheduled| now.duration_since(scheduled) < SCHEDULED_EVALUATION_TTL)
    {
        return Ok(());
    }
    let command = EvaluationCommand::because(actor.clone(), Cause::Uploads);
    queues.send(Queue::Evaluation, &command, delay).await?;
    Ok(store.mark_evaluation_scheduled(actor, since, now).await?)
}

/// Has a set looked at that has changed by this time without a plan's end to ask for it, as after an upload; unless an
/// evaluation has begun since that was free to do whatever the set needs and has come to a verdict.
pub(super) async fn schedule_evaluation_of_change(
    store: &Store,
    queues: &Queues,
    clock: &Clock,
    actor: &ActorId,
    changed_by: Timestamp,
) -> Result<(), HandlerError> {
    match store.record_change(actor, changed_by, clock.now()).await? {
        // How long it must be quiet before, evaluation knows.
        Some(record) => schedule_evaluation(store, queues, clock, actor, &record, Duration::ZERO).await,
        None => Ok(()),
    }
}

/// Asks for an evaluation if this was the plan's last piece of work. Asking twice is harmless.
///
/// The end of a plan that was overtaken asks for none. If this message has changed the set, it had by `changed_by`, and an
/// evaluation that had begun before that has not seen it: so each such change asks for one.
pub(super) async fn evaluate_if_done(
    store: &Store,
    queues: &Queues,
    clock: &Clock,
    actor: &ActorId,
    plan_id: &str,
    changed_by: Option<Timestamp>,
) -> Result<(), HandlerError> {
    let Some(plan) = store.plan(actor, plan_id).await? else { return Ok(()) };
    if let (PlanState::Superseded, Some(changed_by)) = (plan.state, changed_by) {
        return schedule_evaluation_of_change(store, queues, clock, actor, changed_by).await;
    }
    if plan.state == PlanState::Running && plan.remaining == 0 {
        info!(%actor, plan_id, deleted = plan.deleted, generated = plan.generated, "plan carried out");
        let mut command = EvaluationCommand::because(actor.clone(), Cause::PlanDone(plan_id.to_owned()));
        command.scope = plan.scope;
        queues.send(Queue::Evaluation, &command, Duration::ZERO).await?;
    }
    Ok(())
}
