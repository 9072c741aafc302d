//! What SQS and Lambda do between them: deliver messages, take what is done away, deliver the rest again.

use aws::queues::Queue;
use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use aws_sdk_sqs::types::{Message, MessageSystemAttributeName};
use jiff::Timestamp;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use super::{UNTIL_LEASES_END, World};

/// Batches after which something must have gone round in circles.
const MOST_BATCHES: usize = 2_000;

/// Looks at empty queues after which nothing more comes.
const QUIET_LOOKS: u32 = 2;

/// How messages are delivered.
#[derive(Debug, Clone, Copy)]
pub struct Delivery {
    /// How often each one, at least.
    pub times: usize,
    /// Shuffles batches, and the order of the queues.
    pub shuffled_by: Option<u64>,
    /// Whether what a worker had that dies comes back last, when everything else is done.
    pub late: bool,
}

impl Default for Delivery {
    fn default() -> Self {
        Self { times: 1, shuffled_by: None, late: false }
    }
}

/// What happened on the way.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Journey {
    /// Batches delivered.
    pub batches: usize,
    /// Messages delivered.
    pub messages: usize,
    /// Workers that died.
    pub deaths: usize,
    /// What they had, if it comes back last.
    late: Option<Vec<(Queue, Message)>>,
}

impl Journey {
    /// One on which what a worker has that dies comes back last, when everything else is done.
    #[must_use]
    pub fn late() -> Self {
        Self { late: Some(Vec::new()), ..Self::default() }
    }
}

impl World {
    /// Delivers messages until none is left.
    pub async fn drive(&self) -> Journey {
        self.drive_with(Delivery::default()).await
    }

    /// The same, in another way.
    pub async fn drive_with(&self, delivery: Delivery) -> Journey {
        let journey = if delivery.late { Journey::late() } else { Journey::default() };
        self.go_on(journey, delivery).await
    }

    /// The same, after what has happened so far.
    pub async fn go_on(&self, mut journey: Journey, delivery: Delivery) -> Journey {
        let mut random = delivery.shuffled_by.map(ChaCha8Rng::seed_from_u64);
        let mut quiet = 0;
        while quiet < QUIET_LOOKS {
            let delivered = self.deliver_once(delivery.times, random.as_mut(), &mut journey).await;
            let held_back = journey.late.as_ref().map_or(0, Vec::len) as u64;
            quiet = if delivered || self.queues.total_depth().await.unwrap() > held_back { 0 } else { quiet + 1 };
            if quiet == QUIET_LOOKS && held_back > 0 {
                for (queue, message) in journey.late.iter_mut().flat_map(std::mem::take) {
                    self.put_back(queue, &message).await;
                }
                quiet = 0;
            }
            assert!(
                journey.batches < MOST_BATCHES,
                "it goes round in circles: {:#?}",
                self.network.calls().iter().rev().take(40).collect::<Vec<_>>()
            );
        }
        journey
    }

    /// Lets this many generation workers at once empty their queue.
    pub async fn generate_with(&self, workers: usize) {
        let work = async || while self.generate_one().await {};
        futures::future::join_all((0..workers).map(|_| work())).await;
    }

    /// Has a worker carry one message of the generation queue out. `false` if there is none.
    pub async fn generate_one(&self) -> bool {
        let messages = self.receive(Queue::Generation).await;
        let Some(message) = messages.first() else { return false };
        let answer = self.generation().await.process_batch(self.batch(&messages)).await;
        if answer.batch_item_failures.is_empty() {
            self.take_away(Queue::Generation, message).await;
        } else {
            self.put_back(Queue::Generation, message).await;
        }
        true
    }

