//! The heartbeat of a worker: it holds its messages and its leases while it works. Both run out soon after it dies, so
//! that another worker resumes its work within a minute.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicI64, Ordering};
use std::task::Poll;
use std::time::Duration;

use aws::store::Store;
use aws::store::leases::{LEASE_DURATION, Leased};
use jiff::Timestamp;
use tracing::warn;

use crate::{Clock, HandlerError};

/// How long messages stay invisible after a heartbeat: as long as a lease lasts.
pub const VISIBILITY: Duration = Duration::from_secs(LEASE_DURATION.as_secs().unsigned_abs());

/// The delay of a message while another worker holds the lease that it needs.
pub const LEASE_POLL: Duration = Duration::from_secs(5);

/// The interval of the heartbeat.
#[derive(Debug, Clone, Copy)]
pub struct Heartbeat(Duration);

impl Default for Heartbeat {
    /// Leases and messages outlast three missing heartbeats.
    fn default() -> Self {
        Self(VISIBILITY / 4)
    }
}

impl Heartbeat {
    /// A heartbeat with another interval, for tests.
    #[must_use]
    pub fn every(interval: Duration) -> Self {
        Self(interval)
    }

    #[must_use]
    pub fn interval(self) -> Duration {
        self.0
    }

    pub(crate) async fn beat(self) {
        tokio::time::sleep(self.0).await;
    }
}

/// A lease that a worker has just taken.
pub(crate) struct HeldLease<'a> {
    pub(crate) store: &'a Store,
    pub(crate) clock: &'a Clock,
    pub(crate) heartbeat: Heartbeat,
    pub(crate) leased: Leased<'a>,
    pub(crate) token: &'a str,
    pub(crate) taken_at: Timestamp,
}

impl HeldLease<'_> {
    /// Works under the lease, and extends it with each heartbeat. A worker that has stalled past the end of its lease
    /// verifies that it still holds it before it takes another step.
    ///
    /// # Errors
    /// [`HandlerError::Deferred`] at the first heartbeat after another worker has taken the lease, or after `work` itself
    /// has released it: then the next delivery finds what is left to do. `work` ends at its current step.
    pub(crate) async fn run<T>(&self, work: impl Future<Output = Result<T, HandlerError>>) -> Result<T, HandlerError> {
        let held_until = AtomicI64::new((self.taken_at + LEASE_DURATION).as_millisecond());
        let is_expired = || self.clock.now().as_millisecond() > held_until.load(Ordering::Relaxed);
        let beats = async {
            loop {
                self.heartbeat.beat().await;
                match self.extend(&held_until).await {
                    Ok(true) => {}
                    Ok(false) => return,
                    // The next heartbeat tries again.
                    Err(error) => warn!("the lease could not be extended: {error}"),
                }
            }
        };
        let (mut beats, mut work) = (pin!(beats), pin!(work));
        loop {
            tokio::select! {
                biased;
                () = poll_fn(|_| if is_expired() { Poll::Ready(()) } else { Poll::Pending }) => {
                    if !self.extend(&held_until).await? {
                        return Err(lost());
                    }
                }
                () = &mut beats => return Err(lost()),
                result = &mut work => return result,
            }
        }
    }

    async fn extend(&self, held_until: &AtomicI64) -> Result<bool, HandlerError> {
        let now = self.clock.now();
        let is_held = self.store.extend_lease(self.leased, self.token, now).await?;
        if is_held {
            held_until.store((now + LEASE_DURATION).as_millisecond(), Ordering::Relaxed);
        }
        Ok(is_held)
    }
}

fn lost() -> HandlerError {
    HandlerError::deferred("the lease has ended", LEASE_POLL)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dead_worker_is_replaced_within_a_minute() {
        // SQS delivers the message again, and a lease that was extended a little later delays it once more.
        assert!(VISIBILITY + LEASE_POLL * 2 < Duration::from_secs(60));
        assert!(Heartbeat::default().0 * 4 <= VISIBILITY);
    }
}
