//! The one place that knows Lambda: batches of SQS messages, each answered for itself.

use std::time::{Duration, Instant};

use aws::metrics::Metric;
use aws::queues::{Queue, Queues};
use aws::store::Store;
use aws::store::actors::OnBehalf;
use aws::store::rejections::Rejection;
use aws_lambda_events::event::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};
use domain::actor::ActorId;
use domain::plan::PlanState;
use futures::{StreamExt, stream};
use jiff::Timestamp;
use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use serde::Deserialize;
use serde_json::Value;
use tracing::{Instrument, error, info, info_span, warn};

use crate::clock::plausible;
use crate::panics::{Panicked, caught};
use crate::{Clock, Handler, HandlerError, Message};

/// How often a message is delivered before it goes to the dead-letter queue. The template says the same.
pub const MOST_DELIVERIES: u32 = 5;

/// Messages of a batch that are worked on side by side.
pub const SIDE_BY_SIDE: usize = 4;

/// A stage and what surrounds it in a function.
#[derive(Clone)]
pub struct Worker<S> {
    /// What is done with each message.
    pub handler: S,
    /// Where rejections are kept.
    pub store: Store,
    /// Where messages come from and go back to.
    pub queues: Queues,
    /// What the time is.
    pub clock: Clock,
}

/// Answers Lambda's invocations until the process ends.
///
/// # Errors
/// If the Lambda runtime can't be reached.
pub async fn run<S: Handler>(worker: Worker<S>) -> Result<(), lambda_runtime::Error> {
    let worker = &worker;
    lambda_runtime::run(service_fn(|event: LambdaEvent<SqsEvent>| caught(worker.work_off(event.payload)))).await
}

impl From<Panicked> for Diagnostic {
    /// What Lambda is told of a panic outside of the stages. The runtime would name a Rust type that nobody can read.
    fn from(panicked: Panicked) -> Self {
        Self { error_type: "Panic".to_owned(), error_message: panicked.to_string() }
    }
}

