//! How a plan gets from stage to stage.

use std::time::Duration;

use tracing::info;

use super::StageError;
use crate::adapters::queues::{Queue, Queues};
use crate::adapters::store::Store;
use crate::domain::actor::ActorId;
use crate::domain::plan::{Plan, PlanState};
use crate::messages::{Cause, DeletionMessage, EvaluationCommand, GenerationMessage};

/// Sends a plan's first messages: deletions come before generations, so that a set never grows past its target.
/// Sending them twice is harmless.
pub(super) async fn dispatch(store: &Store, queues: &Queues, actor: &ActorId, plan: &Plan) -> Result<(), StageError> {
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
pub(super) async fn dispatch_slots(queues: &Queues, actor: &ActorId, plan: &Plan) -> Result<(), StageError> {
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

/// Asks for an evaluation if this was the plan's last piece of work. Asking twice is harmless.
pub(super) async fn evaluate_if_done(
    store: &Store,
    queues: &Queues,
    actor: &ActorId,
    plan_id: &str,
) -> Result<(), StageError> {
    let Some(plan) = store.plan(actor, plan_id).await? else { return Ok(()) };
    if plan.state == PlanState::Running && plan.remaining == 0 {
        info!(%actor, plan_id, deleted = plan.deleted, generated = plan.generated, "plan carried out");
        let mut command = EvaluationCommand::because(actor.clone(), Cause::PlanDone(plan_id.to_owned()));
        command.scope = plan.scope;
        queues.send(Queue::Evaluation, &command, Duration::ZERO).await?;
    }
    Ok(())
}
