//! How long a paid service that has a problem is waited for: about an hour, ever less often, before the message fails.
//!
//! What is kept is only since when: the pauses follow from it, each about as long as all before it together.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

const SHORTEST: Duration = Duration::from_secs(2);

/// The longest that SQS keeps a message back.
const LONGEST: Duration = Duration::from_secs(900);

/// After this long a person has to look.
const MAX_OUTAGE: SignedDuration = SignedDuration::from_hours(1);

/// What was noted longer ago belongs to another outage.
const FORGOTTEN: SignedDuration = SignedDuration::from_hours(3);

/// Since when the service has been unavailable, by what is noted of it.
pub(super) fn since(noted: Option<Timestamp>, now: Timestamp) -> Timestamp {
    noted.filter(|&noted| now.duration_since(noted) < FORGOTTEN).unwrap_or(now)
}

/// How long to wait before asking again, at least as long as is `asked` for; none if it has been waited for long enough.
pub(super) fn pause(since: Timestamp, now: Timestamp, asked: Option<Duration>) -> Option<Duration> {
    let waited = now.duration_since(since);
    let usual = waited.unsigned_abs().clamp(SHORTEST, LONGEST);
    (waited < MAX_OUTAGE).then(|| usual.max(asked.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pauses_double_and_end_after_an_hour() {
        let began = Timestamp::UNIX_EPOCH;
        let (mut now, mut pauses) = (began, Vec::new());
        while let Some(pause) = pause(since(Some(began), now), now, None) {
            pauses.push(pause.as_secs());
            now += SignedDuration::from_secs(pause.as_secs().cast_signed());
        }
        assert_eq!(pauses[..6], [2, 2, 4, 8, 16, 32]);
        assert!(pauses.len() < 20 && pauses.iter().all(|&pause| pause <= 900), "{pauses:?}");
        let waited = now.duration_since(began).as_mins();
        assert!((60..76).contains(&waited), "{waited} minutes");
    }

    #[test]
    fn a_pause_is_as_long_as_the_service_asks() {
        let now = Timestamp::UNIX_EPOCH;
        let asked = |seconds| pause(now, now, Some(Duration::from_secs(seconds))).map(|pause| pause.as_secs());
        assert_eq!((asked(37), asked(1)), (Some(37), Some(2)));
    }

    #[test]
    fn an_outage_of_this_morning_is_not_the_one_of_tonight() {
        let morning = Timestamp::UNIX_EPOCH;
        let at = |hours| morning + SignedDuration::from_hours(hours);
        assert_eq!((since(Some(morning), at(2)), since(Some(morning), at(4))), (morning, at(4)));
        assert_eq!(since(None, morning), morning);
    }
}
