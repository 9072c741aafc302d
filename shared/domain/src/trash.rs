//! Deleted images: what is kept of them, so that each can be put back as it was.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::manifest::Image;
use super::sidecars::Sidecar;

/// How long a deleted image can be put back. The bucket keeps the bytes as long.
pub const TRASH_RETENTION: SignedDuration = SignedDuration::from_hours(30 * 24);

/// How long a worker may be at a deletion after it has taken it up: as long as its function may run, and a little more.
pub const WORKER_TIMEOUT: SignedDuration = SignedDuration::from_secs(150);

/// An image that was deleted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrashRecord {
    /// The plan that deleted it, or `by-hand-` and the message that asked for it: the folder of the trash that it lies in.
    pub plan_id: String,
    /// When its deletion began, or was taken up again last.
    pub deleted_at: Timestamp,
    /// Why it had to go.
    pub reason: String,
    /// What the manifest said of it. Its `ETag` is that of the object which was deleted.
    pub image: Image,
    /// The sidecars in the bucket that go with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sidecars: Vec<Sidecar>,
}
