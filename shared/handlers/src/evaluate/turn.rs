//! Decides whether a message starts an evaluation now, later, or not at all.

use std::time::Duration;

use aws::store::Store;
use aws::store::actors::ActorRecord;
use domain::actor::ActorId;
use domain::messages::{Cause, EvaluationCommand, Mode};
use domain::plan::{Origin, Plan, is_created_for};
use jiff::Timestamp;

use crate::{HandlerError, Message};

/// The delay of a manual request while a plan runs that doesn't cover it.
const PLAN_POLL: Duration = Duration::from_secs(30);

/// A continuous stream of uploads is evaluated after this many quiet periods, and delays the adoption of a plan by at
/// most as many.
const MAX_QUIET_PERIODS: u32 = 10;

pub(super) enum Turn {
    /// The evaluation starts. It continues the actor's series of rounds, or starts a new one.
    Now { continues: bool },
    /// Earlier evaluations have seen everything.
    NothingNew,
    /// The message must wait, for this reason and this long.
    Later(&'static str, Duration),
    /// The completion of the running plan triggers the evaluation.
    AfterPlan,
}

/// The turn of a message.
pub(super) async fn of(
    store: &Store,
    command: &EvaluationCommand,
    record: &ActorRecord,
    message: Message<'_>,
    now: Timestamp,
    quiet: Duration,
) -> Result<Turn, HandlerError> {
    let is_answered = is_answered(command, record, message.sent_at);
    if let Some(plan) = running_plan(store, &command.actor_id, record).await? {
        let is_own = is_created_for(&plan.plan_id, message.id);
        if is_answered || is_own || !command.force && command.is_answered_after_plan_of(plan.scope) {
            return Ok(Turn::AfterPlan);
        }
        if !command.force {
            return Ok(Turn::Later("a plan is running", PLAN_POLL));
        }
    }
    match &command.cause {
        // Later uploads may still be pending.
        _ if is_answered => Ok(of_uploads(record, now, quiet)),
        Cause::Manual => Ok(Turn::Now { continues: false }),
        Cause::PlanDone(plan_id) => after_plan(store, &command.actor_id, record, plan_id, now, quiet).await,
        Cause::Uploads => Ok(of_uploads(record, now, quiet)),
    }
}

/// A plan stays active until an evaluation has reviewed its result. If this plan is no longer active, an earlier
/// delivery of the message was interrupted after its verdict; another evaluation would grant the set new rounds.
async fn after_plan(
    store: &Store,
    actor: &ActorId,
    record: &ActorRecord,
    plan_id: &str,
    now: Timestamp,
    quiet: Duration,
) -> Result<Turn, HandlerError> {
    let is_active = record.active_plan.as_deref() == Some(plan_id);
    let awaits_review = match store.plan(actor, plan_id).await? {
        Some(plan) => plan.state.is_open() && (is_active || plan.origin == Origin::Manual),
        None => false,
    };
    if !awaits_review {
        return Ok(of_uploads(record, now, quiet));
    }
    Ok(Turn::Now { continues: is_active && record.pending_since.is_none() })
}

async fn running_plan(store: &Store, actor: &ActorId, record: &ActorRecord) -> Result<Option<Plan>, HandlerError> {
    let Some(plan_id) = &record.active_plan else { return Ok(None) };
    Ok(store.plan(actor, plan_id).await?.filter(Plan::is_under_way))
}

/// Whether an evaluation that began after the message was sent has reached a verdict on everything that the message
/// requests. Without this check, a repeated or late message would grant a suspended set new rounds.
fn is_answered(command: &EvaluationCommand, record: &ActorRecord, sent_at: Option<Timestamp>) -> bool {
    let is_open = match &command.cause {
        // The record tells whether uploads are pending.
        Cause::Uploads => true,
        // Every verdict replaces the active plan.
        Cause::PlanDone(plan_id) => record.active_plan.as_ref() == Some(plan_id),
        // A dry run leaves no verdict.
        Cause::Manual => command.mode == Mode::DryRun,
    };
    if is_open {
        return false;
    }
    let evaluated_at = record.evaluated_in(command.scope);
    sent_at.zip(evaluated_at).is_some_and(|(sent, evaluated)| sent < evaluated)
}

/// The turn of the pending uploads.
fn of_uploads(record: &ActorRecord, now: Timestamp, quiet: Duration) -> Turn {
    match (record.pending_since, record.pending_last) {
        (Some(since), Some(last)) => match remaining_wait(since, last, now, quiet) {
            Some(wait) => Turn::Later("uploads are still arriving", wait),
            None => Turn::Now { continues: false },
        },
        _ => Turn::NothingNew,
    }
}

/// The time until uploads have paused for `quiet`, or have waited [`MAX_QUIET_PERIODS`].
fn remaining_wait(since: Timestamp, last: Timestamp, now: Timestamp, quiet: Duration) -> Option<Duration> {
    let until_quiet = quiet.saturating_sub(passed(last, now));
    let until_overdue = (quiet * MAX_QUIET_PERIODS).saturating_sub(passed(since, now));
    Some(until_quiet.min(until_overdue)).filter(|wait| !wait.is_zero())
}

/// Whether [`MAX_QUIET_PERIODS`] have passed.
pub(super) fn is_overdue(since: Timestamp, now: Timestamp, quiet: Duration) -> bool {
    passed(since, now) >= quiet * MAX_QUIET_PERIODS
}

fn passed(since: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(now.duration_since(since)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUIET: Duration = Duration::from_secs(20);

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_000_000 + second).unwrap()
    }

    #[test]
    fn uploads_wait_until_quiet() {
        assert_eq!(remaining_wait(at(0), at(15), at(20), QUIET), Some(Duration::from_secs(15)));
        assert_eq!(remaining_wait(at(0), at(15), at(35), QUIET), None);
    }

    #[test]
    fn continuous_uploads_wait_ten_quiet_periods() {
        assert_eq!(remaining_wait(at(0), at(190), at(190), QUIET), Some(Duration::from_secs(10)));
        assert_eq!(remaining_wait(at(0), at(199), at(200), QUIET), None);
        assert!(!is_overdue(at(0), at(199), QUIET) && is_overdue(at(0), at(200), QUIET));
    }

    #[test]
    fn slow_clock_does_not_extend_the_wait() {
        assert_eq!(remaining_wait(at(10), at(10), at(5), QUIET), Some(QUIET));
    }
}
