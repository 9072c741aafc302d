//! Delivers messages to the handlers as SQS and Lambda do: deletes the processed ones, and delivers the others again.

use aws::queues::Queue;
use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use aws_sdk_sqs::types::{Message, MessageSystemAttributeName};
use jiff::Timestamp;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use super::{LEASES_EXPIRED, Network, World};

/// More batches indicate an endless loop.
const MAX_BATCHES: usize = 2_000;

/// Consecutive polls of empty queues that end a run.
const EMPTY_POLLS: u32 = 2;

/// How messages are delivered.
#[derive(Debug, Clone, Copy)]
pub struct Delivery {
    /// How often each message is delivered, at least.
    pub times: usize,
    /// The seed that shuffles batches and the order of the queues.
    pub shuffled_by: Option<u64>,
    /// Whether a crashed worker's messages are delivered again only after all others.
    pub redelivered_last: bool,
}

impl Default for Delivery {
    fn default() -> Self {
        Self { times: 1, shuffled_by: None, redelivered_last: false }
    }
}

/// What happened in a run.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Trace {
    pub batches: usize,
    pub messages: usize,
    /// Workers that crashed.
    pub crashes: usize,
    /// The messages of crashed workers, if they are delivered last.
    held_back: Option<Vec<(Queue, Message)>>,
}

impl Trace {
    /// The trace of a run that delivers a crashed worker's messages again only after all others.
    #[must_use]
    pub fn redelivering_last() -> Self {
        Self { held_back: Some(Vec::new()), ..Self::default() }
    }
}

impl World {
    /// Delivers messages until all queues are empty.
    pub async fn drive(&self) -> Trace {
        self.drive_with(Delivery::default()).await
    }

    /// Delivers messages in this way until all queues are empty.
    pub async fn drive_with(&self, delivery: Delivery) -> Trace {
        let trace = if delivery.redelivered_last { Trace::redelivering_last() } else { Trace::default() };
        self.resume_drive(trace, delivery).await
    }

    /// Continues a run.
    pub async fn resume_drive(&self, mut trace: Trace, delivery: Delivery) -> Trace {
        let mut random = delivery.shuffled_by.map(ChaCha8Rng::seed_from_u64);
        let mut empty_polls = 0;
        while empty_polls < EMPTY_POLLS {
            let delivered = self.deliver_once(delivery.times, random.as_mut(), &mut trace).await;
            let held_back = trace.held_back.as_ref().map_or(0, Vec::len) as u64;
            empty_polls =
                if delivered || self.queues.total_depth().await.unwrap() > held_back { 0 } else { empty_polls + 1 };
            if empty_polls == EMPTY_POLLS && held_back > 0 {
                for (queue, message) in trace.held_back.iter_mut().flat_map(std::mem::take) {
                    self.make_visible(queue, &message).await;
                }
                empty_polls = 0;
            }
            assert!(
                trace.batches < MAX_BATCHES,
                "endless loop: {:#?}",
                self.network.calls().iter().rev().take(40).collect::<Vec<_>>()
            );
        }
        trace
    }

    /// Empties the generation queue with this many concurrent workers.
    pub async fn generate_with(&self, workers: usize) {
        let work = async || while self.generate_one().await {};
        futures::future::join_all((0..workers).map(|_| work())).await;
    }

    /// Delivers one batch of this queue. Returns `false` if it was empty.
    pub async fn deliver_batch(&self, queue: Queue) -> bool {
        let messages = self.receive(queue).await;
        if !messages.is_empty() {
            self.deliver(queue, &messages, 1, &mut Trace::default()).await;
        }
        !messages.is_empty()
    }

    /// Processes one message of the generation queue. Returns `false` if there is none.
    pub async fn generate_one(&self) -> bool {
        let messages = self.receive(Queue::Generation).await;
        let Some(message) = messages.first() else { return false };
        let answer = self.generation().await.process_batch(self.batch(&messages)).await;
        if answer.batch_item_failures.is_empty() {
            self.delete(Queue::Generation, message).await;
        } else {
            self.make_visible(Queue::Generation, message).await;
        }
        true
    }

    /// Delivers one batch from each queue. Returns `false` if all were empty.
    pub async fn deliver_once(&self, times: usize, mut random: Option<&mut ChaCha8Rng>, trace: &mut Trace) -> bool {
        let mut queues = [Queue::Evaluation, Queue::Deletion, Queue::Generation];
        if let Some(random) = random.as_deref_mut() {
            queues.shuffle(random);
        }
        let mut delivered = false;
        for queue in queues {
            let mut messages = self.receive(queue).await;
            if messages.is_empty() {
                continue;
            }
            delivered = true;
            if let Some(random) = random.as_deref_mut() {
                messages.shuffle(random);
            }
            trace.batches += 1;
            trace.messages += messages.len();
            self.deliver(queue, &messages, times, trace).await;
        }
        delivered
    }

