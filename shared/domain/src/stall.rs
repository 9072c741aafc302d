//! When the work on an actor counts as stalled: its messages were probably lost.

use jiff::{SignedDuration, Timestamp};

/// How long parked work may show no progress: the retention of messages. Its messages poll the budget, and leave no
/// other trace.
const PARKED_STALLED_AFTER: SignedDuration = SignedDuration::from_hours(14 * 24);

/// Unfinished work on an actor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Work {
    /// The last sign of progress. The end of a lease counts as one, also if it lies in the future: its worker may still
    /// be at work.
    pub last_progress_at: Timestamp,
    /// Whether the work waits for money.
    pub is_parked: bool,
}

/// Whether a sweep resumes the work now. `swept_at` is the time at which the last one did.
///
/// Resuming repeats messages that are not lost, but only wait. So each further sweep waits twice as long for progress
/// as the one before.
#[must_use]
pub fn is_stalled(work: Work, swept_at: Option<Timestamp>, now: Timestamp, stalled_after: SignedDuration) -> bool {
    let patience = if work.is_parked { PARKED_STALLED_AFTER.max(stalled_after) } else { stalled_after };
    let waited = now.duration_since(work.last_progress_at);
    let waited_at_sweep = swept_at.map(|swept| swept.duration_since(work.last_progress_at));
    waited >= patience && waited_at_sweep.is_none_or(|before| waited >= before.max(SignedDuration::ZERO) * 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minute)
    }

    fn is_stalled_at(minute: i64, swept: Option<i64>, is_parked: bool) -> bool {
        let work = Work { last_progress_at: at(100), is_parked };
        is_stalled(work, swept.map(at), at(minute), SignedDuration::from_mins(10))
    }

    #[test]
    fn work_without_progress_stalls() {
        assert!(!is_stalled_at(109, None, false) && is_stalled_at(110, None, false));
    }

    #[test]
    fn lease_that_ends_in_the_future_is_progress() {
        assert!(!is_stalled_at(99, None, false) && !is_stalled_at(-1000, None, false));
    }

    #[test]
    fn each_sweep_waits_twice_as_long_as_the_last() {
        let mut swept = None;
        let sweeps = (100..1000).filter(|&minute| {
            let is_due = is_stalled_at(minute, swept, false);
            swept = if is_due { Some(minute) } else { swept };
            is_due
        });
        assert_eq!(sweeps.collect::<Vec<_>>(), [110, 120, 140, 180, 260, 420, 740]);
    }

    #[test]
    fn sweep_before_the_last_progress_does_not_count() {
        assert!(is_stalled_at(110, Some(90), false));
    }

    #[test]
    fn parked_work_stalls_after_the_retention_of_messages() {
        let retention = 14 * 24 * 60;
        assert!(!is_stalled_at(99 + retention, None, true) && is_stalled_at(100 + retention, None, true));
    }
}
