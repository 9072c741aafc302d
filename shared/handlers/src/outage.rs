//! Back-off during the outage of a paid service: about an hour with increasing delays, then the message fails.
//!
//! Only the beginning of the outage is stored. Each delay is about as long as all previous ones together.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

const MIN_DELAY: Duration = Duration::from_secs(2);

/// The longest delay of an SQS message.
const MAX_DELAY: Duration = Duration::from_secs(900);

const MAX_OUTAGE: SignedDuration = SignedDuration::from_hours(1);

/// A beginning longer ago than this belongs to an earlier outage.
const OUTAGE_MEMORY: SignedDuration = SignedDuration::from_hours(3);

/// The beginning of the current outage, given the recorded one.
pub(super) fn since(recorded: Option<Timestamp>, now: Timestamp) -> Timestamp {
    recorded.filter(|&recorded| now.duration_since(recorded) < OUTAGE_MEMORY).unwrap_or(now)
}

/// The delay before the next attempt, at least `retry_after`. `None` once the outage has lasted [`MAX_OUTAGE`].
pub(super) fn back_off(since: Timestamp, now: Timestamp, retry_after: Option<Duration>) -> Option<Duration> {
    let waited = now.duration_since(since);
    let usual = waited.unsigned_abs().clamp(MIN_DELAY, MAX_DELAY);
    (waited < MAX_OUTAGE).then(|| usual.max(retry_after.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn back_off_doubles_and_ends_after_an_hour() {
        let began = Timestamp::UNIX_EPOCH;
        let (mut now, mut delays) = (began, Vec::new());
        while let Some(delay) = back_off(since(Some(began), now), now, None) {
            delays.push(delay.as_secs());
            now += SignedDuration::from_secs(delay.as_secs().cast_signed());
        }
        assert_eq!(delays[..6], [2, 2, 4, 8, 16, 32]);
        assert!(delays.len() < 20 && delays.iter().all(|&delay| delay <= 900), "{delays:?}");
        let waited = now.duration_since(began).as_mins();
        assert!((60..76).contains(&waited), "{waited} minutes");
    }

    #[test]
    fn back_off_respects_the_requested_delay() {
        let now = Timestamp::UNIX_EPOCH;
        let requested = |seconds| back_off(now, now, Some(Duration::from_secs(seconds))).map(|delay| delay.as_secs());
        assert_eq!((requested(37), requested(1)), (Some(37), Some(2)));
    }

    #[test]
    fn old_outage_is_not_continued() {
        let morning = Timestamp::UNIX_EPOCH;
        let at = |hours| morning + SignedDuration::from_hours(hours);
        assert_eq!((since(Some(morning), at(2)), since(Some(morning), at(4))), (morning, at(4)));
        assert_eq!(since(None, morning), morning);
    }
}
