//! Rejected messages, kept for the operator.

use jiff::Timestamp;
use jiff::fmt::serde::timestamp::second;
use serde::{Deserialize, Serialize};

use super::items;
use super::{Store, StoreError};

const PARTITION: &str = "REJECTED";

/// The beginning of every sort key, because a query needs one.
const THIS_MILLENNIUM: &str = "2";

const REJECTION_RETENTION: jiff::SignedDuration = jiff::SignedDuration::from_hours(30 * 24);

/// The characters of a body that are kept.
const MAX_BODY_CHARS: usize = 2_000;

/// A message that was rejected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejection {
    pub rejected_at: Timestamp,
    pub queue: String,
    pub message_id: String,
    /// The reason, and the remedy.
    pub reason: String,
    /// The beginning of its body.
    pub body: String,
    /// When DynamoDB may remove the item, in seconds since 1970.
    #[serde(with = "second::required")]
    pub expires_at: Timestamp,
}

impl Rejection {
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
    pub async fn reject(&self, rejection: &Rejection) -> Result<(), StoreError> {
        let sort = format!("{:.3}#{}", rejection.rejected_at, rejection.message_id);
        let item = items::item(items::raw_key(PARTITION, sort), rejection)?;
        let put = self.client.put_item().table_name(&self.table).set_item(Some(item)).send().await;
        put.map(drop).map_err(|error| self.error("PutItem", PARTITION, &error))
    }

    /// All rejections, the oldest first.
    pub async fn rejections(&self) -> Result<Vec<Rejection>, StoreError> {
        self.query_partition(PARTITION.to_owned(), THIS_MILLENNIUM).await?.into_iter().map(items::data).collect()
    }
}
