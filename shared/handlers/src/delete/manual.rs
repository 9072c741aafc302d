//! Deletions that the operator requests.

use std::time::Duration;

use aws::metrics::Metric;
use aws::queues::Queue;
use domain::actor::ActorId;
use domain::lifecycle::deletion::Version;
use domain::messages::{Cause, EvaluationCommand, derived_request_id};
use domain::numbering::number_of;
use tokio::time::Instant;
use tracing::{info, warn};

use super::{Deletion, Outcome, check_time};
use crate::base_image::BaseImages;
use crate::listing::FolderSnapshot;
use crate::{HandlerError, actors};

/// The delay after a file was replaced during its deletion.
const REPLACED_FILE_DELAY: Duration = Duration::from_secs(2);

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
        let mut command = EvaluationCommand::because(actor.clone(), Cause::Manual);
        command.request_id = Some(self.evaluation_id(actor, deletion_id, filenames).await?);
        self.queues.send(Queue::Evaluation, &command, Duration::ZERO).await?;
        if pinned.is_empty() {
            return Ok(());
        }
        Err(HandlerError::Rejected(format!(
            "not deleted, because pinned: {}; unpin them with `balancer unpin {actor} FILE…` and delete them again",
            pinned.join(", ")
        )))
    }

    /// The id of the evaluation request that follows these deletions. Repeated deliveries send the same request, which is
    /// evaluated once. A delivery that deletes an image again, which was restored meanwhile, sends another one.
    async fn evaluation_id(
        &self,
        actor: &ActorId,
        deletion_id: &str,
        filenames: &[String],
    ) -> Result<String, HandlerError> {
        let mut deletions = deletion_id.to_owned();
        for filename in filenames {
            if let Some(trashed) = self.store.trashed(actor, filename, deletion_id).await? {
                deletions += &format!(" {filename} {}", trashed.deleted_at.as_millisecond());
            }
        }
        Ok(derived_request_id(&deletions))
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
