//! Moves dead letters back to their queue.

use std::time::Duration;

use aws_sdk_sqs::error::ProvideErrorMetadata;
use aws_sdk_sqs::types::{Message, QueueAttributeName};

use super::{Queue, Queues};
use crate::AwsError;

/// How long a message is hidden from concurrent redrives while it is moved.
const VISIBILITY_TIMEOUT: Duration = Duration::from_secs(60);

/// The error codes of servers that don't support `StartMessageMoveTask`.
const UNSUPPORTED: [&str; 4] = ["InvalidAction", "UnknownOperationException", "UnsupportedOperation", "NotImplemented"];

impl Queues {
    /// Moves the dead letters at this URL back to `queue`. Returns their approximate number. SQS moves them
    /// asynchronously; on a server without this function, they are received and sent one by one.
    pub async fn redrive(&self, queue: Queue, dead_letters: &str) -> Result<u64, AwsError> {
        let messages = self.depth(dead_letters).await?;
        if messages == 0 {
            return Ok(0);
        }
        let arn = self.arn(dead_letters).await?;
        match self.client.start_message_move_task().source_arn(arn).send().await {
            Ok(_) => Ok(messages),
            Err(error) if error.code().is_some_and(|code| UNSUPPORTED.contains(&code)) => {
                self.redrive_one_by_one(queue, dead_letters).await
            }
            Err(error) => Err(AwsError::of("SQS", "StartMessageMoveTask", dead_letters, &error)),
        }
    }

    async fn arn(&self, url: &str) -> Result<String, AwsError> {
        let request = self.client.get_queue_attributes().queue_url(url).attribute_names(QueueAttributeName::QueueArn);
        let attributes =
            request.send().await.map_err(|error| AwsError::of("SQS", "GetQueueAttributes", url, &error))?;
        let arn = attributes.attributes.and_then(|mut attributes| attributes.remove(&QueueAttributeName::QueueArn));
        arn.ok_or_else(|| AwsError::new("SQS", "GetQueueAttributes", url, "it has no ARN"))
    }

    /// Sends each message before it deletes the dead letter. An interruption in between leads to a harmless second
    /// delivery.
    async fn redrive_one_by_one(&self, queue: Queue, dead_letters: &str) -> Result<u64, AwsError> {
        let mut redriven = 0;
        loop {
            let messages = self.receive(dead_letters).await?;
            if messages.is_empty() {
                return Ok(redriven);
            }
            for message in messages {
                let (body, attributes) =
                    (message.body.unwrap_or_default(), message.message_attributes.unwrap_or_default());
                self.send_with(queue, body, Duration::ZERO, attributes).await?;
                let receipt = message.receipt_handle.unwrap_or_default();
                let deleted = self.client.delete_message().queue_url(dead_letters).receipt_handle(receipt).send().await;
                deleted.map_err(|error| AwsError::of("SQS", "DeleteMessage", dead_letters, &error))?;
                redriven += 1;
            }
        }
    }

    async fn receive(&self, url: &str) -> Result<Vec<Message>, AwsError> {
        let request =
            self.client.receive_message().queue_url(url).max_number_of_messages(10).message_attribute_names("All");
        let received = request.visibility_timeout(VISIBILITY_TIMEOUT.as_secs() as i32).send().await;
        let received = received.map_err(|error| AwsError::of("SQS", "ReceiveMessage", url, &error))?;
        Ok(received.messages.unwrap_or_default())
    }
}