impl<S: Handler> Worker<S> {
    /// Works off a batch. What the answer doesn't name is done, or recorded as rejected, and SQS forgets it.
    pub async fn work_off(&self, batch: SqsEvent) -> SqsBatchResponse {
        let failures = stream::iter(batch.records)
            .map(|record| async move {
                let id = record.message_id.clone().unwrap_or_default();
                let about = About::of(record.body.as_deref().unwrap_or_default());
                // What isn't known yet stays empty until a stage knows it.
                let span = info_span!(
                    "message",
                    message_id = id,
                    attempt = deliveries(&record),
                    actor = about.actor_id,
                    plan = about.plan_id,
                    slot = about.slot_id
                );
                let is_done = self.answer(&record).instrument(span).await;
                (!is_done).then_some(id)
            })
            .buffer_unordered(SIDE_BY_SIDE)
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

    /// Carries one message out. `false` if SQS must deliver it again.
    async fn answer(&self, record: &SqsMessage) -> bool {
        let body = record.body.as_deref().unwrap_or_default();
        let id = record.message_id.as_deref().unwrap_or_default();
        let began = Instant::now();
        // A panic is this message's own failure: its neighbours in the batch are done all the same.
        let message = Message { id, body, sent_at: sent_at(record, &self.clock) };
        let handled = caught(self.handler.handle(message)).await.unwrap_or_else(|panic| Err(panic.into()));
        Metric::HandlerSeconds(S::QUEUE.name(), began.elapsed()).emit();
        let answered = match handled {
            Ok(()) => Ok(()),
            Err(HandlerError::Rejected(reason)) => self.reject(id, body, reason).await,
            Err(HandlerError::Deferred { reason, after }) => {
                info!(reason, seconds = after.as_secs(), "deferred");
                // A fresh copy: waiting must not use up the deliveries of the message.
                self.queues.send_body(S::QUEUE, body.to_owned(), after).await.map_err(HandlerError::from)
            }
            Err(failed) => Err(failed),
        };
        if let Err(failed) = &answered {
            self.fail(record, failed).await;
        }
        answered.is_ok()
    }

    async fn reject(&self, id: &str, body: &str, reason: String) -> Result<(), HandlerError> {
        warn!(reason, "rejected");
        Metric::Rejected.emit();
        Ok(self.store.reject(&Rejection::new(self.clock.now(), S::QUEUE.name(), id, reason, body)).await?)
    }

    /// Logs a failure and sees to it that the message comes back soon, or, after the last delivery, that its actor
    /// says so. What fails here too is only logged: the message comes back by itself, later.
    async fn fail(&self, record: &SqsMessage, failed: &HandlerError) {
        let delivery = deliveries(record);
        error!(delivery, "failed: {failed}");
        if let Err(failed) = self.follow_up(record, failed, delivery).await {
            warn!("the failure could not be followed up: {failed}");
        }
    }

    async fn follow_up(&self, record: &SqsMessage, failed: &HandlerError, delivery: u32) -> Result<(), HandlerError> {
        let mut pause = pause_after(delivery);
        if delivery >= MOST_DELIVERIES {
            self.tell_actor(record, failed).await?;
            // The next delivery is the one that SQS turns into the move to the dead-letter queue.
            pause = Duration::ZERO;
        }
        let handle = record.receipt_handle.as_deref().unwrap_or_default();
        Ok(self.queues.return_after(S::QUEUE, handle, pause).await?)
    }

    /// Records in the actor's record that the message has failed for the last time, unless its work no longer concerns
    /// the actor: its plan was superseded or completed and has left no deletion half done, or a later evaluation has
    /// reached a verdict.
    async fn tell_actor(&self, record: &SqsMessage, failed: &HandlerError) -> Result<(), HandlerError> {
        let about = About::of(record.body.as_deref().unwrap_or_default());
        let Some(actor) = about.actor() else { return Ok(()) };
        let undispatched = self.undispatched_plan(&actor).await;
        let behalf = match (&undispatched, about.plan()) {
            (Some(undispatched), _) => OnBehalf::Plan(undispatched),
            (None, Some(plan_id)) if self.is_over(&actor, plan_id).await => {
                if !self.has_claimed_images(&actor, plan_id).await {
                    info!(plan_id, "the plan of the message that was given up is over");
                    return Ok(());
                }
                OnBehalf::Request(None)
            }
            _ => about.behalf(S::QUEUE, sent_at(record, &self.clock)),
        };
        let reason = format!(
            "{:?} failed {MOST_DELIVERIES} times, and its message waits in the dead-letter queue: {failed}",
            S::QUEUE
        );
        if self.store.ask_for_attention(&actor, behalf, &reason, self.clock.now()).await? {
            Metric::SetsNeedingAttention.emit();
        } else {
            info!("the message that was given up no longer concerns its actor");
        }
        Ok(())
    }

    /// The active plan whose messages an evaluation could not send. Only a message of the evaluation queue resumes that, so
    /// the actor would stay at work for ever once the last one has failed.
    async fn undispatched_plan(&self, actor: &ActorId) -> Option<String> {
        if S::QUEUE != Queue::Evaluation {
            return None;
        }
        let plan_id = self.store.actor(actor).await.ok()??.active_plan?;
        let plan = self.store.plan(actor, &plan_id).await.ok()??;
        (plan.state == PlanState::Running && !plan.dispatched).then_some(plan_id)
    }

    /// Whether the plan is known to be completed, superseded or gone. A plan that can't be read may be the cause of the
    /// failure, and does not count.
    async fn is_over(&self, actor: &ActorId, plan_id: &str) -> bool {
        match self.store.plan(actor, plan_id).await {
            Ok(plan) => plan.is_none_or(|plan| plan.state != PlanState::Running),
            Err(_) => false,
        }
    }

    /// Whether a deletion of this plan is half done. Only the plan's own message completes it, so a superseded plan does
    /// not make it irrelevant.
    async fn has_claimed_images(&self, actor: &ActorId, plan_id: &str) -> bool {
        if S::QUEUE != Queue::Deletion {
            return false;
        }
        let Ok(Some(plan)) = self.store.plan(actor, plan_id).await else { return false };
        for deletion in &plan.delete {
            let image = self.store.image(actor, &deletion.filename).await.ok().flatten();
            if image.is_some_and(|image| image.deleting.as_deref() == Some(plan_id)) {
                return true;
            }
        }
        false
    }
}

/// How often the message has been delivered, this time included.
fn deliveries(record: &SqsMessage) -> u32 {
    record.attributes.get("ApproximateReceiveCount").and_then(|count| count.parse().ok()).unwrap_or(1)
}

/// When SQS got the message, if that can be believed.
fn sent_at(record: &SqsMessage, clock: &Clock) -> Option<Timestamp> {
    let milliseconds = record.attributes.get("SentTimestamp")?.parse().ok()?;
    plausible(Timestamp::from_millisecond(milliseconds).ok()?, clock.now())
}

/// 2, 4, 8, 16 seconds: long enough for a throttled service to recover, short enough for somebody who waits.
fn pause_after(delivery: u32) -> Duration {
    Duration::from_secs(1 << delivery.min(4))
}

/// What a message is about, for every line of the log.
#[derive(Default, Deserialize)]
#[serde(default)]
struct About {
    actor_id: Option<String>,
    plan_id: Option<String>,
    slot_id: Option<String>,
    /// The reason of an evaluation.
    cause: Value,
}

impl About {
    /// Of anything that isn't a message of ours nothing is known.
    fn of(body: &str) -> Self {
        serde_json::from_str(body).unwrap_or_default()
    }

