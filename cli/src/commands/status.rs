//! `balancer status [ACTOR]…`

mod last_deletion;
mod plan_details;

use std::collections::BTreeMap;

use anyhow::bail;
use aws::store::actors::ActorRecord;
use aws::store::spending::Spending;
use aws::store::{Store, StoreError};
use domain::actor::ActorId;
use domain::coverage::Coverage;
use domain::kind::KindCounts;
use domain::money::MicroUsd;
use domain::settings::ActorSettings;
use domain::status::Status as ActorStatus;
use handlers::Clock;
use jiff::civil::Date;
use serde::Serialize;

use crate::arguments::Status;
use crate::connection::Connected;
use crate::local::{Counted, counted};
use crate::outcome::{Outcome, answer};
use crate::table::{self, Heading};
use last_deletion::LastDeletion;
use plan_details::PlanDetails;

const HEADINGS: [Heading; 7] = [
    Heading::Words("actor"),
    Heading::Words("images"),
    Heading::Words("status"),
    Heading::Numbers("cost today"),
    Heading::Numbers("cost in all"),
    Heading::Numbers("last assessment cost"),
    Heading::Words("note"),
];

#[derive(Serialize)]
struct ActorSummary {
    actor_id: ActorId,
    status: ActorStatus,
    reason: Option<String>,
    images: KindCounts,
    /// The framings and angles before the latest plan and now; `None` if no plan has recorded any. Only with `--plan`
    /// or for named actors.
    #[serde(skip_serializing_if = "Option::is_none")]
    coverage: Option<Coverage>,
    /// The settings of its `actor.json` as the last evaluation read them; `None` if it had none. Only with `--plan` or
    /// for named actors.
    #[serde(skip_serializing_if = "Option::is_none")]
    own_settings: Option<ActorSettings>,
    round: u32,
    plan: Option<String>,
    cost_today_micro_usd: MicroUsd,
    cost_ever_micro_usd: MicroUsd,
    /// The cost of the last evaluation that called a paid vision service.
    last_evaluation_micro_usd: Option<MicroUsd>,
    /// The current plan; only with `--plan` or for named actors.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(rename = "current_plan")]
    plan_details: Option<PlanDetails>,
    /// The last dry run; only with `--plan` or for named actors.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_dry_run: Option<PlanDetails>,
    /// The last deletion; only with `--plan` or for named actors.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_deletion: Option<LastDeletion>,
}

/// Shows the status of actors, or the rejected messages.
pub async fn run(arguments: Status) -> anyhow::Result<Outcome> {
    let connected = Connected::to(&arguments.connection, &arguments.actors).await?;
    if arguments.rejected {
        return rejected(&connected, arguments.json).await;
    }
    let records = wanted(&connected.services.store, &arguments.actors).await?;
    let today = Clock::system().today();
    let is_detailed = arguments.plan || !arguments.actors.is_empty();
    let mut summaries = Vec::new();
    for (actor, record) in records {
        summaries.push(summary(&connected, actor, record, today, is_detailed).await?);
    }
    if arguments.json {
        answer(serde_json::to_string_pretty(&summaries)?);
    } else {
        answer(in_words(&summaries, connected.services.store.spending(today).await?));
    }
    Ok(Outcome::of_sets(summaries.iter().map(|summary| summary.status)))
}

/// The records of these actors, or of all if none are named, which requires a scan of the table.
async fn wanted(store: &Store, actors: &[ActorId]) -> anyhow::Result<BTreeMap<ActorId, ActorRecord>> {
    if actors.is_empty() {
        return Ok(store.actors().await?);
    }
    let mut records = BTreeMap::new();
    for actor in actors {
        match store.actor(actor).await? {
            Some(record) => records.insert(actor.clone(), record),
            None => bail!("the stack does not know the actor {actor}; `balancer status` lists the known ones"),
        };
    }
    Ok(records)
}

async fn summary(
    connected: &Connected,
    actor_id: ActorId,
    record: ActorRecord,
    today: Date,
    is_detailed: bool,
) -> anyhow::Result<ActorSummary> {
    let store = &connected.services.store;
    let plan = match &record.active_plan {
        Some(plan_id) if is_detailed => PlanDetails::read(store, &actor_id, plan_id).await?,
        _ => None,
    };
    let Counted { kinds, views } = counted(store, &actor_id).await?;
    let planned = if is_detailed { latest_coverage(store, &actor_id).await? } else { None };
    Ok(ActorSummary {
        status: record.status,
        // An outage explains why an unfinished set makes no progress.
        reason: record.outage().or_else(|| record.reason.clone()),
        images: kinds,
        coverage: planned.map(|planned| Coverage { after: views, ..planned }),
        own_settings: Some(record.settings).filter(|own| is_detailed && *own != ActorSettings::default()),
        round: record.round,
        plan: record.active_plan,
        cost_today_micro_usd: store.spending_on(&actor_id, today).await?.spent,
        cost_ever_micro_usd: store.spending_ever_on(&actor_id).await?,
        last_evaluation_micro_usd: store.assessment_costs(&actor_id).await?.last().map(|evaluation| evaluation.cost),
        plan_details: plan,
        last_dry_run: if is_detailed { PlanDetails::last_dry_run(store, &actor_id).await? } else { None },
        last_deletion: if is_detailed { LastDeletion::read(store, &actor_id).await? } else { None },
        actor_id,
    })
}

/// The coverage that the actor's latest plan with a known one has recorded. Plans of dry runs count too.
async fn latest_coverage(store: &Store, actor: &ActorId) -> Result<Option<Coverage>, StoreError> {
    Ok(store.plans(actor).await?.iter().rev().find_map(|plan| plan.coverage))
}

fn in_words(summaries: &[ActorSummary], today: Spending) -> String {
    let rows: Vec<_> = summaries.iter().map(row).collect();
    let mut parts = vec![table::render(&HEADINGS, &rows)];
    parts.extend(summaries.iter().flat_map(details));
    parts.push(closing_line(today));
    parts.join("\n\n")
}

/// The lines about an actor below the table.
fn details(summary: &ActorSummary) -> impl Iterator<Item = String> {
    let actor = &summary.actor_id;
    let coverage = summary.coverage.map(|coverage| format!("{actor}: coverage: {coverage}"));
    let own = summary.own_settings.as_ref().and_then(|own| serde_json::to_string(own).ok());
    let own = own.map(|own| format!("{actor}: own settings, as last read: {own}"));
    let plans = [&summary.plan_details, &summary.last_dry_run].into_iter().flatten().map(|plan| plan.in_words(actor));
    coverage
        .into_iter()
        .chain(own)
        .chain(plans)
        .chain(summary.last_deletion.iter().map(|deletion| deletion.in_words(actor)))
}

fn row(summary: &ActorSummary) -> Vec<String> {
    vec![
        table::short(summary.actor_id.as_str()),
        summary.images.to_string(),
        summary.status.to_string(),
        summary.cost_today_micro_usd.to_string(),
        summary.cost_ever_micro_usd.to_string(),
        summary.last_evaluation_micro_usd.unwrap_or_default().to_string(),
        summary.reason.clone().unwrap_or_default(),
    ]
}

fn closing_line(today: Spending) -> String {
    let reserved = today.committed.saturating_sub(today.spent);
    let reserved = if reserved > MicroUsd::ZERO {
        format!(", and {reserved} reserved for requests in progress")
    } else {
        String::new()
    };
    format!("All actors together have cost {} today (UTC){reserved}.", today.spent)
}

async fn rejected(connected: &Connected, json: bool) -> anyhow::Result<Outcome> {
    let rejections = connected.services.store.rejections().await?;
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
