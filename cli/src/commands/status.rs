//! `balancer status [ACTOR]…`

use std::collections::BTreeMap;

use anyhow::bail;
use balancer::adapters::store::actors::{ActorRecord, Status as ActorStatus};
use balancer::domain::actor::ActorId;
use serde::Serialize;

use crate::arguments::Status;
use crate::connection::Connected;
use crate::local::Report;
use crate::outcome::{Outcome, answer};
use crate::table;

#[derive(Serialize)]
struct ActorStanding<'a> {
    actor_id: &'a ActorId,
    status: ActorStatus,
    reason: Option<&'a str>,
    images: balancer::domain::kind::KindCounts,
    round: u32,
    plan: Option<&'a str>,
}

/// Says how actors stand, or which messages were refused.
pub async fn run(arguments: Status) -> anyhow::Result<Outcome> {
    let connected = Connected::to(&arguments.connection).await?;
    if arguments.refused {
        return refused(&connected, arguments.json).await;
    }
    let records = wanted(connected.store.actors().await?, &arguments.actors)?;
    let actors: Vec<ActorId> = records.keys().cloned().collect();
    let report = Report::of(&connected.store, &actors).await?;
    let standings: Vec<_> = records
        .iter()
        .zip(&report.actors)
        .map(|((actor_id, record), counted)| ActorStanding {
            actor_id,
            status: record.status,
            reason: record.reason.as_deref(),
            images: counted.counts,
            round: record.round,
            plan: record.active_plan.as_deref(),
        })
        .collect();
    if arguments.json {
        answer(serde_json::to_string_pretty(&standings)?);
    } else {
        let rows: Vec<_> = standings.iter().map(row).collect();
        answer(table::render(&["actor", "images", "status", "why"], &rows));
    }
    Ok(report.outcome())
}

fn wanted(
    mut records: BTreeMap<ActorId, ActorRecord>,
    actors: &[ActorId],
) -> anyhow::Result<BTreeMap<ActorId, ActorRecord>> {
    if let Some(unknown) = actors.iter().find(|actor| !records.contains_key(actor)) {
        bail!("the stack does not know the actor {unknown}");
    }
    records.retain(|actor, _| actors.is_empty() || actors.contains(actor));
    Ok(records)
}

fn row(standing: &ActorStanding<'_>) -> Vec<String> {
    vec![
        standing.actor_id.to_string(),
        standing.images.to_string(),
        format!("{:?}", standing.status),
        standing.reason.unwrap_or_default().to_owned(),
    ]
}

async fn refused(connected: &Connected, json: bool) -> anyhow::Result<Outcome> {
    let refusals = connected.store.refusals().await?;
    if json {
        answer(serde_json::to_string_pretty(&refusals)?);
    } else {
        let rows: Vec<_> = refusals
            .iter()
            .map(|refusal| {
                let body = refusal.body.chars().take(60).collect();
                vec![format!("{:.0}", refusal.refused_at), refusal.queue.clone(), refusal.reason.clone(), body]
            })
            .collect();
        answer(table::render(&["when", "queue", "why", "body"], &rows));
    }
    Ok(Outcome::Done)
}
