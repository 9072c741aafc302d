//! Messages that can't be carried out, kept for the operator.

use jiff::Timestamp;
use jiff::fmt::serde::timestamp::second;
use serde::{Deserialize, Serialize};

use super::items;
use super::{Store, StoreError};

const PARTITION: &str = "REJECTED";

/// What every sort key starts with, since a query must name something.
const THIS_MILLENNIUM: &str = "2";

/// How long a rejection is kept.
const REJECTION_RETENTION: jiff::SignedDuration = jiff::SignedDuration::from_hours(30 * 24);

/// Characters of a rejected body that are kept.
const MAX_BODY_CHARS: usize = 2_000;

/// A message that was rejected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejection {
    /// When.
    pub rejected_at: Timestamp,
    /// Which queue it came from.
    pub queue: String,
    /// SQS's name for it.
    pub message_id: String,
    /// Why, and what to do.
    pub reason: String,
    /// How its body begins.
    pub body: String,
    /// When `DynamoDB` may forget it, in seconds since 1970.
    #[serde(with = "second::required")]
    pub expires_at: Timestamp,
}

impl Rejection {
    /// The message `message_id` of `queue` is rejected now.
    #[must_use]
    pub fn new(now: Timestamp, queue: &str, message_id: &str, reason: String, body: &str) -> Self {
        Self {
            rejected_at: now,
            queue: queue.to_owned(),
            message_id: message_id.to_owned(),
            reason,
            body: body.chars().take(MAX_BODY_CHARS).collect(),
            expires_at: now + REJECTION_RETENTION,
        }
    }
}

impl Store {
    /// Keeps a rejection.
    ///
    /// # Errors
    /// If the table can't be written.
    pub async fn reject(&self, rejection: &Rejection) -> Result<(), StoreError> {
        let sort = format!("{:.3}#{}", rejection.rejected_at, rejection.message_id);
        let item = items::item(items::raw_key(PARTITION, sort), rejection)?;
        let put = self.client.put_item().table_name(&self.table).set_item(Some(item)).send().await;
        put.map(drop).map_err(|error| self.error("PutItem", PARTITION, &error))
    }

    /// The rejections that are kept, the oldest first.
    ///
    /// # Errors
    /// If the table can't be read.
    pub async fn rejections(&self) -> Result<Vec<Rejection>, StoreError> {
        self.query_partition(PARTITION.to_owned(), THIS_MILLENNIUM).await?.into_iter().map(items::data).collect()
    }
}
