//! Trash records: what `restore` needs to know about a deleted image.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::manifest::Image;
use super::sidecars::Sidecar;

/// The time for which a deleted image can be restored. The bucket's lifecycle rule keeps its object as long.
pub const TRASH_RETENTION: SignedDuration = SignedDuration::from_hours(30 * 24);

/// The longest time for which a worker can be busy with a deletion: the timeout of its function, and a margin.
pub const WORKER_TIMEOUT: SignedDuration = SignedDuration::from_secs(150);

/// The record of a deleted image.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrashRecord {
    /// The id of the deletion: the id of its plan, or [`MANUAL`](super::plan::MANUAL) and the id of the request. The
    /// image lies in the folder of the trash that has this name.
    pub plan_id: String,
    /// When the deletion began, or when a worker last resumed it.
    pub deleted_at: Timestamp,
    /// The reason of the deletion, as a sentence for the user.
    pub reason: String,
    /// The image record at that time. Its `ETag` is that of the deleted object.
    pub image: Image,
    /// The sidecars in the bucket that are deleted with the image.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sidecars: Vec<Sidecar>,
}

impl TrashRecord {
    /// The record for a claim under the id `plan_id`. It contains what the image record `known` states about the
    /// object, or, if that describes another object, only what still applies to its name.
    #[must_use]
    pub fn of_claim(plan_id: &str, known: Option<&Image>, wanted: &Self) -> Self {
        let image = known.map_or_else(|| wanted.image.clone(), |known| known.describing(wanted.image.etag.as_deref()));
        Self { plan_id: plan_id.to_owned(), image, ..wanted.clone() }
    }
}
