//! Resumes the work of a killed run: its queues, and with them its messages, ended with it.

use std::collections::BTreeMap;
use std::time::Duration;

use aws::queues::Queue;
use aws::stack::Services;
use domain::actor::ActorId;
use domain::lifecycle::actor::{ActorEvent, OnBehalf};
use domain::lifecycle::slot::SlotState;
use domain::messages::{Cause, DeletionMessage, EvaluationCommand, GenerationMessage};
use domain::plan::{MANUAL, Origin, Plan, PlanState};
use domain::status::Status;
use handlers::Clock;

use super::actors::Actors;

/// Sends the messages of the unfinished work of an actor again; repeated messages have no effect. If nothing is
/// unfinished, requests an evaluation as the first one of a run does.
pub async fn resume(actors: &Actors, actor: &ActorId, is_suspended: bool) -> anyhow::Result<()> {
    let services = &actors.services;
    let record = services.store.actor(actor).await?.unwrap_or_default();
    // The end of any plan leads to an evaluation.
    let mut is_at_work = false;
    for plan in services.store.plans(actor).await? {
        let is_active = record.active_plan.as_ref() == Some(&plan.plan_id);
        match plan.state {
            PlanState::Adopted | PlanState::Deleting | PlanState::Generating => {
                if record.status == Status::Parked {
                    // Otherwise the run would end before its workers have found out whether there is money.
                    let behalf = OnBehalf::Plan(&plan.plan_id);
                    let now = Clock::system().now();
                    services.store.change_standing(actor, behalf, &ActorEvent::WorkResumed, now).await?;
                }
                send_work(services, actor, &plan).await?;
                is_at_work = true;
            }
            PlanState::Completed if is_active || plan.origin == Origin::Manual => {
                let mut command = EvaluationCommand::because(actor.clone(), Cause::PlanDone(plan.plan_id.clone()));
                command.scope = plan.scope;
                services.queues.send(Queue::Evaluation, &command, Duration::ZERO).await?;
                is_at_work = true;
            }
            PlanState::Superseded => send_numbered_slots(services, actor, &plan).await?,
            PlanState::DryRun | PlanState::AwaitingApproval | PlanState::Completed | PlanState::Reviewed => {}
        }
    }
    send_begun_deletions(services, actor).await?;
    if is_at_work { Ok(()) } else { actors.request_first_evaluation(actor, is_suspended).await }
}

/// Sends the messages of a plan's next step.
async fn send_work(services: &Services, actor: &ActorId, plan: &Plan) -> anyhow::Result<()> {
    if !plan.delete.is_empty() && plan.state != PlanState::Generating {
        return send_deletions(services, actor, &plan.plan_id).await;
    }
    let begun = services.store.slots(actor, &plan.plan_id).await?;
    let is_open = |slot: &str| begun.get(slot).is_none_or(|record| !record.progress.state.is_final());
    let open = plan.slots.iter().map(|slot| &slot.slot_id).filter(|slot| is_open(slot));
    send_slots(services, actor, plan, open).await
}

/// Sends the slots of a superseded plan whose images have a number. All other slots of the plan are void.
async fn send_numbered_slots(services: &Services, actor: &ActorId, plan: &Plan) -> anyhow::Result<()> {
    let slots = services.store.slots(actor, &plan.plan_id).await?;
    let is_numbered = |state: &SlotState| matches!(state, SlotState::Numbered { .. });
    let numbered = slots.iter().filter(|(_, record)| is_numbered(&record.progress.state)).map(|(slot, _)| slot);
    send_slots(services, actor, plan, numbered).await
}

async fn send_slots(
    services: &Services,
    actor: &ActorId,
    plan: &Plan,
    slots: impl Iterator<Item = &String>,
) -> anyhow::Result<()> {
    let messages: Vec<_> = slots
        .map(|slot_id| GenerationMessage::Planned {
            actor_id: actor.clone(),
            plan_id: plan.plan_id.clone(),
            slot_id: slot_id.clone(),
        })
        .collect();
    Ok(services.queues.send_all(Queue::Generation, &messages).await?)
}

/// Sends the deletions that have begun, except for those of a plan under way.
async fn send_begun_deletions(services: &Services, actor: &ActorId) -> anyhow::Result<()> {
    let mut begun = BTreeMap::<String, Vec<String>>::new();
    for (filename, image) in services.store.images(actor).await? {
        if let Some(deletion_id) = image.deleting {
            begun.entry(deletion_id).or_default().push(filename);
        }
    }
    for (deletion_id, filenames) in begun {
        let Some(request_id) = deletion_id.strip_prefix(MANUAL) else {
            send_deletions(services, actor, &deletion_id).await?;
            continue;
        };
        let request_id = Some(request_id.to_owned());
        let message = DeletionMessage::Manual { actor_id: actor.clone(), filenames, request_id };
        services.queues.send(Queue::Deletion, &message, Duration::ZERO).await?;
    }
    Ok(())
}

async fn send_deletions(services: &Services, actor: &ActorId, plan_id: &str) -> anyhow::Result<()> {
    let message = DeletionMessage::Planned { actor_id: actor.clone(), plan_id: plan_id.to_owned() };
    Ok(services.queues.send(Queue::Deletion, &message, Duration::ZERO).await?)
}