    /// Delivers a batch this often, and then deletes the processed messages.
    async fn deliver(&self, queue: Queue, messages: &[Message], times: usize, trace: &mut Trace) {
        let mut answer = None;
        for _ in 0..times {
            answer = self.process_batch(queue, messages).await;
        }
        let Some(answer) = answer else {
            trace.crashes += 1;
            match &mut trace.held_back {
                // Other workers wait for the crashed worker's leases.
                Some(held_back) => held_back.extend(messages.iter().map(|message| (queue, message.clone()))),
                None => {
                    self.advance_clock(LEASES_EXPIRED);
                    for message in messages {
                        self.make_visible(queue, message).await;
                    }
                }
            }
            return;
        };
        let has_failed = |message: &Message| {
            answer
                .batch_item_failures
                .iter()
                .any(|failure| Some(&failure.item_identifier) == message.message_id.as_ref())
        };
        for message in messages {
            if has_failed(message) {
                self.make_visible(queue, message).await
            } else {
                self.delete(queue, message).await
            }
        }
    }

    /// `None` if the worker crashes.
    async fn process_batch(&self, queue: Queue, messages: &[Message]) -> Option<SqsBatchResponse> {
        tokio::select! {
            biased;
            () = self.network.crash() => None,
            answer = self.process_through(&self.network, queue, messages) => Some(answer),
        }
    }

    /// Processes a batch in a new worker on this network.
    pub(super) async fn process_through(
        &self,
        network: &Network,
        queue: Queue,
        messages: &[Message],
    ) -> SqsBatchResponse {
        let batch = self.batch(messages);
        match queue {
            Queue::Evaluation => self.evaluation_through(network).await.process_batch(batch).await,
            Queue::Deletion => self.deletion_through(network).process_batch(batch).await,
            Queue::Generation => self.generation_through(network).await.process_batch(batch).await,
        }
    }

    pub(super) async fn receive(&self, queue: Queue) -> Vec<Message> {
        // The batch sizes of the template.
        let batch_size = match queue {
            Queue::Evaluation | Queue::Deletion => 4,
            Queue::Generation => 1,
        };
        let request = self.sqs.receive_message().queue_url(self.url(queue)).max_number_of_messages(batch_size);
        let request = request
            .message_system_attribute_names(MessageSystemAttributeName::All)
            .visibility_timeout(600)
            .message_attribute_names("All");
        request.send().await.unwrap().messages.unwrap_or_default()
    }

    pub(super) async fn make_visible(&self, queue: Queue, message: &Message) {
        let request = self.sqs.change_message_visibility().queue_url(self.url(queue)).visibility_timeout(0);
        request.receipt_handle(message.receipt_handle.as_ref().unwrap()).send().await.unwrap();
    }

    pub(super) async fn delete(&self, queue: Queue, message: &Message) {
        let request = self.sqs.delete_message().queue_url(self.url(queue));
        request.receipt_handle(message.receipt_handle.as_ref().unwrap()).send().await.unwrap();
    }

    fn url(&self, queue: Queue) -> &str {
        match queue {
            Queue::Evaluation => &self.urls.evaluation,
            Queue::Deletion => &self.urls.deletion,
            Queue::Generation => &self.urls.generation,
        }
    }

    /// Deletes the waiting messages of a queue.
    pub async fn lose_messages(&self, queue: Queue) {
        for message in self.receive(queue).await {
            self.delete(queue, &message).await;
        }
    }

    pub async fn dead_letters(&self) -> u64 {
        let mut dead = 0;
        for queue in [Queue::Evaluation, Queue::Deletion, Queue::Generation] {
            dead += self.queues.depth(&format!("{}-dead", self.url(queue))).await.unwrap();
        }
        dead
    }

    /// The event that Lambda would pass to a function, in virtual time.
    fn batch(&self, messages: &[Message]) -> SqsEvent {
        let records: Vec<_> = messages
            .iter()
            .map(|message| {
                let attribute = |name| message.attributes.as_ref().and_then(|all| all.get(&name)).cloned();
                let sent: i64 = attribute(MessageSystemAttributeName::SentTimestamp).unwrap().parse().unwrap();
                let sent = self.virtual_clock.at(Timestamp::from_millisecond(sent).unwrap());
                json!({
                    "messageId": message.message_id,
                    "receiptHandle": message.receipt_handle,
                    "body": message.body,
                    "attributes": {
                        "ApproximateReceiveCount": attribute(MessageSystemAttributeName::ApproximateReceiveCount),
                        "SentTimestamp": sent.as_millisecond().to_string(),
                    },
                    "messageAttributes": camel_case(message),
                    "eventSource": "aws:sqs",
                })
            })
            .collect();
        serde_json::from_value(json!({ "Records": records })).unwrap()
    }
}

/// The attributes of a message as Lambda delivers them.
fn camel_case(message: &Message) -> Value {
    let attributes = message.message_attributes.iter().flatten();
    let attributes = attributes.map(|(name, attribute)| {
        (name.clone(), json!({ "stringValue": attribute.string_value, "dataType": attribute.data_type }))
    });
    Value::Object(attributes.collect())
}
