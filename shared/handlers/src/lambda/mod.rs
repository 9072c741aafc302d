//! Runs a handler as a Lambda function: receives batches of SQS messages and answers each message by itself.

mod dead_letter;
mod subject;

use std::time::{Duration, Instant};

use aws::metrics::Metric;
use aws::queues::Queues;
use aws::store::Store;
use aws::store::rejections::Rejection;
use aws_lambda_events::event::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};
use futures::{StreamExt, stream};
use jiff::Timestamp;
use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use tracing::{Instrument, error, info, info_span, warn};

use crate::clock::plausible;
use crate::panics::{Panicked, caught};
use crate::{Clock, Handler, HandlerError, Message};
use dead_letter::DeadLetter;
use subject::Subject;

/// Deliveries of a message before it moves to the dead-letter queue: the template's `maxReceiveCount`.
pub const MAX_DELIVERIES: u32 = 5;

/// Messages of a batch that are processed at the same time.
pub const MAX_CONCURRENT_MESSAGES: usize = 4;

/// A handler with the services that answering its messages needs.
#[derive(Clone)]
pub struct Worker<H> {
    pub handler: H,
    pub store: Store,
    pub queues: Queues,
    pub clock: Clock,
}

/// Answers Lambda's invocations until the process ends.
///
/// # Errors
/// If the Lambda runtime can't be reached.
pub async fn run<H: Handler>(worker: Worker<H>) -> Result<(), lambda_runtime::Error> {
    let worker = &worker;
    lambda_runtime::run(service_fn(|event: LambdaEvent<SqsEvent>| caught(worker.process_batch(event.payload)))).await
}

impl From<Panicked> for Diagnostic {
    /// The answer to Lambda after a panic outside the handlers. By default the runtime would report the name of a Rust
    /// type.
    fn from(panicked: Panicked) -> Self {
        Self { error_type: "Panic".to_owned(), error_message: panicked.to_string() }
    }
}

impl<H: Handler> Worker<H> {
    /// Processes a batch. SQS deletes the messages that the response doesn't list: they were handled, deferred or
    /// rejected. It delivers the listed ones again.
    pub async fn process_batch(&self, batch: SqsEvent) -> SqsBatchResponse {
        let failures = stream::iter(batch.records)
            .map(|record| async move {
                let id = record.message_id.clone().unwrap_or_default();
                let subject = Subject::of(record.body.as_deref().unwrap_or_default());
                // The handler records the fields that are empty here, once it knows them.
                let span = info_span!(
                    "message",
                    message_id = id,
                    attempt = deliveries(&record),
                    actor = subject.actor_id,
                    plan = subject.plan_id,
                    slot = subject.slot_id
                );
                let is_done = self.answer(&record).instrument(span).await;
                (!is_done).then_some(id)
            })
            .buffer_unordered(MAX_CONCURRENT_MESSAGES)
            .filter_map(async |failure| failure)
            .map(|item_identifier| {
                let mut failure = BatchItemFailure::default();
                failure.item_identifier = item_identifier;
                failure
            })
            .collect()
            .await;
        let mut response = SqsBatchResponse::default();
        response.batch_item_failures = failures;
        response
    }

    /// Handles one message. Returns `false` if SQS must deliver it again.
    async fn answer(&self, record: &SqsMessage) -> bool {
        let body = record.body.as_deref().unwrap_or_default();
        let id = record.message_id.as_deref().unwrap_or_default();
        let began = Instant::now();
        // A panic fails this message only, not the rest of the batch.
        let message = Message { id, body, sent_at: sent_at(record, &self.clock) };
        let handled = caught(self.handler.handle(message)).await.unwrap_or_else(|panic| Err(panic.into()));
        Metric::HandlerSeconds(H::QUEUE.name(), began.elapsed()).emit();
        let answered = match handled {
            Ok(()) => Ok(()),
            Err(HandlerError::Rejected(reason)) => self.reject(id, body, reason).await,
            Err(HandlerError::Deferred { reason, after }) => {
                info!(reason, seconds = after.as_secs(), "deferred");
                // A fresh copy, because waiting must not use up the message's deliveries.
                self.queues.send_body(H::QUEUE, body.to_owned(), after).await.map_err(HandlerError::from)
            }
            Err(failed) => Err(failed),
        };
        if let Err(failure) = &answered {
            self.fail(record, failure).await;
        }
        answered.is_ok()
    }

