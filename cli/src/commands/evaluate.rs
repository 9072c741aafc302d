//! `balancer evaluate --stuck`

use std::time::Duration;

use aws::queues::Queue;
use domain::actor::ActorId;
use domain::messages::{Cause, EvaluationCommand, new_request_id};
use domain::status::Status;
use handlers::Clock;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::json;

use crate::arguments::Evaluate;
use crate::connection::Connected;
use crate::outcome::{Outcome, SCHEMA, answer};

#[derive(Serialize)]
struct Requested {
    actor_id: ActorId,
    request_id: String,
    status: Status,
    last_progress_at: Timestamp,
}

/// Requests an evaluation of every stuck actor, which supersedes the actor's plan.
pub async fn run(arguments: Evaluate) -> anyhow::Result<Outcome> {
    let Evaluate { stuck: _, after, json, connection } = arguments;
    let connected = Connected::to(&connection, &[]).await?;
    let stuck_before = Clock::system().now() - SignedDuration::from_mins(after.into());
    // The messages of parked work wait in the queues until there is money. If the queues are empty, they were lost.
    let are_queues_empty = connected.services.queues.total_depth().await? == 0;
    let mut requested = Vec::new();
    for (actor_id, record) in connected.services.store.actors().await? {
        let may_be_stuck = match record.status {
            Status::Balancing => true,
            Status::Parked => are_queues_empty,
            Status::Waiting | Status::Balanced | Status::NeedsAttention => false,
        };
        if !may_be_stuck {
            continue;
        }
        let Some(work) = connected.services.store.work(&actor_id, &record).await? else { continue };
        if work.last_progress_at <= stuck_before {
            let request_id = request(&connected, &actor_id).await?;
            let last_progress_at = work.last_progress_at;
            requested.push(Requested { actor_id, request_id, status: record.status, last_progress_at });
        }
    }
    if json {
        answer(json!({ "schema": SCHEMA, "requested": requested }));
    } else {
        answer(in_words(&requested, after));
    }
    Ok(Outcome::Done)
}

async fn request(connected: &Connected, actor: &ActorId) -> anyhow::Result<String> {
    let request_id = new_request_id();
    let mut command = EvaluationCommand::because(actor.clone(), Cause::Manual);
    command.force = true;
    command.request_id = Some(request_id.clone());
    connected.services.queues.send(Queue::Evaluation, &command, Duration::ZERO).await?;
    Ok(request_id)
}

fn in_words(requested: &[Requested], minutes: u32) -> String {
    if requested.is_empty() {
        return format!("No actor is stuck: every running plan has made progress in the last {minutes} minutes.");
    }
    let lines = requested.iter().map(|it| {
        format!(
            "requested an evaluation of {} ({}, no progress since {:.0})",
            it.actor_id, it.status, it.last_progress_at
        )
    });
    lines.collect::<Vec<_>>().join("\n")
}
