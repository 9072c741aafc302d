//! The three SQS queues.

mod redrive;
mod request;

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{
    ChangeMessageVisibilityBatchRequestEntry, MessageAttributeValue, SendMessageBatchRequestEntry,
};
use serde::Serialize;

use super::AwsError;
pub use request::{FIRST_SENT_AT, REQUEST_ID, Request};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueUrls {
    pub evaluation: String,
    pub deletion: String,
    pub generation: String,
}

/// The most messages that SQS accepts in one call.
const MAX_BATCH: usize = 10;

/// The longest delay of an SQS message.
const MAX_DELAY: Duration = Duration::from_secs(900);

#[derive(Debug, Clone)]
pub struct Queues {
    client: Client,
    urls: QueueUrls,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Queue {
    Evaluation,
    Deletion,
    Generation,
}

impl Queue {
    /// The name of the queue and of its handler.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Evaluation => "evaluation",
            Self::Deletion => "deletion",
            Self::Generation => "generation",
        }
    }
}

impl Queues {
    #[must_use]
    pub fn new(client: Client, urls: QueueUrls) -> Self {
        Self { client, urls }
    }

    fn url(&self, queue: Queue) -> &str {
        match queue {
            Queue::Evaluation => &self.urls.evaluation,
            Queue::Deletion => &self.urls.deletion,
            Queue::Generation => &self.urls.generation,
        }
    }

    /// Sends a message for delivery after `delay`, which is rounded up to seconds and limited to 15 minutes.
    pub async fn send(&self, queue: Queue, message: &impl Serialize, delay: Duration) -> Result<(), AwsError> {
        self.send_body(queue, body(message)?, delay).await
    }

    /// Sends a serialised message.
    pub async fn send_body(&self, queue: Queue, body: String, delay: Duration) -> Result<(), AwsError> {
        self.send_with(queue, body, delay, HashMap::new()).await
    }

    /// Sends a copy of a message that was received as this request.
    pub async fn send_copy(
        &self,
        queue: Queue,
        body: String,
        delay: Duration,
        request: &Request,
    ) -> Result<(), AwsError> {
        self.send_with(queue, body, delay, request.attributes()?).await
    }

    async fn send_with(
        &self,
        queue: Queue,
        body: String,
        delay: Duration,
        attributes: HashMap<String, MessageAttributeValue>,
    ) -> Result<(), AwsError> {
        let seconds = delay.min(MAX_DELAY).as_millis().div_ceil(1000) as i32;
        let url = self.url(queue);
        let message = self.client.send_message().queue_url(url).message_body(body).delay_seconds(seconds);
        let sent = message.set_message_attributes(Some(attributes).filter(|it| !it.is_empty())).send().await;
        sent.map(drop).map_err(|error| AwsError::of("SQS", "SendMessage", url, &error))
    }

    /// Sends messages in batches.
    ///
    /// # Errors
    /// If SQS rejects any of them. Others may have been sent, and a repetition sends them twice.
    pub async fn send_all(&self, queue: Queue, messages: &[impl Serialize]) -> Result<(), AwsError> {
        let url = self.url(queue);
        for chunk in messages.chunks(MAX_BATCH) {
            let entries = chunk.iter().enumerate().map(entry).collect::<Result<Vec<_>, _>>()?;
            let sent = self.client.send_message_batch().queue_url(url).set_entries(Some(entries)).send().await;
            let sent = sent.map_err(|error| AwsError::of("SQS", "SendMessageBatch", url, &error))?;
            // A batch call that fails for some of its entries succeeds as a whole.
            if let Some(failed) = sent.failed.first() {
                return Err(AwsError::new("SQS", "SendMessageBatch", url, failed.message.clone().unwrap_or_default()));
            }
        }
        Ok(())
    }

    /// The number of messages in the queue at this URL: visible, in flight and delayed. SQS counts approximately, the
    /// emulator exactly.
    pub async fn depth(&self, url: &str) -> Result<u64, AwsError> {
        use aws_sdk_sqs::types::QueueAttributeName::{
            ApproximateNumberOfMessages, ApproximateNumberOfMessagesDelayed, ApproximateNumberOfMessagesNotVisible,
        };
        let counts =
            [ApproximateNumberOfMessages, ApproximateNumberOfMessagesDelayed, ApproximateNumberOfMessagesNotVisible];
        let request = self.client.get_queue_attributes().queue_url(url).set_attribute_names(Some(counts.to_vec()));
        let attributes =
            request.send().await.map_err(|error| AwsError::of("SQS", "GetQueueAttributes", url, &error))?;
        let attributes = attributes.attributes.unwrap_or_default();
        Ok(counts.iter().filter_map(|name| attributes.get(name)?.parse::<u64>().ok()).sum())
    }

    /// [`Self::depth`] of one of the three queues.
    pub async fn depth_of(&self, queue: Queue) -> Result<u64, AwsError> {
        self.depth(self.url(queue)).await
    }

    /// The number of messages in all three queues.
    pub async fn total_depth(&self) -> Result<u64, AwsError> {
        let mut depth = 0;
        for queue in [Queue::Evaluation, Queue::Deletion, Queue::Generation] {
            depth += self.depth_of(queue).await?;
        }
        Ok(depth)
    }

    /// Keeps up to ten messages in flight invisible for `time` from now. A message that is no longer in flight has no
    /// effect on the others.
    pub async fn hold(&self, queue: Queue, receipt_handles: &[String], time: Duration) -> Result<(), AwsError> {
        let url = self.url(queue);
        let entry = |(index, handle): (usize, &String)| {
            let entry = ChangeMessageVisibilityBatchRequestEntry::builder().id(index.to_string());
            entry.receipt_handle(handle).visibility_timeout(time.as_secs() as i32).build()
        };
        let entries = receipt_handles.iter().enumerate().map(entry).collect::<Result<Vec<_>, _>>();
        let entries =
            entries.map_err(|error| AwsError::new("SQS", "ChangeMessageVisibilityBatch", url, error.to_string()))?;
        let request = self.client.change_message_visibility_batch().queue_url(url).set_entries(Some(entries));
        let held = request.send().await;
        held.map(drop).map_err(|error| AwsError::of("SQS", "ChangeMessageVisibilityBatch", url, &error))
    }

    /// Changes the visibility timeout of a message in flight, so that SQS delivers it again after `delay`.
    pub async fn return_after(&self, queue: Queue, receipt_handle: &str, delay: Duration) -> Result<(), AwsError> {
        let url = self.url(queue);
        let request = self.client.change_message_visibility().queue_url(url).receipt_handle(receipt_handle);
        let changed = request.visibility_timeout(delay.as_secs() as i32).send().await;
        changed.map(drop).map_err(|error| AwsError::of("SQS", "ChangeMessageVisibility", url, &error))
    }
}

fn body(message: &impl Serialize) -> Result<String, AwsError> {
    serde_json::to_string(message).map_err(|error| AwsError::new("SQS", "SendMessage", "a message", error.to_string()))
}

fn entry((index, message): (usize, &impl Serialize)) -> Result<SendMessageBatchRequestEntry, AwsError> {
    SendMessageBatchRequestEntry::builder()
        .id(index.to_string())
        .message_body(body(message)?)
        .build()
        .map_err(|error| AwsError::new("SQS", "SendMessageBatch", "a message", error.to_string()))
}
