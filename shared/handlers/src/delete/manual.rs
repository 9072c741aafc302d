//! Deletions that the operator requests.

use std::time::Duration;

use aws::metrics::Metric;
use aws::queues::Queue;
use domain::actor::ActorId;
use domain::lifecycle::deletion::Version;
use domain::messages::{Cause, EvaluationCommand};
use domain::numbering::number_of;
use domain::plan::MANUAL;
use jiff::Timestamp;
use tokio::time::Instant;
use tracing::{info, warn};

use super::{Deletion, Outcome, check_time};
use crate::base_image::BaseImages;
use crate::listing::FolderSnapshot;
use crate::{HandlerError, Message, actors};

/// The delay after a file was replaced during its deletion.
const REPLACED_FILE_DELAY: Duration = Duration::from_secs(2);

/// The id of a message's deletions: the same at each delivery, so that no image is deleted twice, and one place in the
/// trash holds all of them. A deferred copy has another message id, and only a `request_id` identifies it. A message
/// without a time is an event file, which may contain the id of another message.
pub(super) fn deletion_id(request_id: Option<&str>, message: Message<'_>, now: Timestamp) -> String {
    let is_plain = |id: &&str| id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    let message_id = message.sent_at.map(|_| message.id).filter(is_plain);
    match request_id.or(message_id) {
        Some(id) => format!("{MANUAL}{id}"),
        None => format!("{MANUAL}{}", now.as_millisecond()),
    }
}

impl Deletion {
    pub(super) async fn delete_manually(
        &self,
        actor: &ActorId,
        deletion_id: &str,
        filenames: &[String],
    ) -> Result<(), HandlerError> {
        let places = BaseImages { bucket: &self.bucket, keys: &self.keys, local: &self.local };
        actors::reject_unknown(&self.store, places, actor).await?;
        let (mut pinned, mut has_changed) = (Vec::new(), false);
        let deadline = Instant::now() + self.time_budget;
        let mut folder = self.folder(actor).await?;
        for filename in filenames {
            if has_changed {
                check_time(deadline)?;
            }
            match self.delete_requested_image(actor, deletion_id, filename, &folder).await? {
                Outcome::Deleted => {
                    info!(%actor, filename, "deleted on manual request");
                    Metric::ImagesDeleted(1).emit();
                    folder.remove(filename);
                    has_changed = true;
                }
                Outcome::DeletedBefore => {
                    warn!(%actor, filename, "not deleted: this request has deleted an earlier file of this name")
                }
                Outcome::Pinned => pinned.push(filename.as_str()),
                Outcome::Missing => warn!(%actor, filename, "not deleted: no such image"),
                Outcome::RecordRemoved => {
                    warn!(%actor, filename, "not deleted: no longer in the bucket");
                    has_changed = true;
                }
                Outcome::Replaced => {
                    let reason = format!("{filename} was replaced during its deletion");
                    return Err(HandlerError::deferred(reason, REPLACED_FILE_DELAY));
                }
            }
        }
        if has_changed || !self.is_evaluated_since(actor, deletion_id, filenames).await? {
            let command = EvaluationCommand::because(actor.clone(), Cause::Manual);
            self.queues.send(Queue::Evaluation, &command, Duration::ZERO).await?;
        }
        if pinned.is_empty() {
            return Ok(());
        }
        Err(HandlerError::Rejected(format!(
            "not deleted, because pinned: {}; unpin them with `balancer unpin {actor} FILE…` and delete them again",
            pinned.join(", ")
        )))
    }

    /// Whether an evaluation has begun after earlier deliveries deleted all these files, so that none is needed.
    async fn is_evaluated_since(
        &self,
        actor: &ActorId,
        deletion_id: &str,
        filenames: &[String],
    ) -> Result<bool, HandlerError> {
        let Some(evaluated_at) = self.store.actor(actor).await?.and_then(|record| record.evaluated_at) else {
            return Ok(false);
        };
        for filename in filenames {
            let deleted_at = self.store.deletion_over_at(actor, filename, deletion_id).await?;
            if deleted_at.is_none_or(|deleted_at| deleted_at >= evaluated_at) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn delete_requested_image(
        &self,
        actor: &ActorId,
        deletion_id: &str,
        filename: &str,
        folder: &FolderSnapshot,
    ) -> Result<Outcome, HandlerError> {
        let known = self.store.image(actor, filename).await?;
        let has_begun = known.as_ref().is_some_and(|image| image.deleting.is_some());
        let etag = self.bucket.etag(&self.keys.image(actor, filename)).await?;
        if etag.is_none() && !has_begun {
            if !folder.sidecars_of(filename).is_empty()
                && let Some(kept) = self.store.trashed(actor, filename, deletion_id).await?
            {
                self.trash_sidecars(actor, filename, &kept).await?;
            }
            return self.remove_record(actor, deletion_id, filename, known.as_ref()).await;
        }
        // The file may be deleted before an evaluation has seen it, but its number counts as used.
        self.store.raise_last_number(actor, number_of(filename)).await?;
        let etag = etag.unwrap_or_default();
        let wanted = self.trash_record(actor, filename, deletion_id, &etag, "Deleted on manual request.", folder);
        self.delete(actor, filename, &wanted, Version::Any).await
    }
}
