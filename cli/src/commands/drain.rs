//! `balancer drain`

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::bail;
use aws::store::Store;
use aws::store::actors::ActorRecord;
use domain::actor::ActorId;
use domain::plan::Plan;
use domain::status::Status;
use serde::Serialize;

use crate::arguments::Drain;
use crate::connection::Connected;
use crate::outcome::{Outcome, SCHEMA, answer, remark};

/// The number of consecutive polls that must find the queues empty, because SQS counts messages approximately.
const EMPTY_POLLS: u32 = 3;

/// The interval at which actors are read while messages are left. Each read scans the table.
const SCAN_INTERVAL: Duration = Duration::from_secs(60);

#[derive(Serialize)]
struct Drained {
    schema: u32,
    /// Whether no message and no plan is left.
    drained: bool,
    messages: u64,
    /// Actors whose work waits for money.
    parked: Vec<ActorId>,
    /// Actors with a running plan and no message that could continue it.
    stuck: Vec<ActorId>,
    /// Actors that need attention and have a running plan: a message of it has failed for the last time.
    needing_attention: Vec<ActorId>,
}

/// Waits until every message is processed and every plan completed, or only parked, stuck or failed work is left.
pub async fn run(arguments: Drain) -> anyhow::Result<Outcome> {
    let Drain { timeout, json, connection } = arguments;
    let connected = Connected::to(&connection, &[]).await?;
    let poll = if connected.stack.endpoint.is_some() { Duration::from_millis(300) } else { Duration::from_secs(5) };
    let timeout = timeout.map(|minutes| Duration::from_secs(60 * minutes));
    let (began, mut scanned_at, mut empty_polls, mut shown) = (Instant::now(), None::<Instant>, 0, None);
    let drained = loop {
        let messages = connected.services.queues.total_depth().await?;
        empty_polls = if messages == 0 { empty_polls + 1 } else { 0 };
        if shown != Some(messages) {
            remark(left(messages));
            shown = Some(messages);
        }
        let is_scan_due = scanned_at.is_none_or(|at| at.elapsed() >= SCAN_INTERVAL);
        if empty_polls >= EMPTY_POLLS || messages > 0 && is_scan_due {
            scanned_at = Some(Instant::now());
            let records = connected.services.store.actors().await?;
            let state = Drained::of(messages, &records, &connected.services.store).await?;
            if messages == 0 || state.is_only_parked(&records) {
                break state;
            }
        }
        if timeout.is_some_and(|timeout| began.elapsed() >= timeout) {
            bail!("{}; `balancer status` shows the actors", left(messages));
        }
        tokio::time::sleep(poll).await;
    };
    let outcome = if drained.drained { Outcome::Done } else { Outcome::NeedsAttention };
    if json {
        answer(serde_json::to_string(&drained)?);
    } else {
        answer(drained.in_words());
    }
    Ok(outcome)
}

impl Drained {
    async fn of(messages: u64, records: &BTreeMap<ActorId, ActorRecord>, store: &Store) -> anyhow::Result<Self> {
        let with = |status: Status| -> Vec<ActorId> {
            records.iter().filter(|(_, record)| record.status == status).map(|(actor, _)| actor.clone()).collect()
        };
        let (parked, stuck) = (with(Status::Parked), with(Status::Balancing));
        let mut needing_attention = Vec::new();
        for actor in with(Status::NeedsAttention) {
            // A manual plan is never the active one.
            if store.plans(&actor).await?.iter().any(Plan::is_under_way) {
                needing_attention.push(actor);
            }
        }
        let drained = messages == 0 && parked.is_empty() && stuck.is_empty() && needing_attention.is_empty();
        Ok(Self { schema: SCHEMA, drained, messages, parked, stuck, needing_attention })
    }

    /// Whether the remaining messages belong to parked work alone: no plan runs, and no upload waits.
    fn is_only_parked(&self, records: &BTreeMap<ActorId, ActorRecord>) -> bool {
        let waits = |record: &ActorRecord| record.status != Status::Parked && record.is_evaluation_pending();
        !self.parked.is_empty() && self.stuck.is_empty() && !records.values().any(waits)
    }

    fn in_words(&self) -> String {
        let mut lines = Vec::new();
        if self.drained {
            lines.push("Drained: no message and no plan is left.".to_owned());
        }
        if !self.parked.is_empty() {
            lines.push(format!("Parked until there is money: {}. Raise the budget.", names(&self.parked)));
        }
        if !self.stuck.is_empty() {
            lines.push(format!(
                "Stuck, because the messages of their plans are lost: {}. Run `balancer evaluate --stuck`.",
                names(&self.stuck)
            ));
        }
        if !self.needing_attention.is_empty() {
            lines.push(format!(
                "Messages of their plans failed: {}. Remove the cause that `balancer status` shows, then run \
                 `balancer redrive`.",
                names(&self.needing_attention)
            ));
        }
        lines.join("\n")
    }
}

fn left(messages: u64) -> String {
    if messages == 1 { "1 message left".to_owned() } else { format!("{messages} messages left") }
}

fn names(actors: &[ActorId]) -> String {
    actors.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
