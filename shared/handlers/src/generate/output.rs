//! Fetches an image that is generated and paid for: the handler fetches its output again, in this delivery or a later
//! one, before it pays for another image.

use std::time::Duration;

use aws::store::slots::SlotRecord;
use domain::budget::Settlement;
use domain::disposition::Disposition;
use domain::lifecycle::slot::SlotEvent;
use jiff::{SignedDuration, Timestamp};
use providers::generator::{Service, ServiceError};
use tracing::warn;

use super::{Generation, Job};
use crate::HandlerError;

/// Fetches without an image after which the attempt has failed.
const MAX_FETCHES: u32 = 5;

/// The delay before the second fetch. Each further delay is four times as long.
const FIRST_PAUSE: Duration = Duration::from_secs(2);

/// The longest delay of an SQS message.
const LONGEST_PAUSE: Duration = Duration::from_secs(900);

/// How long after its creation an output may still appear at its address: a prediction runs for half an hour at most,
/// and Replicate keeps its output for an hour.
const OUTPUT_LASTS: SignedDuration = SignedDuration::from_mins(90);

impl Generation {
    /// Fetches the output of a prediction that is known since `since`, and stages it.
    pub(super) async fn fetch<S: Service>(
        &self,
        job: Job<'_>,
        record: &SlotRecord,
        since: Timestamp,
        service: &S,
        output: &str,
    ) -> Result<(), HandlerError> {
        match service.fetch(output).await {
            Ok(Some(bytes)) => self.stage(job, record, bytes).await,
            Ok(None) if self.clock.now().duration_since(since) < OUTPUT_LASTS => Err(self.defer_fetch(job, since)),
            Ok(None) => self.try_again(job, record, Settlement::Paid, "its output has been removed").await,
            Err(error) if error.is_damaged_output() => {
                self.fetch_again(job, record, &ServiceError::of::<S>(error).to_string()).await
            }
            Err(error) if error.disposition() == Disposition::Permanent => {
                let reason = ServiceError::of::<S>(error).to_string();
                self.try_again(job, record, Settlement::Paid, &reason).await
            }
            Err(error) => Err(self.defer_or_fail::<S>(job, record, error).await?),
        }
    }

    /// Polls the prediction and its output once more, later. After [`MAX_FETCHES`] the attempt has failed and counts as
    /// paid.
    pub(super) async fn fetch_again(
        &self,
        job: Job<'_>,
        record: &SlotRecord,
        reason: &str,
    ) -> Result<(), HandlerError> {
        if record.progress.fetches + 1 >= MAX_FETCHES {
            return self.try_again(job, record, Settlement::Paid, reason).await;
        }
        self.note_and_fetch_later(job, record, reason).await
    }

    /// A missing output uses up none of the fetches that a damaged one has: [`OUTPUT_LASTS`] limits this wait, whose
    /// pauses double because each lasts as long as everything before it.
    fn defer_fetch(&self, job: Job<'_>, since: Timestamp) -> HandlerError {
        let waited = Duration::try_from(self.clock.now().duration_since(since)).unwrap_or_default();
        let pause = waited.clamp(FIRST_PAUSE, LONGEST_PAUSE);
        warn!(actor = %job.actor, slot_id = job.slot.slot_id, seconds = pause.as_secs(), "output missing");
        HandlerError::deferred("its output is missing, and is fetched again", pause)
    }

    async fn note_and_fetch_later(&self, job: Job<'_>, record: &SlotRecord, reason: &str) -> Result<(), HandlerError> {
        warn!(actor = %job.actor, slot_id = job.slot.slot_id, fetches = record.progress.fetches + 1, reason, "fetching again");
        self.store.advance_slot(job.name(), record, &SlotEvent::FetchFailed).await?;
        Err(HandlerError::deferred(
            format!("its output is fetched again: {reason}"),
            pause_after(record.progress.fetches),
        ))
    }
}

/// The delay after this many fetches without an image.
fn pause_after(fetches: u32) -> Duration {
    FIRST_PAUSE.saturating_mul(4_u32.saturating_pow(fetches)).min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_between_fetches_grow_up_to_sqs_limit() {
        let pauses: Vec<u64> = (0..7).map(|fetches| pause_after(fetches).as_secs()).collect();
        assert_eq!(pauses, [2, 8, 32, 128, 512, 900, 900]);
        assert_eq!(pause_after(u32::MAX), LONGEST_PAUSE);
    }
}
