//! Sends the messages of the next step: deletions, generations, or an evaluation.

use std::time::Duration;

use aws::queues::{Queue, Queues};
use aws::store::Store;
use aws::store::actors::ActorRecord;
use domain::actor::ActorId;
use domain::messages::{Cause, DeletionMessage, EvaluationCommand, GenerationMessage, derived_request_id};
use domain::plan::{Plan, PlanState};
use jiff::SignedDuration;
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
        send_deletions(queues, actor, &plan.plan_id).await?;
    }
    store.mark_dispatched(actor, plan).await?;
    Ok(())
}

pub(super) async fn send_deletions(queues: &Queues, actor: &ActorId, plan_id: &str) -> Result<(), HandlerError> {
    let message = DeletionMessage::Planned { actor_id: actor.clone(), plan_id: plan_id.to_owned() };
    Ok(queues.send(Queue::Deletion, &message, Duration::ZERO).await?)
}

/// Sends one message for each slot.
pub(super) async fn dispatch_slots(queues: &Queues, actor: &ActorId, plan: &Plan) -> Result<(), HandlerError> {
    send_slots(queues, actor, &plan.plan_id, plan.slots.iter().map(|slot| slot.slot_id.as_str())).await
}

pub(super) async fn send_slots(
    queues: &Queues,
    actor: &ActorId,
    plan_id: &str,
    slots: impl Iterator<Item = &str>,
) -> Result<(), HandlerError> {
    let messages: Vec<_> = slots
        .map(|slot_id| GenerationMessage::Planned {
            actor_id: actor.clone(),
            plan_id: plan_id.to_owned(),
            slot_id: slot_id.to_owned(),
        })
        .collect();
    Ok(queues.send_all(Queue::Generation, &messages).await?)
}

/// How long events rely on a scheduled evaluation. Its message may be lost if functions repeatedly end without a response;
/// then the first event after this time schedules another one.
const SCHEDULED_EVALUATION_TTL: SignedDuration = SignedDuration::from_hours(1);

/// Sends the message that will evaluate the desired revision, unless one is scheduled already. The record is marked after
/// the message is sent: a crash in between leads to a second message, which finds nothing new to evaluate.
pub(super) async fn schedule_evaluation(
    store: &Store,
    queues: &Queues,
    clock: &Clock,
    actor: &ActorId,
    record: &ActorRecord,
    delay: Duration,
) -> Result<(), HandlerError> {
    let now = clock.now();
    let is_recent = |scheduled| now.duration_since(scheduled) < SCHEDULED_EVALUATION_TTL;
    if !record.is_evaluation_pending() || record.evaluation_scheduled_at.is_some_and(is_recent) {
        return Ok(());
    }
    let command = EvaluationCommand::because(actor.clone(), Cause::Uploads);
    queues.send(Queue::Evaluation, &command, delay).await?;
    Ok(store.mark_evaluation_scheduled(actor, record, now).await?)
}

/// Requests an evaluation because a handler has changed the set on behalf of a plan that is no longer active.
/// `change` names the change, so that its evaluation is requested once, however often the handler repeats it.
pub(super) async fn evaluate_change(queues: &Queues, actor: &ActorId, change: &str) -> Result<(), HandlerError> {
    let mut command = EvaluationCommand::because(actor.clone(), Cause::Changed);
    command.request_id = Some(derived_request_id(change));
    Ok(queues.send(Queue::Evaluation, &command, Duration::ZERO).await?)
}

/// Requests an evaluation if the plan is completed. Repeated requests have no effect. Returns the plan's state.
///
/// A superseded plan needs no review. But its worker may have changed the set after the evaluation that superseded it
/// took the inventory; then the caller requests the evaluation of that change.
pub(super) async fn review_if_completed(
    store: &Store,
    queues: &Queues,
    actor: &ActorId,
    plan_id: &str,
) -> Result<Option<PlanState>, HandlerError> {
    let Some(plan) = store.plan(actor, plan_id).await? else { return Ok(None) };
    if plan.state == PlanState::Completed {
        request_review(queues, actor, &plan).await?;
    }
    Ok(Some(plan.state))
}

/// Requests the evaluation that reviews a completed plan.
pub(super) async fn request_review(queues: &Queues, actor: &ActorId, plan: &Plan) -> Result<(), HandlerError> {
    let plan_id = plan.plan_id.clone();
    info!(%actor, plan_id, deleted = plan.deleted, generated = plan.generated, "plan completed");
    let mut command = EvaluationCommand::because(actor.clone(), Cause::PlanDone(plan_id));
    command.scope = plan.scope;
    Ok(queues.send(Queue::Evaluation, &command, Duration::ZERO).await?)
}