    /// Delivers what is in the queues now, one batch from each. `false` if there was nothing.
    pub async fn deliver_once(&self, times: usize, mut random: Option<&mut ChaCha8Rng>, journey: &mut Journey) -> bool {
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
            journey.batches += 1;
            journey.messages += messages.len();
            self.deliver(queue, &messages, times, journey).await;
        }
        delivered
    }

    /// Hands a batch to a worker as often as wanted, and then takes away what it has done.
    async fn deliver(&self, queue: Queue, messages: &[Message], times: usize, journey: &mut Journey) {
        let mut answer = None;
        for _ in 0..times {
            answer = self.process_batch(queue, messages).await;
        }
        let Some(answer) = answer else {
            journey.deaths += 1;
            match &mut journey.late {
                // Whoever meets the lease waits until it ends.
                Some(late) => late.extend(messages.iter().map(|message| (queue, message.clone()))),
                None => {
                    self.let_pass(UNTIL_LEASES_END);
                    for message in messages {
                        self.put_back(queue, message).await;
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
            if has_failed(message) { self.put_back(queue, message).await } else { self.take_away(queue, message).await }
        }
    }

    /// `None` if the worker dies.
    async fn process_batch(&self, queue: Queue, messages: &[Message]) -> Option<SqsBatchResponse> {
        let batch = self.batch(messages);
        let working = async {
            match queue {
                Queue::Evaluation => self.evaluation().await.process_batch(batch).await,
                Queue::Deletion => self.deletion().process_batch(batch).await,
                Queue::Generation => self.generation().await.process_batch(batch).await,
            }
        };
        tokio::select! {
            biased;
            () = self.network.death() => None,
            answer = working => Some(answer),
        }
    }

    async fn receive(&self, queue: Queue) -> Vec<Message> {
        // As many as the template lets each function have.
        let most = match queue {
            Queue::Evaluation | Queue::Deletion => 4,
            Queue::Generation => 1,
        };
        let request = self.sqs.receive_message().queue_url(self.url(queue)).max_number_of_messages(most);
        let request = request.message_system_attribute_names(MessageSystemAttributeName::All).visibility_timeout(600);
        request.send().await.unwrap().messages.unwrap_or_default()
    }

    async fn put_back(&self, queue: Queue, message: &Message) {
        let request = self.sqs.change_message_visibility().queue_url(self.url(queue)).visibility_timeout(0);
        request.receipt_handle(message.receipt_handle.as_ref().unwrap()).send().await.unwrap();
    }

    async fn take_away(&self, queue: Queue, message: &Message) {
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

    /// Loses every message that waits in a queue.
    pub async fn lose_messages(&self, queue: Queue) {
        for message in self.receive(queue).await {
            self.take_away(queue, &message).await;
        }
    }

    /// Messages that were given up.
    pub async fn dead_letters(&self) -> u64 {
        let mut dead = 0;
        for queue in [Queue::Evaluation, Queue::Deletion, Queue::Generation] {
            dead += self.queues.depth(&format!("{}-dead", self.url(queue))).await.unwrap();
        }
        dead
    }

    /// What Lambda would hand to a function, in this world's time.
    fn batch(&self, messages: &[Message]) -> SqsEvent {
        let records: Vec<_> = messages
            .iter()
            .map(|message| {
                let attribute = |name| message.attributes.as_ref().and_then(|all| all.get(&name)).cloned();
                let sent: i64 = attribute(MessageSystemAttributeName::SentTimestamp).unwrap().parse().unwrap();
                let sent = self.passing.at(Timestamp::from_millisecond(sent).unwrap());
                json!({
                    "messageId": message.message_id,
                    "receiptHandle": message.receipt_handle,
                    "body": self.in_time(message.body.as_deref().unwrap()),
                    "attributes": {
                        "ApproximateReceiveCount": attribute(MessageSystemAttributeName::ApproximateReceiveCount),
                        "SentTimestamp": sent.as_millisecond().to_string(),
                    },
                    "eventSource": "aws:sqs",
                })
            })
            .collect();
        serde_json::from_value(json!({ "Records": records })).unwrap()
    }

    /// The body with the times of S3's news in this world's time.
    fn in_time(&self, body: &str) -> String {
        let Ok(mut news) = serde_json::from_str::<Value>(body) else { return body.to_owned() };
        let Some(records) = news.get_mut("Records").and_then(Value::as_array_mut) else { return body.to_owned() };
        for record in records {
            if let Some(landed) = record["eventTime"].as_str().and_then(|time| time.parse().ok()) {
                record["eventTime"] = json!(self.passing.at(landed));
            }
        }
        news.to_string()
    }
}
