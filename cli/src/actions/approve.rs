//! Approves a plan on hold.

use std::time::Duration;

use anyhow::bail;
use aws::queues::Queue;
use aws::store::actors::ActorRecord;
use domain::actor::ActorId;
use domain::messages::{Cause, EvaluationCommand};
use domain::plan::{Plan, PlanState};

use super::notice::leave;
use crate::connection::Connected;
use crate::outcome::{Conflict, quoted};
use crate::sets::Sets;

/// Approves the plan on hold, and requests an evaluation that adopts it. `seen` is the id of the plan that the user has
/// seen; `None` stands for the present one, which may be approved again. Fails with a [`Conflict`] if no plan is on hold,
/// another than the seen one is, or the seen one is approved already.
pub async fn approve(sets: &Sets, actor: &ActorId, seen: Option<&str>) -> anyhow::Result<Plan> {
    let stack = sets.stack()?;
    let record = stack.actor(actor).await?;
    let plan = plan_on_hold(stack, actor, &record).await?;
    let is_replaced = || {
        let command = format!("balancer status {}", quoted(actor.as_str()));
        Conflict(format!("another plan of {actor} has replaced it; show it with `{command}`, then approve that one"))
    };
    match seen {
        Some(seen) if seen != plan.plan_id => bail!(is_replaced()),
        Some(seen) if record.approved_plan.as_deref() == Some(seen) => bail!(Conflict(format!(
            "this plan of {actor} is approved already; the evaluation that carries it out follows"
        ))),
        _ => {}
    }
    if !stack.services.store.approve(actor, &plan.plan_id).await? {
        bail!(is_replaced());
    }
    let mut command = EvaluationCommand::because(actor.clone(), Cause::Manual);
    command.scope = plan.scope;
    stack.services.queues.send(Queue::Evaluation, &command, Duration::ZERO).await?;
    leave(sets, actor, format!("approved the plan {}", plan.plan_id)).await;
    Ok(plan)
}

async fn plan_on_hold(stack: &Connected, actor: &ActorId, record: &ActorRecord) -> anyhow::Result<Plan> {
    let plan = match &record.active_plan {
        Some(plan_id) => stack.services.store.plan(actor, plan_id).await?,
        None => None,
    };
    match plan.filter(|plan| plan.state == PlanState::AwaitingApproval) {
        Some(plan) => Ok(plan),
        None => {
            let command = format!("balancer status {}", quoted(actor.as_str()));
            bail!(Conflict(format!("no plan of {actor} is on hold; `{command}` shows its status")))
        }
    }
}
