//! `balancer approve ACTOR`

use std::time::Duration;

use anyhow::bail;
use aws::queues::Queue;
use domain::files::images_in_words;
use domain::messages::{Cause, EvaluationCommand};
use domain::plan::PlanState;
use serde_json::json;

use crate::arguments::Approve;
use crate::connection::Connected;
use crate::outcome::{Outcome, answer, quoted};

/// Approves the plan on hold, and requests an evaluation that adopts it.
pub async fn run(arguments: Approve) -> anyhow::Result<Outcome> {
    let Approve { actor, json, connection } = arguments;
    let connected = Connected::to(&connection, std::slice::from_ref(&actor)).await?;
    let record = connected.actor(&actor).await?;
    let plan = match &record.active_plan {
        Some(plan_id) => connected.services.store.plan(&actor, plan_id).await?,
        None => None,
    };
    let Some(plan) = plan.filter(|plan| plan.state == PlanState::AwaitingApproval) else {
        bail!("no plan of {actor} is on hold; `balancer status {}` shows its status", quoted(actor.as_str()));
    };
    if !connected.services.store.approve(&actor, &plan.plan_id).await? {
        bail!("another plan has replaced it; show it with `balancer status {} --plan`", quoted(actor.as_str()));
    }
    let mut command = EvaluationCommand::because(actor.clone(), Cause::Manual);
    command.scope = plan.scope;
    connected.services.queues.send(Queue::Evaluation, &command, Duration::ZERO).await?;
    let files: Vec<_> = plan.delete.iter().map(|deletion| &deletion.filename).collect();
    if json {
        answer(json!({ "actor_id": actor, "plan_id": plan.plan_id, "delete": files }));
    } else {
        answer(format!(
            "Approved: the next plan may delete the {} of this plan. A plan of {actor} that deletes others waits for \
             approval again.",
            images_in_words(files.len())
        ));
    }
    Ok(Outcome::Done)
}
