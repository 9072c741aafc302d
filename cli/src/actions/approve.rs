//! Approves a plan on hold.

use std::time::Duration;

use anyhow::bail;
use aws::queues::Queue;
use domain::actor::ActorId;
use domain::messages::{Cause, EvaluationCommand};
use domain::plan::{Plan, PlanState};

use super::notice::leave;
use crate::connection::Connected;
use crate::outcome::quoted;
use crate::sets::Sets;

/// Approves the plan on hold, and requests an evaluation that adopts it. `seen` is the id of the plan that the user has
/// seen; `None` stands for the present one. Fails if no plan is on hold, or another than the seen one.
pub async fn approve(sets: &Sets, actor: &ActorId, seen: Option<&str>) -> anyhow::Result<Plan> {
    let stack = sets.stack()?;
    let plan = plan_on_hold(stack, actor).await?;
    let is_replaced = || {
        let command = format!("balancer status {}", quoted(actor.as_str()));
        anyhow::anyhow!("another plan of {actor} has replaced it; show it with `{command}`, then approve that one")
    };
    if seen.is_some_and(|seen| seen != plan.plan_id) {
        return Err(is_replaced());
    }
    if !stack.services.store.approve(actor, &plan.plan_id).await? {
        return Err(is_replaced());
    }
    let mut command = EvaluationCommand::because(actor.clone(), Cause::Manual);
    command.scope = plan.scope;
    stack.services.queues.send(Queue::Evaluation, &command, Duration::ZERO).await?;
    leave(sets, actor, format!("approved the plan {}", plan.plan_id)).await;
    Ok(plan)
}

async fn plan_on_hold(stack: &Connected, actor: &ActorId) -> anyhow::Result<Plan> {
    let record = stack.actor(actor).await?;
    let plan = match &record.active_plan {
        Some(plan_id) => stack.services.store.plan(actor, plan_id).await?,
        None => None,
    };
    match plan.filter(|plan| plan.state == PlanState::AwaitingApproval) {
        Some(plan) => Ok(plan),
        None => {
            bail!("no plan of {actor} is on hold; `balancer status {}` shows its status", quoted(actor.as_str()))
        }
    }
}
