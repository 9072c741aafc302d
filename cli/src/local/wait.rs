//! Waits until every actor is settled: balanced, parked, or in need of attention.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use anyhow::bail;
use aws::queues::{Queue, Queues};
use aws::store::Store;
use aws::store::actors::ActorRecord;
use domain::actor::ActorId;
use domain::files::images_in_words;
use domain::messages::{Cause, EvaluationCommand, SWEEP};
use domain::plan::{Plan, PlanState};
use domain::settings::Settings;
use domain::status::Status;
use handlers::Clock;
use jiff::Timestamp;

use super::price::Terms;
use crate::answers::{Actor, PlanAnswer};
use crate::outcome::remark;
use crate::progress::StatusLines;
use crate::sets::ActorSet;

const POLL: Duration = Duration::from_millis(150);

/// How long nothing changes before the run looks for work whose messages were lost, and the interval of further looks.
const SWEEP_INTERVAL: Duration = Duration::from_secs(10);

/// How long nothing changes before the remaining messages of settled actors count as orphaned: a function that was killed
/// before its first heartbeat leaves its messages invisible for half an hour.
const ORPHANED_AFTER: Duration = Duration::from_secs(25);

/// Longer than any step takes, including one that is retried after a failure.
const STALLED_AFTER: Duration = Duration::from_secs(5 * 60);

/// Waits until no message is left and every actor is settled. Shows the progress of each. Fails if nothing has changed
/// for [`STALLED_AFTER`].
pub async fn wait_until_settled(store: &Store, queues: &Queues, actors: &[ActorId]) -> anyhow::Result<()> {
    let mut watcher = Watcher::new(store, queues);
    // The queues may be empty for a moment between two messages of a chain, so two polls in a row must agree.
    let mut times_settled = 0;
    while times_settled < 2 {
        let Snapshot { depth, records } = watcher.poll(actors).await?;
        if watcher.has_just_swept() {
            request_missed_evaluations(store, queues, actors, &records).await?;
        }
        // The handlers defer the messages of parked work until there is money.
        let is_parked = records.iter().any(|record| record.status == Status::Parked);
        let is_at_rest = !records.iter().any(is_busy);
        let is_settled = is_at_rest
            && (depth == 0
                || is_parked && !is_paying(store, actors, &records).await?
                || watcher.is_unchanged_for(ORPHANED_AFTER) && !has_work(store, queues, actors, &records).await?);
        times_settled = if is_settled { times_settled + 1 } else { 0 };
        tokio::time::sleep(POLL).await;
    }
    watcher.lines.clear();
    Ok(())
}

/// Requests an evaluation as an upload does: it starts no new rounds of a suspended set.
pub async fn request_as_upload(store: &Store, queues: &Queues, actor: &ActorId) -> anyhow::Result<()> {
    store.raise_revision(actor, Clock::system().now()).await?;
    let command = EvaluationCommand::because(actor.clone(), Cause::Uploads);
    queues.send(Queue::Evaluation, &command, Duration::ZERO).await?;
    Ok(())
}

/// Requests an evaluation of actors that still wait for their first one: the function that received the events of their
/// uploads may have been killed.
async fn request_missed_evaluations(
    store: &Store,
    queues: &Queues,
    actors: &[ActorId],
    records: &[ActorRecord],
) -> anyhow::Result<()> {
    for (actor, record) in actors.iter().zip(records) {
        if record.status == Status::Waiting && !record.is_evaluation_pending() {
            request_as_upload(store, queues, actor).await?;
        }
    }
    Ok(())
}

