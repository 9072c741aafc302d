//! Records uploads, and schedules one evaluation for each burst of them.

use std::time::Duration;

use aws::store::Store;
use domain::actor::ActorId;
use domain::files::{Inventory, is_image_name};
use domain::manifest::Image;
use domain::messages::Upload;
use domain::numbering::number_of;
use domain::trash::TrashRecord;
use tracing::{Span, debug, info};

use super::Evaluation;
use crate::HandlerError;
use crate::clock::plausible;
use crate::dispatch::schedule_evaluation;

/// The uncertainty of an upload's time: S3 reports whole seconds, and clocks differ. Half of the quiet time is used if
/// it is longer; it is shorter than the wait before an evaluation of uploads begins.
const MAX_CLOCK_SKEW: Duration = Duration::from_secs(2);

impl Evaluation {
    /// Records every valid upload, and rejects the others together.
    pub(super) async fn record_uploads(&self, uploads: &[Upload]) -> Result<(), HandlerError> {
        let mut rejected = Vec::new();
        for upload in uploads {
            match self.record_upload(upload).await {
                Err(HandlerError::Rejected(reason)) => rejected.push(reason),
                recorded => recorded?,
            }
        }
        if rejected.is_empty() { Ok(()) } else { Err(HandlerError::Rejected(rejected.join("; "))) }
    }

    async fn record_upload(&self, upload: &Upload) -> Result<(), HandlerError> {
        if !upload.bucket.is_empty() && upload.bucket != self.bucket.name() {
            return Err(HandlerError::Rejected(format!(
                "{} landed in the bucket {}, but this stack keeps {}",
                upload.key,
                upload.bucket,
                self.bucket.name()
            )));
        }
        // Files in subfolders and unreadable files count too, because the evaluation reports them.
        let place = self.keys.split_training_data(&upload.key);
        let Some((folder, filename)) = place.filter(|(_, name)| Inventory::of([*name]).concerns_images()) else {
            debug!(key = upload.key, "not an image of an actor");
            return Ok(());
        };
        let actor: ActorId = folder
            .parse()
            .map_err(|invalid| HandlerError::Rejected(format!("{} landed, but {invalid}", upload.key)))?;
        Span::current().record("actor", actor.as_str());
        if is_written_by_generation(&self.store, &actor, filename, upload).await? {
            return Ok(());
        }
        info!(%actor, filename, "upload");
        // The file may be deleted before an evaluation has seen it, but its number counts as used.
        if is_image_name(filename) && !filename.contains('/') {
            self.store.raise_last_number(&actor, number_of(filename)).await?;
        }
        let now = self.clock.now();
        let landed_at = upload.landed_at.and_then(|landed| plausible(landed, now));
        let landed_by = landed_at.map(|landed| landed + (self.quiet / 2).max(MAX_CLOCK_SKEW));
        match self.store.record_upload(&actor, landed_by, now).await? {
            Some(record) => {
                schedule_evaluation(&self.store, &self.queues, &self.clock, &actor, &record, self.quiet).await
            }
            None => {
                info!(%actor, filename, "the upload has been evaluated already");
                Ok(())
            }
        }
    }
}

/// Whether the generation handler wrote this object. The completion of its plan triggers an evaluation, which counts as
/// the next round. Notifications may be so late that the image is in the trash already, so that is checked too.
async fn is_written_by_generation(
    store: &Store,
    actor: &ActorId,
    filename: &str,
    upload: &Upload,
) -> Result<bool, HandlerError> {
    let is_same = |image: &Image| image.plan_id.is_some() && (image.etag.is_none() || image.etag == upload.etag);
    if store.image(actor, filename).await?.is_some_and(|image| is_same(&image)) {
        return Ok(true);
    }
    // A file that landed after the deletion is an upload, even if it is the same image.
    let landed_before = |trashed: &TrashRecord| upload.landed_at.is_none_or(|landed| landed <= trashed.deleted_at);
    let trashed = store.trash_of(actor, filename).await?;
    Ok(trashed.iter().any(|trashed| is_same(&trashed.image) && landed_before(trashed)))
}
