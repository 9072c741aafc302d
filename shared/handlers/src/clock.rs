//! The clock.

use std::sync::Arc;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// SQS keeps no message for longer.
const MESSAGE_RETENTION: SignedDuration = SignedDuration::from_hours(14 * 24);

/// The time that a message contains, unless SQS can't have kept the message since: sample events have dates of other years.
pub(crate) fn plausible(time: Timestamp, now: Timestamp) -> Option<Timestamp> {
    (now.duration_since(time).abs() < MESSAGE_RETENTION).then_some(time)
}

/// Tells the time; tests tell it what the time is.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl Clock {
    /// The real time.
    #[must_use]
    pub fn system() -> Self {
        Self(Arc::new(Timestamp::now))
    }

    /// Whatever `tell` says.
    pub fn telling(tell: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self(Arc::new(tell))
    }

    /// The day by UTC, which is what budgets are counted by.
    #[must_use]
    pub fn today(&self) -> Date {
        self.now().to_zoned(TimeZone::UTC).date()
    }

    /// What the time is, in whole milliseconds, which is how it is stored.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        let now = (self.0)();
        Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
    }
}
