//! Time that passes without anybody waiting for it.

use std::sync::Mutex;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};

/// How far a clock is put forward, and since when. It begins at noon, so that a day doesn't end by chance.
pub(super) struct Passing(Mutex<Vec<(Timestamp, SignedDuration)>>);

impl Passing {
    pub(super) fn from_noon() -> Self {
        let now = Timestamp::now();
        let tomorrow = now.to_zoned(TimeZone::UTC).start_of_day().unwrap() + 36.hours();
        Self(Mutex::new(vec![(now, tomorrow.timestamp().duration_since(now))]))
    }

    /// Puts the clock forward.
    pub(super) fn add(&self, time: SignedDuration) {
        let mut put_forward = self.0.lock().unwrap();
        let (_, before) = *put_forward.last().unwrap();
        put_forward.push((Timestamp::now(), before + time));
    }

    /// What the clock says.
    pub(super) fn now(&self) -> Timestamp {
        self.at(Timestamp::now())
    }

    /// What the clock said when it really was `moment`.
    pub(super) fn at(&self, moment: Timestamp) -> Timestamp {
        let put_forward = self.0.lock().unwrap();
        let by = put_forward.iter().rev().find(|(since, _)| *since <= moment).unwrap_or(&put_forward[0]).1;
        moment + by
    }
}
