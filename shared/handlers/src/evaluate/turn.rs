//! Decides whether a message starts an evaluation now, later, or not at all.

use std::time::Duration;

use aws::store::Store;
use aws::store::actors::ActorRecord;
use domain::actor::ActorId;
use domain::messages::{Cause, EvaluationCommand};
use domain::plan::{Origin, Plan};
use jiff::Timestamp;

use crate::HandlerError;

/// The delay of a manual request while a plan runs that doesn't cover it.
const PLAN_POLL: Duration = Duration::from_secs(30);

/// A message evaluates a continuous stream of uploads when it is as old as this many quiet periods, and uploads delay the
/// adoption of a plan by at most as many.
const MAX_QUIET_PERIODS: u32 = 10;

pub(super) enum Turn {
    /// The evaluation starts. It continues the actor's series of rounds, or starts a new one.
    Now { continues: bool },
    /// Earlier evaluations have observed everything.
    NothingNew,
    /// The message must wait, for this reason and this long.
    Later(&'static str, Duration),
    /// The completion of the running plan triggers the evaluation.
    AfterPlan,
}

/// What determines the turn of a message.
pub(super) struct Request<'a> {
    pub(super) command: &'a EvaluationCommand,
    /// The actor's record, with the revision that the request has raised.
    pub(super) record: &'a ActorRecord,
    /// Whether a verdict has answered the request.
    pub(super) is_answered: bool,
    /// How long ago the message was sent first.
    pub(super) age: Duration,
}

impl Request<'_> {
    /// The turn of the message.
    pub(super) async fn turn(&self, store: &Store, now: Timestamp, quiet: Duration) -> Result<Turn, HandlerError> {
        let Self { command, record, is_answered, .. } = *self;
        if let Some(plan) = running_plan(store, &command.actor_id, record).await? {
            if is_answered || !command.force && command.is_answered_after_plan_of(plan.scope) {
                return Ok(Turn::AfterPlan);
            }
            if !command.force {
                return Ok(Turn::Later("a plan is running", PLAN_POLL));
            }
        }
        match &command.cause {
            // Later events may still be pending.
            _ if is_answered => Ok(self.turn_of_pending(now, quiet)),
            Cause::Manual => Ok(Turn::Now { continues: false }),
            Cause::PlanDone(plan_id) => self.turn_after_plan(store, plan_id, now, quiet).await,
            Cause::Uploads | Cause::Changed | Cause::Resume => Ok(self.turn_of_pending(now, quiet)),
        }
    }

    /// A plan stays active until an evaluation has reviewed its result. If this plan is no longer active, an earlier
    /// delivery of the message was interrupted after its verdict; another evaluation would grant the set new rounds.
    async fn turn_after_plan(
        &self,
        store: &Store,
        plan_id: &str,
        now: Timestamp,
        quiet: Duration,
    ) -> Result<Turn, HandlerError> {
        let is_active = self.record.active_plan.as_deref() == Some(plan_id);
        let awaits_review = match store.plan(&self.command.actor_id, plan_id).await? {
            Some(plan) => plan.state.is_open() && (is_active || plan.origin == Origin::Manual),
            None => false,
        };
        if !awaits_review {
            return Ok(self.turn_of_pending(now, quiet));
        }
        Ok(Turn::Now { continues: is_active && !self.record.is_evaluation_pending() })
    }

    /// The turn of the pending revision.
    fn turn_of_pending(&self, now: Timestamp, quiet: Duration) -> Turn {
        if !self.record.is_evaluation_pending() {
            return Turn::NothingNew;
        }
        match remaining_wait(self.record.changed_at, self.age, now, quiet) {
            Some(wait) => Turn::Later("uploads are still arriving", wait),
            None => Turn::Now { continues: false },
        }
    }
}

async fn running_plan(store: &Store, actor: &ActorId, record: &ActorRecord) -> Result<Option<Plan>, HandlerError> {
    let Some(plan_id) = &record.active_plan else { return Ok(None) };
    Ok(store.plan(actor, plan_id).await?.filter(Plan::is_under_way))
}

/// The time until uploads have paused for `quiet`, or the message is overdue.
fn remaining_wait(changed_at: Option<Timestamp>, age: Duration, now: Timestamp, quiet: Duration) -> Option<Duration> {
    let since_change = changed_at.map_or(quiet, |at| Duration::try_from(now.duration_since(at)).unwrap_or_default());
    let until_overdue = (quiet * MAX_QUIET_PERIODS).saturating_sub(age);
    Some(quiet.saturating_sub(since_change).min(until_overdue)).filter(|wait| !wait.is_zero())
}

/// Whether a wait of this age exceeds [`MAX_QUIET_PERIODS`].
pub(super) fn is_overdue(age: Duration, quiet: Duration) -> bool {
    age >= quiet * MAX_QUIET_PERIODS
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUIET: Duration = Duration::from_secs(20);

    fn wait(changed: i64, age: u64, now: i64) -> Option<u64> {
        let at = |second: i64| Timestamp::from_second(1_000_000 + second).unwrap();
        remaining_wait(Some(at(changed)), Duration::from_secs(age), at(now), QUIET).map(|wait| wait.as_secs())
    }

    #[test]
    fn uploads_wait_until_quiet() {
        assert_eq!(wait(15, 20, 20), Some(15));
        assert_eq!(wait(15, 35, 35), None);
    }

    #[test]
    fn continuous_uploads_wait_ten_quiet_periods() {
        assert_eq!(wait(190, 190, 190), Some(10));
        assert_eq!(wait(199, 200, 200), None);
        assert!(!is_overdue(Duration::from_secs(199), QUIET) && is_overdue(Duration::from_secs(200), QUIET));
    }

    #[test]
    fn slow_clock_does_not_extend_the_wait() {
        assert_eq!(wait(10, 0, 5), Some(20));
    }
}
