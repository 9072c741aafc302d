//! The deletion handler: moves images from the set to the trash.

mod image;
mod manual;
mod planned;
mod sidecars;

use std::time::Duration;

use aws::bucket::Bucket;
use aws::queues::{Queue, Queues};
use aws::store::Store;
use domain::actor::ActorId;
use domain::keys::Keys;
use domain::messages::DeletionMessage;
use domain::plan::MANUAL;
use tokio::time::Instant;

use super::listing::FolderSnapshot;
use super::{Clock, Handler, HandlerError, Message};
use crate::heartbeat::Heartbeat;
use crate::local_copy::LocalCopy;

/// How long one message deletes images. Together with the last image this is less than the function's timeout; the
/// records tell the next delivery where to resume.
pub const TIME_BUDGET: Duration = Duration::from_secs(80);

/// The delay of a message whose time budget is used up.
const RESUME_DELAY: Duration = Duration::from_secs(1);

#[derive(Clone)]
pub struct Deletion {
    pub bucket: Bucket,
    pub store: Store,
    pub queues: Queues,
    pub local: LocalCopy,
    pub keys: Keys,
    /// [`TIME_BUDGET`], except in tests.
    pub time_budget: Duration,
    pub heartbeat: Heartbeat,
    pub clock: Clock,
}

impl Handler for Deletion {
    const QUEUE: Queue = Queue::Deletion;

    async fn handle(&self, message: Message<'_>) -> Result<(), HandlerError> {
        match DeletionMessage::parse(message.body)? {
            DeletionMessage::Planned { actor_id, plan_id } => self.execute_plan(&actor_id, &plan_id).await,
            DeletionMessage::Manual { actor_id, filenames, request_id } => {
                // One place in the trash holds all images of a request, and a repeated delivery deletes none twice.
                let deletion_id = format!("{MANUAL}{}", request_id.as_deref().unwrap_or(message.request_id));
                self.delete_manually(&actor_id, &deletion_id, &filenames).await
            }
        }
    }
}

/// How the deletion of one image ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// The image is in the trash.
    Deleted,
    /// An earlier delivery has deleted the image. A file of this name has been restored or uploaded since.
    DeletedBefore,
    /// The image stays because it is pinned.
    Pinned,
    /// The image stays because it is not the version that was to be deleted.
    Replaced,
    /// The bucket had no such image.
    Missing,
    /// The bucket had no such image; its record was removed.
    RecordRemoved,
}

impl Deletion {
    /// Lists the actor's files. One listing serves all deletions of a message, because most images have no sidecars.
    async fn folder(&self, actor: &ActorId) -> Result<FolderSnapshot, HandlerError> {
        Ok(FolderSnapshot::list(&self.bucket, &self.keys, actor, "").await?)
    }
}

/// Defers the message once its time budget is used up. Callers check the time only after a deletion, so that every
/// delivery makes progress.
fn check_time(deadline: Instant) -> Result<(), HandlerError> {
    if Instant::now() < deadline {
        return Ok(());
    }
    Err(HandlerError::deferred("the time budget for deletions is used up; the next delivery continues", RESUME_DELAY))
}
