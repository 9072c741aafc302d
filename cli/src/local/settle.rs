//! Waiting until every actor's set is as it should be, or needs a person.

use std::time::{Duration, Instant};

use anyhow::bail;
use balancer::adapters::queues::Queues;
use balancer::adapters::store::Store;
use balancer::adapters::store::actors::{ActorRecord, Status};
use balancer::domain::actor::ActorId;
use balancer::domain::plan::Plan;

use super::proposal::ActorProposal;
use crate::progress::Board;

/// How often the table is looked at.
const POLL: Duration = Duration::from_millis(150);

/// When to stop waiting: no step takes as long, not even one that is repeated after a failure.
const STANDSTILL: Duration = Duration::from_secs(5 * 60);

/// Waits until no message is left and every actor is settled. Shows what each is at.
///
/// # Errors
/// If the stack can't be asked.
pub async fn settle(store: &Store, queues: &Queues, actors: &[ActorId]) -> anyhow::Result<()> {
    let mut board = Board::new();
    // Between two messages of a chain the queues may be empty for a moment: settled is what is so twice.
    let mut times_settled = 0;
    let mut last_seen = (Vec::new(), Instant::now());
    while times_settled < 2 {
        let depth = queues.total_depth().await?;
        let mut seen = vec![depth.to_string()];
        let (mut is_settled, mut is_parked) = (true, false);
        for actor in actors {
            let record = store.actor(actor).await?.unwrap_or_default();
            is_settled &= !is_busy(&record);
            is_parked |= record.status == Status::Parked;
            seen.push(show(&mut board, store, actor, &record).await?);
        }
        // The messages of parked work come back again and again until there is money.
        is_settled &= depth == 0 || is_parked;
        times_settled = if is_settled { times_settled + 1 } else { 0 };
        if seen != last_seen.0 {
            last_seen = (seen, Instant::now());
        } else if last_seen.1.elapsed() > STANDSTILL {
            bail!(
                "nothing has happened for {} minutes; run again with --logs DIR and read functions.log there",
                STANDSTILL.as_secs() / 60
            );
        }
        tokio::time::sleep(POLL).await;
    }
    board.clear();
    Ok(())
}

/// A set that was given up keeps its messages in a dead-letter queue; whatever else is unfinished is busy.
fn is_busy(record: &ActorRecord) -> bool {
    record.status != Status::NeedsAttention && (record.pending_since.is_some() || record.status == Status::Balancing)
}

/// Shows what an actor is at, and returns it.
async fn show(board: &mut Board, store: &Store, actor: &ActorId, record: &ActorRecord) -> anyhow::Result<String> {
    let plan = match &record.active_plan {
        Some(plan_id) => store.plan(actor, plan_id).await?,
        None => None,
    };
    let (state, done, all) = match (record.status, plan) {
        (_, Some(plan)) if plan.is_under_way() => progress_of(&plan),
        (Status::Balanced, _) if record.pending_since.is_none() => ("balanced".to_owned(), 1, 1),
        (Status::NeedsAttention, _) => ("needs attention".to_owned(), 1, 1),
        _ if record.lease_until.is_some() => ("judging images".to_owned(), 0, 1),
        _ => ("waiting".to_owned(), 0, 1),
    };
    board.show(actor.as_str(), &state, done, all);
    Ok(format!("{state} {done}"))
}

fn progress_of(plan: &Plan) -> (String, u64, u64) {
    let all = plan.slots.len() + plan.delete.len();
    let deleted = if plan.deletions_done { plan.delete.len() } else { 0 };
    let state = if plan.deletions_done || plan.delete.is_empty() {
        format!("round {}: {} of {} images made", plan.round, plan.generated, plan.slots.len())
    } else {
        format!("round {}: deleting {} images", plan.round, plan.delete.len())
    };
    (state, deleted as u64 + u64::from(plan.generated), all as u64)
}

/// The last dry run of each actor, or what keeps a person from having one, as soon as every actor has either.
///
/// # Errors
/// If the stack can't be asked.
pub async fn dry_runs(store: &Store, actors: &[ActorId]) -> anyhow::Result<Vec<ActorProposal>> {
    let mut proposals = Vec::new();
    for actor in actors {
        loop {
            if let Some(plan) = store.plans(actor).await?.pop() {
                proposals.push(ActorProposal::of_plan(actor.clone(), plan));
                break;
            }
            let record = store.actor(actor).await?.unwrap_or_default();
            if record.status == Status::NeedsAttention {
                proposals.push(ActorProposal::none(actor.clone(), record.reason.unwrap_or_default()));
                break;
            }
            tokio::time::sleep(POLL).await;
        }
    }
    Ok(proposals)
}