    fn actor(&self) -> Option<ActorId> {
        self.actor_id.as_deref()?.parse().ok()
    }

    /// The plan whose work the message carries out, or whose end it announces.
    fn plan(&self) -> Option<&str> {
        self.plan_id.as_deref().or_else(|| self.cause["plan_done"].as_str())
    }

    /// On whose behalf the actor's status reports the failed message. No evaluation carries out manual requests to the
    /// other two handlers.
    fn behalf(&self, queue: Queue, sent_at: Option<Timestamp>) -> OnBehalf<'_> {
        match self.plan() {
            Some(plan_id) => OnBehalf::Plan(plan_id),
            None => OnBehalf::Request(sent_at.filter(|_| queue == Queue::Evaluation)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_that_is_older_than_sqs_keeps_any_has_no_known_age() {
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
    fn a_message_is_given_up_on_behalf_of_its_plan_or_request() {
        let sent = "2026-03-20T12:00:00Z".parse().ok();
        let behalf = |queue, body: &str| format!("{:?}", About::of(body).behalf(queue, sent));
        let of_plan = format!("{:?}", OnBehalf::Plan("p"));
        assert_eq!(behalf(Queue::Generation, r#"{"actor_id":"a","plan_id":"p","slot_id":"001"}"#), of_plan);
        assert_eq!(behalf(Queue::Evaluation, r#"{"actor_id":"a","cause":{"plan_done":"p"}}"#), of_plan);
        let of_request = format!("{:?}", OnBehalf::Request(sent));
        assert_eq!(behalf(Queue::Evaluation, r#"{"actor_id":"a","cause":"uploads"}"#), of_request);
        assert_eq!(behalf(Queue::Evaluation, r#"{"actor_id":"a"}"#), of_request);
        let unanswerable = format!("{:?}", OnBehalf::Request(None));
        assert_eq!(behalf(Queue::Deletion, r#"{"actor_id":"a","filenames":["a_1.jpg"]}"#), unanswerable);
    }

    #[test]
    fn what_fails_comes_back_after_two_four_eight_and_sixteen_seconds() {
        let pauses: Vec<u64> = (1..MOST_DELIVERIES).map(|delivery| pause_after(delivery).as_secs()).collect();
        assert_eq!(pauses, [2, 4, 8, 16]);
    }
}