    async fn reject(&self, id: &str, body: &str, reason: String) -> Result<(), HandlerError> {
        warn!(reason, "rejected");
        Metric::Rejected.emit();
        Ok(self.store.reject(&Rejection::new(self.clock.now(), H::QUEUE.name(), id, reason, body)).await?)
    }

    /// Logs the failure and shortens the message's visibility timeout. After the last delivery it records the failure
    /// in the actor's status. An error here is only logged, because SQS delivers the message again in any case.
    async fn fail(&self, record: &SqsMessage, failure: &HandlerError) {
        let delivery = deliveries(record);
        error!(delivery, "failed: {failure}");
        if let Err(error) = self.follow_up(record, failure, delivery).await {
            warn!("the failure could not be followed up: {error}");
        }
    }

    async fn follow_up(&self, record: &SqsMessage, failure: &HandlerError, delivery: u32) -> Result<(), HandlerError> {
        let mut back_off = retry_after(delivery);
        if delivery >= MAX_DELIVERIES {
            let dead_letter = DeadLetter {
                store: &self.store,
                queue: H::QUEUE,
                subject: Subject::of(record.body.as_deref().unwrap_or_default()),
                sent_at: sent_at(record, &self.clock),
            };
            dead_letter.report_to_actor(failure, self.clock.now()).await?;
            // On the next receive, SQS moves the message to the dead-letter queue instead of delivering it.
            back_off = Duration::ZERO;
        }
        let handle = record.receipt_handle.as_deref().unwrap_or_default();
        Ok(self.queues.return_after(H::QUEUE, handle, back_off).await?)
    }
}

/// The number of deliveries of the message, including this one.
fn deliveries(record: &SqsMessage) -> u32 {
    record.attributes.get("ApproximateReceiveCount").and_then(|count| count.parse().ok()).unwrap_or(1)
}

/// The time at which SQS received the message, if it is plausible.
fn sent_at(record: &SqsMessage, clock: &Clock) -> Option<Timestamp> {
    let milliseconds = record.attributes.get("SentTimestamp")?.parse().ok()?;
    plausible(Timestamp::from_millisecond(milliseconds).ok()?, clock.now())
}

/// The back-off after a failed delivery: 2, 4, 8, 16 seconds.
fn retry_after(delivery: u32) -> Duration {
    Duration::from_secs(1 << delivery.min(4))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn implausible_sent_timestamp_is_ignored() {
        let clock = Clock::telling(|| "2026-03-20T12:00:00Z".parse().unwrap());
        let sent = |time: &str| {
            let milliseconds =
                time.parse::<Timestamp>().map_or_else(|_| time.to_owned(), |at| at.as_millisecond().to_string());
            let mut record = SqsMessage::default();
            record.attributes.insert("SentTimestamp".to_owned(), milliseconds);
            sent_at(&record, &clock)
        };
        assert_eq!(sent("2026-03-10T12:00:00Z"), Some("2026-03-10T12:00:00Z".parse().unwrap()));
        for other in ["2018-04-09T00:00:00Z", "2027-04-09T00:00:00Z", "yesterday", ""] {
            assert_eq!(sent(other), None, "{other}");
        }
        assert_eq!(sent_at(&SqsMessage::default(), &clock), None);
    }

    #[test]
    fn failed_message_is_retried_with_growing_back_off() {
        let pauses: Vec<u64> = (1..MAX_DELIVERIES).map(|delivery| retry_after(delivery).as_secs()).collect();
        assert_eq!(pauses, [2, 4, 8, 16]);
    }
}
