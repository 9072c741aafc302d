//! The result of a dry run that a message requested.

use std::time::{Duration, Instant};

use anyhow::bail;
use domain::plan::Plan;
use serde_json::json;

use super::Request;
use crate::connection::Connected;
use crate::local::ActorProposal;
use crate::outcome::{Outcome, SCHEMA, answer, quoted};

/// The interval at which the table is polled.
const POLL: Duration = Duration::from_millis(500);

/// Waits for the plan and prints it. Fails if the function rejects the request or the plan does not arrive in time.
pub(super) async fn wait_for(
    connected: &Connected,
    request: &Request,
    patience: Duration,
    json: bool,
) -> anyhow::Result<Outcome> {
    let began = Instant::now();
    loop {
        if let Some(plan) = plan_for(connected, request).await? {
            let proposal = ActorProposal::of_plan(request.actor.clone(), plan, None);
            if json {
                answer(json!({ "schema": SCHEMA, "request_id": request.request_id, "actors": [proposal] }));
            } else {
                answer(proposal.in_words());
            }
            return Ok(proposal.outcome());
        }
        if let Some(reason) = rejection_of(connected, request).await? {
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

async fn plan_for(connected: &Connected, request: &Request) -> anyhow::Result<Option<Plan>> {
    let plans = connected.services.store.plans(&request.actor).await?;
    Ok(plans.into_iter().find(|plan| plan.request_id.as_ref() == Some(&request.request_id)))
}

async fn rejection_of(connected: &Connected, request: &Request) -> anyhow::Result<Option<String>> {
    let rejections = connected.services.store.rejections().await?;
    let of_request = rejections.into_iter().find(|rejection| rejection.body.contains(&request.request_id));
    Ok(of_request.map(|rejection| rejection.reason))
}
