//! A clock that tests advance, so that no test waits in real time.

use std::sync::Mutex;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};

/// The offsets of the clock from real time, each with the real time since which it applies. The clock starts at noon,
/// so that no test crosses midnight by chance.
pub(super) struct VirtualClock(Mutex<Vec<(Timestamp, SignedDuration)>>);

impl VirtualClock {
    pub(super) fn starting_at_noon() -> Self {
        let now = Timestamp::now();
        let tomorrow = now.to_zoned(TimeZone::UTC).start_of_day().unwrap() + 36.hours();
        Self(Mutex::new(vec![(now, tomorrow.timestamp().duration_since(now))]))
    }

    pub(super) fn advance(&self, time: SignedDuration) {
        let mut offsets = self.0.lock().unwrap();
        let (_, before) = *offsets.last().unwrap();
        offsets.push((Timestamp::now(), before + time));
    }

    pub(super) fn now(&self) -> Timestamp {
        self.at(Timestamp::now())
    }

    /// The virtual time at this moment of real time.
    pub(super) fn at(&self, moment: Timestamp) -> Timestamp {
        let offsets = self.0.lock().unwrap();
        let offset = offsets.iter().rev().find(|(since, _)| *since <= moment).unwrap_or(&offsets[0]).1;
        moment + offset
    }
}
