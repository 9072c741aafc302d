//! Sends the messages of the next step: deletions, generations, or an evaluation.

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

/// Sends a plan's first messages. Deletions precede generations, so that the set never exceeds its target. Repeated
/// messages have no effect.
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
    store.mark_dispatched(actor, plan).await?;
    Ok(())
}

/// Sends one message for each slot.
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

/// How long uploads rely on a scheduled evaluation. Its message may be lost if the function repeatedly ends without a
/// response; then the first upload after this time schedules another one.
const SCHEDULED_EVALUATION_TTL: SignedDuration = SignedDuration::from_hours(1);

/// Sends the message that will evaluate the pending uploads, unless one is scheduled already. The record is marked
/// after the message is sent: a crash in between leads to a second message, which finds nothing new to evaluate.
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

/// Schedules an evaluation because a handler has changed the set outside a running plan. The change happened no later
/// than `changed_before`. Nothing is scheduled if an evaluation of full scope has begun since and has reached a
/// verdict.
pub(super) async fn schedule_evaluation_of_change(
    store: &Store,
    queues: &Queues,
    clock: &Clock,
    actor: &ActorId,
    changed_before: Timestamp,
) -> Result<(), HandlerError> {
    match store.record_change(actor, changed_before, clock.now()).await? {
        // No delay here: the evaluation handler waits for quiet itself.
        Some(record) => schedule_evaluation(store, queues, clock, actor, &record, Duration::ZERO).await,
        None => Ok(()),
    }
}

/// Requests an evaluation if the plan is completed. Repeated requests have no effect.
///
/// A superseded plan needs no review. But its worker may have changed the set, no later than `changed_before`, and an
/// evaluation that began earlier has not seen the change, so another one is scheduled.
pub(super) async fn evaluate_after_work(
    store: &Store,
    queues: &Queues,
    clock: &Clock,
    actor: &ActorId,
    plan_id: &str,
    changed_before: Option<Timestamp>,
) -> Result<(), HandlerError> {
    let Some(plan) = store.plan(actor, plan_id).await? else { return Ok(()) };
    if let (PlanState::Superseded, Some(changed_before)) = (plan.state, changed_before) {
        return schedule_evaluation_of_change(store, queues, clock, actor, changed_before).await;
    }
    if plan.state == PlanState::Completed {
        info!(%actor, plan_id, deleted = plan.deleted, generated = plan.generated, "plan completed");
        let mut command = EvaluationCommand::because(actor.clone(), Cause::PlanDone(plan_id.to_owned()));
        command.scope = plan.scope;
        queues.send(Queue::Evaluation, &command, Duration::ZERO).await?;
    }
    Ok(())
}
