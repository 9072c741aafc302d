//! SQS.

mod redrive;

use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use serde::Serialize;

use super::AwsError;

/// The URLs of the three queues.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueUrls {
    /// Uploads and requests to evaluate.
    pub evaluation: String,
    /// Images to delete.
    pub deletion: String,
    /// Images to make.
    pub generation: String,
}

/// Messages in one batch call; SQS takes no more.
const BATCH: usize = 10;

/// The longest that SQS keeps a message back.
const LONGEST_DELAY: Duration = Duration::from_secs(900);

/// The three queues.
#[derive(Debug, Clone)]
pub struct Queues {
    client: Client,
    urls: QueueUrls,
}

/// One of the three queues.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Queue {
    /// Uploads and requests to evaluate.
    Evaluation,
    /// Images to delete.
    Deletion,
    /// Images to make.
    Generation,
}

impl Queue {
    /// Its name, and that of the stage that listens to it.
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
    /// The queues at these URLs, reached by `client`.
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

    /// Sends a message, to be delivered after `delay` (rounded up to seconds, at most 15 minutes).
    ///
    /// # Errors
    /// If SQS fails.
    pub async fn send(&self, queue: Queue, message: &impl Serialize, delay: Duration) -> Result<(), AwsError> {
        self.send_body(queue, body(message)?, delay).await
    }

    /// Sends a message whose body is already written.
    ///
    /// # Errors
    /// If SQS fails.
    pub async fn send_body(&self, queue: Queue, body: String, delay: Duration) -> Result<(), AwsError> {
        let seconds = delay.min(LONGEST_DELAY).as_millis().div_ceil(1000) as i32;
        let url = self.url(queue);
        let sent = self.client.send_message().queue_url(url).message_body(body).delay_seconds(seconds).send().await;
        sent.map(drop).map_err(|error| AwsError::of("SQS", "SendMessage", url, &error))
    }

    /// Sends many messages at once.
    ///
    /// # Errors
    /// If SQS fails, or takes only some of them; the others may be sent twice when this is repeated.
    pub async fn send_all(&self, queue: Queue, messages: &[impl Serialize]) -> Result<(), AwsError> {
        let url = self.url(queue);
        for chunk in messages.chunks(BATCH) {
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

    /// Messages in the queue at this URL: those that wait, those being worked on and those kept back. SQS counts
    /// approximately, the emulator exactly.
    ///
    /// # Errors
    /// If SQS fails.
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

    /// Messages in all three queues.
    ///
    /// # Errors
    /// If SQS fails.
    pub async fn total_depth(&self) -> Result<u64, AwsError> {
        let QueueUrls { evaluation, deletion, generation } = &self.urls;
        Ok(self.depth(evaluation).await? + self.depth(deletion).await? + self.depth(generation).await?)
    }

    /// Lets a message that is being worked on come back after `delay`.
    ///
    /// # Errors
    /// If SQS fails.
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
