//! The result of a dry run that a message requested.

use std::time::{Duration, Instant};

use anyhow::bail;
use domain::plan::Plan;
use serde_json::json;

use crate::actions::Request;
use crate::answers::{Actor, PlanAnswer};
use crate::connection::Connected;
use crate::local::Terms;
use crate::outcome::{Outcome, SCHEMA, answer, quoted};
use crate::sets::Sets;

/// The interval at which the table is polled.
const POLL: Duration = Duration::from_millis(500);

/// Waits for the plan and prints it. Fails if the function rejects the request or the plan does not arrive in time.
pub(super) async fn wait_for(
    sets: &Sets,
    request: &Request,
    patience: Duration,
    json: bool,
) -> anyhow::Result<Outcome> {
    let (began, stack) = (Instant::now(), sets.stack()?);
    loop {
        if let Some(plan) = plan_for(stack, request).await? {
            let actor = answer_of(sets, request, &plan).await?;
            if json {
                answer(json!({ "schema": SCHEMA, "request_id": request.request_id, "actors": [actor] }));
            } else {
                answer(actor.dry_run_in_words());
            }
            return Ok(actor.outcome_of_dry_run());
        }
        if let Some(reason) = rejection_of(stack, request).await? {
            bail!("the request was rejected: {reason}");
        }
        if began.elapsed() >= patience {
            bail!(
                "no result after {} s; `balancer status {}` shows it later, or the reason for the delay",
                patience.as_secs(),
                quoted(request.actor.as_str())
            );
        }
        tokio::time::sleep(POLL).await;
    }
}

async fn answer_of(sets: &Sets, request: &Request, plan: &Plan) -> anyhow::Result<Actor> {
    let actor = Actor::of(&sets.actor(&request.actor).await?);
    let terms = Terms::of_stack(&sets.stack()?.parameters);
    let answer = terms.map_or_else(|| PlanAnswer::of(plan), |terms| PlanAnswer::on_terms(plan, &terms));
    Ok(actor.with_dry_run(plan, answer))
}

async fn plan_for(connected: &Connected, request: &Request) -> anyhow::Result<Option<Plan>> {
    let plans = connected.services.store.plans(&request.actor).await?;
    Ok(plans.into_iter().find(|plan| plan.request_id.as_ref() == Some(&request.request_id)))
}

async fn rejection_of(connected: &Connected, request: &Request) -> anyhow::Result<Option<String>> {
    let rejections = connected.services.store.rejections().await?;
    let of_request = rejections.into_iter().find(|rejection| rejection.body.contains(&request.request_id));
    Ok(of_request.map(|rejection| rejection.reason))
}
