//! `balancer status [ACTOR]…`

mod last_deletion;
mod plan_at_hand;

use std::collections::BTreeMap;

use anyhow::bail;
use aws::store::Store;
use aws::store::actors::ActorRecord;
use aws::store::spending::Spending;
use domain::actor::ActorId;
use domain::kind::KindCounts;
use domain::money::MicroUsd;
use domain::status::Status as ActorStatus;
use handlers::Clock;
use jiff::civil::Date;
use serde::Serialize;

use crate::arguments::Status;
use crate::connection::Connected;
use crate::local::counts;
use crate::outcome::{Outcome, answer};
use crate::table::{self, Heading};
use last_deletion::LastDeletion;
use plan_at_hand::PlanAtHand;

const HEADINGS: [Heading; 7] = [
    Heading::Words("actor"),
    Heading::Words("images"),
    Heading::Words("status"),
    Heading::Numbers("today"),
    Heading::Numbers("ever"),
    Heading::Numbers("last evaluation"),
    Heading::Words("why"),
];

#[derive(Serialize)]
struct ActorStanding {
    actor_id: ActorId,
    status: ActorStatus,
    reason: Option<String>,
    images: KindCounts,
    round: u32,
    plan: Option<String>,
    cost_today_micro_usd: MicroUsd,
    cost_ever_micro_usd: MicroUsd,
    /// Of the last evaluation that asked a vision model which costs something.
    last_evaluation_micro_usd: Option<MicroUsd>,
    /// Only where it is asked for, and there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    plan_at_hand: Option<PlanAtHand>,
    /// The last dry run, as `plan_at_hand`.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_dry_run: Option<PlanAtHand>,
    /// The last deletion, as `plan_at_hand`.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_deletion: Option<LastDeletion>,
}

/// Says how actors stand, or which messages were rejected.
pub async fn run(arguments: Status) -> anyhow::Result<Outcome> {
    let connected = Connected::to(&arguments.connection, &arguments.actors).await?;
    if arguments.rejected {
        return rejected(&connected, arguments.json).await;
    }
    let records = wanted(&connected.store, &arguments.actors).await?;
    let today = Clock::system().today();
    let is_detailed = arguments.plan || !arguments.actors.is_empty();
    let mut standings = Vec::new();
    for (actor, record) in records {
        standings.push(standing(&connected, actor, record, today, is_detailed).await?);
    }
    if arguments.json {
        answer(serde_json::to_string_pretty(&standings)?);
    } else {
        answer(in_words(&standings, connected.store.spending(today).await?));
    }
    Ok(Outcome::of_sets(standings.iter().map(|standing| standing.status)))
}

/// These actors, or all of them, for which the whole table must be read.
async fn wanted(store: &Store, actors: &[ActorId]) -> anyhow::Result<BTreeMap<ActorId, ActorRecord>> {
    if actors.is_empty() {
        return Ok(store.actors().await?);
    }
    let mut records = BTreeMap::new();
    for actor in actors {
        match store.actor(actor).await? {
            Some(record) => records.insert(actor.clone(), record),
            None => bail!("the stack does not know the actor {actor}; `balancer status` lists those it knows"),
        };
    }
    Ok(records)
}

async fn standing(
    connected: &Connected,
    actor_id: ActorId,
    record: ActorRecord,
    today: Date,
    is_detailed: bool,
) -> anyhow::Result<ActorStanding> {
    let store = &connected.store;
    let plan = match &record.active_plan {
        Some(plan_id) if is_detailed => PlanAtHand::read(store, &actor_id, plan_id).await?,
        _ => None,
    };
    Ok(ActorStanding {
        status: record.status,
        reason: record.reason,
        images: counts(store, &actor_id).await?,
        round: record.round,
        plan: record.active_plan,
        cost_today_micro_usd: connected.store.spending_on(&actor_id, today).await?.spent,
        cost_ever_micro_usd: connected.store.spending_ever_on(&actor_id).await?,
        last_evaluation_micro_usd: connected.store.judgings(&actor_id).await?.last().map(|judging| judging.cost),
        plan_at_hand: plan,
        last_dry_run: if is_detailed { PlanAtHand::last_dry_run(store, &actor_id).await? } else { None },
        last_deletion: if is_detailed { LastDeletion::read(store, &actor_id).await? } else { None },
        actor_id,
    })
}

fn in_words(standings: &[ActorStanding], today: Spending) -> String {
    let rows: Vec<_> = standings.iter().map(row).collect();
    let mut parts = vec![table::render(&HEADINGS, &rows)];
    parts.extend(standings.iter().flat_map(details));
    parts.push(closing_line(today));
    parts.join("\n\n")
}

/// The lines about an actor below the table.
fn details(standing: &ActorStanding) -> impl Iterator<Item = String> {
    let actor = &standing.actor_id;
    let plans = [&standing.plan_at_hand, &standing.last_dry_run].into_iter().flatten().map(|plan| plan.in_words(actor));
    plans.chain(standing.last_deletion.iter().map(|deletion| deletion.in_words(actor)))
}

fn row(standing: &ActorStanding) -> Vec<String> {
    vec![
        table::short(standing.actor_id.as_str()),
        standing.images.to_string(),
        standing.status.to_string(),
        standing.cost_today_micro_usd.to_string(),
        standing.cost_ever_micro_usd.to_string(),
        standing.last_evaluation_micro_usd.unwrap_or_default().to_string(),
        standing.reason.clone().unwrap_or_default(),
    ]
}

fn closing_line(today: Spending) -> String {
    let under_way = today.committed.saturating_sub(today.spent);
    let under_way = if under_way > MicroUsd::ZERO {
        format!(", and {under_way} set aside for calls under way")
    } else {
        String::new()
    };
    format!("All actors together have cost {} today (UTC){under_way}.", today.spent)
}

async fn rejected(connected: &Connected, json: bool) -> anyhow::Result<Outcome> {
    let rejections = connected.store.rejections().await?;
    if json {
        answer(serde_json::to_string_pretty(&rejections)?);
    } else {
        let rows: Vec<_> = rejections
            .iter()
            .map(|rejection| {
                let body = rejection.body.chars().take(60).collect();
                vec![format!("{:.0}", rejection.rejected_at), rejection.queue.clone(), rejection.reason.clone(), body]
            })
            .collect();
        answer(table::render(&["when", "queue", "why", "body"].map(Heading::Words), &rows));
    }
    Ok(Outcome::Done)
}
