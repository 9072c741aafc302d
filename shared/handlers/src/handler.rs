//! The contract of the three handlers. Every handler is idempotent: if processing stops after any call, handling the
//! message again ends as an undisturbed run would have ended.

use std::time::Duration;

use aws::AwsError;
use aws::queues::Queue;
use aws::store::StoreError;
use domain::messages::InvalidMessage;
use jiff::Timestamp;
use providers::generator::GeneratorError;
use providers::vision::VisionError;

use crate::local_copy::LocalCopyError;
use crate::panics::Panicked;

/// Processes the messages of one queue.
#[expect(async_fn_in_trait, reason = "used inside this workspace only, where every future is Send")]
pub trait Handler {
    const QUEUE: Queue;

    /// Processes one message.
    ///
    /// # Errors
    /// A [`HandlerError`], whose variant decides whether the message is rejected, deferred or retried.
    async fn handle(&self, message: Message<'_>) -> Result<(), HandlerError>;
}

/// An SQS message.
#[derive(Debug, Clone, Copy)]
pub struct Message<'a> {
    /// The id of the request: the same for all deliveries and deferred copies of a message.
    pub request_id: &'a str,
    pub body: &'a str,
    /// When SQS received the first copy, if known.
    pub first_sent_at: Option<Timestamp>,
}

/// Why a message was not processed to its end.
#[derive(Debug, thiserror::Error)]
pub enum HandlerError {
    /// The message can never be carried out. It is recorded with this reason and acknowledged.
    #[error("{0}")]
    Rejected(String),
    /// The message must wait. It is replaced by a copy that is delivered after the delay.
    #[error("{reason}")]
    Deferred { reason: String, after: Duration },
    /// The operator must act first; the sentence names the remedy. Handlers turn this into a status or a rejection.
    #[error("{0}")]
    NeedsOperator(String),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Aws(#[from] AwsError),
    #[error(transparent)]
    LocalCopy(#[from] LocalCopyError),
    #[error(transparent)]
    Vision(#[from] VisionError),
    #[error(transparent)]
    Generator(#[from] GeneratorError),
    #[error("an image can't be encoded: {0}")]
    Encoding(#[from] image::ImageError),
    #[error(transparent)]
    Panicked(#[from] Panicked),
    /// A blocking computation was cancelled or panicked.
    #[error("the computation was interrupted: {0}")]
    Interrupted(#[from] tokio::task::JoinError),
}

impl From<InvalidMessage> for HandlerError {
    fn from(invalid: InvalidMessage) -> Self {
        Self::Rejected(invalid.to_string())
    }
}

impl HandlerError {
    pub(crate) fn deferred(reason: impl Into<String>, after: Duration) -> Self {
        Self::Deferred { reason: reason.into(), after }
    }

    /// Rejects the message of a request that only the operator can unblock, for requests that nothing repeats.
    pub(crate) fn into_rejection(self) -> Self {
        match self {
            Self::NeedsOperator(problem) => Self::Rejected(problem),
            other => other,
        }
    }
}

/// A new lease token. It is unique even if SQS delivers one message to two workers in the same millisecond.
pub(crate) fn lease_token(request_id: &str, now: Timestamp) -> String {
    format!("{request_id}@{}-{:08x}", now.as_millisecond(), rand::random::<u32>())
}
