//! The clock, which tests replace.

use std::sync::Arc;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// The longest retention of SQS messages.
const MESSAGE_RETENTION: SignedDuration = SignedDuration::from_hours(14 * 24);

/// The time of a message, unless it is outside SQS's retention: sample events have dates of other years.
pub(crate) fn plausible(time: Timestamp, now: Timestamp) -> Option<Timestamp> {
    (now.duration_since(time).abs() < MESSAGE_RETENTION).then_some(time)
}

#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl Clock {
    /// The system's clock.
    #[must_use]
    pub fn system() -> Self {
        Self(Arc::new(Timestamp::now))
    }

    /// A clock for tests.
    pub fn telling(tell: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self(Arc::new(tell))
    }

    /// The current day in UTC, by which budgets count.
    #[must_use]
    pub fn today(&self) -> Date {
        self.now().to_zoned(TimeZone::UTC).date()
    }

    /// The current time in whole milliseconds, as the table stores it.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        let now = (self.0)();
        Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
    }
}