/// Whether any work is left besides messages of the evaluation queue that nothing depends on: an evaluation that is
/// pending or running, a deletion, a generation, or a plan, also a manual one.
async fn has_work(store: &Store, queues: &Queues, actors: &[ActorId], records: &[ActorRecord]) -> anyhow::Result<bool> {
    let is_unobserved = |record: &ActorRecord| {
        record.status == Status::Waiting || record.is_evaluation_pending() || record.lease_token.is_some()
    };
    let others = queues.depth_of(Queue::Deletion).await? + queues.depth_of(Queue::Generation).await?;
    if others > 0 || records.iter().any(is_unobserved) {
        return Ok(true);
    }
    for actor in actors {
        if store.plans(actor).await?.iter().any(Plan::is_under_way) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether an image of a parked actor is paid for and not placed yet: it would be lost with the stack.
async fn is_paying(store: &Store, actors: &[ActorId], records: &[ActorRecord]) -> anyhow::Result<bool> {
    for (actor, record) in actors.iter().zip(records) {
        if let (Status::Parked, Some(plan_id)) = (record.status, &record.active_plan)
            && store.slots(actor, plan_id).await?.values().any(|slot| slot.progress.state.is_under_way())
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Waits for the dry run of each actor, or the reason why there is none. Shows the progress of each. Fails if nothing
/// has changed for [`STALLED_AFTER`].
pub async fn dry_runs(
    store: &Store,
    queues: &Queues,
    actors: &[ActorId],
    settings: &Settings,
    terms: &Terms,
) -> anyhow::Result<Vec<Actor>> {
    let mut watcher = Watcher::new(store, queues);
    let mut proposals = BTreeMap::new();
    loop {
        let open: Vec<ActorId> = actors.iter().filter(|actor| !proposals.contains_key(*actor)).cloned().collect();
        if open.is_empty() {
            break;
        }
        let Snapshot { records, .. } = watcher.poll(&open).await?;
        for (actor, record) in open.into_iter().zip(records) {
            let plan = store.plans(&actor).await?.pop();
            let is_stuck = matches!(record.status, Status::NeedsAttention | Status::Parked);
            if plan.is_none() && !is_stuck {
                continue;
            }
            watcher.lines.show(actor.as_str(), if plan.is_some() { "planned" } else { "needs attention" }, 1, 1);
            let answer = Actor::of(&ActorSet::in_table(store, settings, &actor, record).await?);
            let answer = match plan {
                Some(plan) => answer.with_dry_run(&plan, PlanAnswer::on_terms(&plan, terms)),
                None => answer,
            };
            proposals.insert(actor, answer);
        }
        tokio::time::sleep(POLL).await;
    }
    watcher.lines.clear();
    Ok(proposals.into_values().collect())
}

/// Polls the actors, shows their progress, and detects stalls.
struct Watcher<'a> {
    store: &'a Store,
    queues: &'a Queues,
    lines: StatusLines,
    stall_detector: StallDetector,
    swept_at: Instant,
    /// The outages that were reported, by actor and beginning.
    outages: BTreeSet<(ActorId, Option<Timestamp>)>,
}

/// The number of messages and the actors' records at one moment.
struct Snapshot {
    depth: u64,
    records: Vec<ActorRecord>,
}

impl<'a> Watcher<'a> {
    fn new(store: &'a Store, queues: &'a Queues) -> Self {
        Self {
            store,
            queues,
            lines: StatusLines::new(),
            stall_detector: StallDetector::since(Instant::now()),
            swept_at: Instant::now(),
            outages: BTreeSet::new(),
        }
    }

    /// Reports each outage once.
    fn report_outage(&mut self, actor: &ActorId, record: &ActorRecord) {
        if let Some(outage) = record.outage()
            && self.outages.insert((actor.clone(), record.vision_outage_since))
        {
            remark(format!("{actor}: {outage}"));
        }
    }

    fn has_just_swept(&self) -> bool {
        self.swept_at.elapsed() < POLL && self.is_unchanged_for(SWEEP_INTERVAL)
    }

    fn is_unchanged_for(&self, time: Duration) -> bool {
        self.stall_detector.since.elapsed() >= time
    }

    async fn poll(&mut self, actors: &[ActorId]) -> anyhow::Result<Snapshot> {
        let depth = self.queues.total_depth().await?;
        // Not the depth: the sweeps change it.
        let mut seen = Vec::new();
        let mut records = Vec::new();
        for actor in actors {
            let record = self.store.actor(actor).await?.unwrap_or_default();
            seen.push(self.show(actor, &record).await?);
            records.push(record);
        }
        // A handler can retry only while the queues have messages.
        let is_outage = depth > 0 && records.iter().any(|record| record.outage().is_some());
        let now = Instant::now();
        self.stall_detector.note(seen, is_outage, now)?;
        if now.duration_since(self.stall_detector.since.max(self.swept_at)) >= SWEEP_INTERVAL {
            self.queues.send_body(Queue::Evaluation, SWEEP.to_owned(), Duration::ZERO).await?;
            self.swept_at = now;
        }
        Ok(Snapshot { depth, records })
    }

    /// Shows the progress of an actor, and returns it.
    async fn show(&mut self, actor: &ActorId, record: &ActorRecord) -> anyhow::Result<String> {
        let plan = match &record.active_plan {
            Some(plan_id) => self.store.plan(actor, plan_id).await?,
            None => None,
        };
        let (state, done, all) = match (record.status, plan) {
            (_, Some(plan)) if plan.is_under_way() => progress_of(&plan),
            (Status::Balanced, _) if !record.is_evaluation_pending() => ("balanced".to_owned(), 1, 1),
            (Status::NeedsAttention, _) => ("needs attention".to_owned(), 1, 1),
            (Status::Parked, _) => ("parked until there is money".to_owned(), 0, 1),
            _ if record.outage().is_some() => ("waiting for the vision service".to_owned(), 0, 1),
            _ if record.lease_until.is_some() => ("assessing images".to_owned(), 0, 1),
            _ => ("queued".to_owned(), 0, 1),
        };
        self.lines.show(actor.as_str(), &state, done, all);
        self.report_outage(actor, record);
        Ok(format!("{state} {done}"))
    }
}

/// Detects a stall: nothing has changed for [`STALLED_AFTER`].
struct StallDetector {
    seen: Vec<String>,
    since: Instant,
}

impl StallDetector {
    fn since(now: Instant) -> Self {
        Self { seen: Vec::new(), since: now }
    }

    /// Fails if nothing has changed for [`STALLED_AFTER`]. An outage is not a stall: the handler retries with
    /// increasing delays, and reports a failure when the outage lasts too long.
    fn note(&mut self, seen: Vec<String>, is_outage: bool, now: Instant) -> anyhow::Result<()> {
        if is_outage || seen != self.seen {
            *self = Self { seen, since: now };
        } else if now.duration_since(self.since) > STALLED_AFTER {
            bail!(
                "nothing has changed for {} minutes; run again with --logs DIR and read functions.log there",
                STALLED_AFTER.as_secs() / 60
            );
        }
        Ok(())
    }
}

/// Whether work on the set will continue by itself. A set that needs attention or is parked waits for the operator,
/// although its messages may be in a queue.
fn is_busy(record: &ActorRecord) -> bool {
    match record.status {
        Status::NeedsAttention | Status::Parked => false,
        Status::Balancing => true,
        Status::Waiting | Status::Balanced => record.is_evaluation_pending(),
    }
}

fn progress_of(plan: &Plan) -> (String, u64, u64) {
    let all = plan.slots.len() + plan.delete.len();
    let is_deleting = !plan.delete.is_empty() && matches!(plan.state, PlanState::Adopted | PlanState::Deleting);
    let deleted = if is_deleting { 0 } else { plan.delete.len() };
    let state = if is_deleting {
        format!("round {}: deleting {}", plan.round, images_in_words(plan.delete.len()))
    } else {
        format!("round {}: generated {} of {}", plan.round, plan.generated, plan.slots.len())
    };
    (state, deleted as u64 + u64::from(plan.generated), all as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parked_set_is_not_busy() {
        let uploaded = |status| ActorRecord { status, desired_revision: 1, ..ActorRecord::default() };
        let busy = [Status::Waiting, Status::Balancing, Status::Balanced].map(uploaded);
        assert!(busy.iter().all(is_busy));
        assert!([Status::Parked, Status::NeedsAttention].map(uploaded).iter().all(|record| !is_busy(record)));
    }

    #[test]
    fn stall_error_names_the_log_to_read() {
        let began = Instant::now();
        let mut stall_detector = StallDetector::since(began);
        let mut note = |state: &str, minutes: u64| {
            let (seen, now) = (vec!["1".to_owned(), state.to_owned()], began + Duration::from_secs(minutes * 60));
            stall_detector.note(seen, state == "outage", now)
        };
        let unchanged = [("waiting", 0), ("waiting", 5), ("assessing images", 6), ("assessing images", 11)];
        let outage = [("outage", 12), ("outage", 40), ("assessing images", 41)];
        for (state, minute) in unchanged.into_iter().chain(outage) {
            note(state, minute).unwrap();
        }
        let error = note("assessing images", 47).unwrap_err().to_string();
        assert!(error.contains("nothing has changed for 5 minutes") && error.contains("--logs"), "{error}");
    }
}
