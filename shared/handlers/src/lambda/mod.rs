//! Runs a handler as a Lambda function: receives batches of SQS messages and answers each message by itself.

mod dead_letter;
mod held_messages;
mod identity;
mod subject;

use std::time::{Duration, Instant};

use aws::metrics::Metric;
use aws::queues::{Queues, Request};
use aws::store::Store;
use aws::store::rejections::Rejection;
use aws_lambda_events::event::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};
use futures::{StreamExt, stream};
use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use tracing::{Instrument, error, info, info_span, warn};

use crate::heartbeat::Heartbeat;
use crate::panics::{Panicked, caught};
use crate::{Clock, Handler, HandlerError, Message};
use dead_letter::DeadLetter;
use held_messages::HeldMessages;
use identity::request_of;
use subject::Subject;

/// Deliveries of a message before it moves to the dead-letter queue: the template's `maxReceiveCount`.
pub const MAX_DELIVERIES: u32 = 5;

/// Messages of a batch that are processed at the same time.
pub const MAX_CONCURRENT_MESSAGES: usize = 4;

/// The longest deferral that leaves no mark. A longer one counts as progress until its copy arrives: `balancer local`
/// counts work as stalled after this time, and its sweep would send the message again. Shorter deferrals are frequent, and
/// cost no write.
const LONGEST_UNMARKED_DEFERRAL: Duration = Duration::from_secs(30);

/// A handler with the services that answering its messages needs.
#[derive(Clone)]
pub struct Worker<H> {
    pub handler: H,
    pub store: Store,
    pub queues: Queues,
    pub heartbeat: Heartbeat,
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
    /// Processes a batch, and holds its messages meanwhile. SQS deletes the messages that the response doesn't list:
    /// they were handled, deferred or rejected. It delivers the listed ones again.
    pub async fn process_batch(&self, batch: SqsEvent) -> SqsBatchResponse {
        let handles = batch.records.iter().filter_map(|record| record.receipt_handle.clone()).collect();
        let held = HeldMessages::new(&self.queues, H::QUEUE, handles);
        held.hold().await;
        tokio::select! {
            never = held.keep_holding(self.heartbeat) => match never {},
            response = self.process_held(batch, &held) => response,
        }
    }

    async fn process_held(&self, batch: SqsEvent, held: &HeldMessages<'_>) -> SqsBatchResponse {
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
                let is_done = self.answer(&record, held).instrument(span).await;
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
    async fn answer(&self, record: &SqsMessage, held: &HeldMessages<'_>) -> bool {
        let body = record.body.as_deref().unwrap_or_default();
        let id = record.message_id.as_deref().unwrap_or_default();
        let began = Instant::now();
        // A panic fails this message only, not the rest of the batch.
        let request = request_of(record, &self.clock);
        let message = Message { request_id: &request.id, body, first_sent_at: request.first_sent_at };
        let handled = caught(self.handler.handle(message)).await.unwrap_or_else(|panic| Err(panic.into()));
        Metric::HandlerSeconds(H::QUEUE.name(), began.elapsed()).emit();
        let answered = match handled {
            Ok(()) => Ok(()),
            Err(HandlerError::Rejected(reason)) => self.reject(id, body, reason).await,
            Err(HandlerError::Deferred { reason, after }) => {
                info!(reason, seconds = after.as_secs(), "deferred");
                self.defer(body, after, &request).await
            }
            Err(failed) => Err(failed),
        };
        if let Err(failure) = &answered {
            self.fail(record, &request, failure, held).await;
        }
        answered.is_ok()
    }

    async fn defer(&self, body: &str, after: Duration, request: &Request) -> Result<(), HandlerError> {
        if after > LONGEST_UNMARKED_DEFERRAL {
            // Without the mark, a sweep may repeat the message; a failed delivery would be worse.
            if let Err(error) = self.mark_redelivery(&Subject::of(body), after).await {
                warn!("the deferral could not be recorded: {error}");
            }
        }
        // A fresh copy, because waiting must not use up the message's deliveries.
        Ok(self.queues.send_copy(H::QUEUE, body.to_owned(), after, request).await?)
    }

    async fn reject(&self, id: &str, body: &str, reason: String) -> Result<(), HandlerError> {
        warn!(reason, "rejected");
        Metric::Rejected.emit();
        Ok(self.store.reject(&Rejection::new(self.clock.now(), H::QUEUE.name(), id, reason, body)).await?)
    }

    /// Logs the failure and shortens the message's visibility timeout. After the last delivery it records the failure
    /// in the actor's status. An error here is only logged, because SQS delivers the message again in any case.
    async fn fail(&self, record: &SqsMessage, request: &Request, failure: &HandlerError, held: &HeldMessages<'_>) {
        let delivery = deliveries(record);
        error!(delivery, "failed: {failure}");
        held.release(record.receipt_handle.as_deref().unwrap_or_default()).await;
        if let Err(error) = self.follow_up(record, request, failure, delivery).await {
            warn!("the failure could not be followed up: {error}");
        }
    }

    async fn follow_up(
        &self,
        record: &SqsMessage,
        request: &Request,
        failure: &HandlerError,
        delivery: u32,
    ) -> Result<(), HandlerError> {
        let subject = Subject::of(record.body.as_deref().unwrap_or_default());
        let handle = record.receipt_handle.as_deref().unwrap_or_default();
        if delivery < MAX_DELIVERIES {
            let back_off = retry_after(delivery);
            let returned = self.queues.return_after(H::QUEUE, handle, back_off);
            let (returned, marked) = tokio::join!(returned, self.mark_redelivery(&subject, back_off));
            returned?;
            return marked;
        }
        let dead_letter = DeadLetter { store: &self.store, queue: H::QUEUE, subject, request_id: &request.id };
        dead_letter.report_to_actor(failure, self.clock.now()).await?;
        // On the next receive, SQS moves the message to the dead-letter queue instead of delivering it.
        Ok(self.queues.return_after(H::QUEUE, handle, Duration::ZERO).await?)
    }

    async fn mark_redelivery(&self, subject: &Subject, after: Duration) -> Result<(), HandlerError> {
        match subject.actor() {
            Some(actor) => Ok(self.store.mark_redelivery(&actor, self.clock.now() + after).await?),
            None => Ok(()),
        }
    }
}

/// The number of deliveries of the message, including this one.
fn deliveries(record: &SqsMessage) -> u32 {
    record.attributes.get("ApproximateReceiveCount").and_then(|count| count.parse().ok()).unwrap_or(1)
}

/// The back-off after a failed delivery: 2, 4, 8, 16 seconds.
fn retry_after(delivery: u32) -> Duration {
    Duration::from_secs(1 << delivery.min(4))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failed_message_is_retried_with_growing_back_off() {
        let pauses: Vec<u64> = (1..MAX_DELIVERIES).map(|delivery| retry_after(delivery).as_secs()).collect();
        assert_eq!(pauses, [2, 4, 8, 16]);
    }
}
