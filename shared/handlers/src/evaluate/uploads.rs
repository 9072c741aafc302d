//! Records uploads, and schedules one evaluation for each burst of them.

use aws::store::StoreError;
use aws::store::actors::ActorRecord;
use domain::actor::ActorId;
use domain::files::{Inventory, is_image_name};
use domain::manifest::Image;
use domain::messages::{Upload, derived_request_id};
use domain::numbering::number_of;
use domain::prompts::PROMPTS_FILE;
use domain::settings::ACTOR_FILE;
use domain::status::Status;
use tracing::{Span, debug, info};

use super::Evaluation;
use crate::HandlerError;
use crate::dispatch::schedule_evaluation;

/// How many verdicts may come while one event is handled before its message fails.
const MAX_VERDICTS: u32 = 10;

impl Evaluation {
    /// Records every valid upload, and rejects the others together.
    pub(super) async fn record_uploads(&self, uploads: &[Upload], request_id: &str) -> Result<(), HandlerError> {
        let mut rejected = Vec::new();
        for upload in uploads {
            match self.record_upload(upload, request_id).await {
                Err(HandlerError::Rejected(reason)) => rejected.push(reason),
                recorded => recorded?,
            }
        }
        if rejected.is_empty() { Ok(()) } else { Err(HandlerError::Rejected(rejected.join("; "))) }
    }

    async fn record_upload(&self, upload: &Upload, request_id: &str) -> Result<(), HandlerError> {
        if !upload.bucket.is_empty() && upload.bucket != self.bucket.name() {
            return Err(HandlerError::Rejected(format!(
                "{} landed in the bucket {}, but this stack keeps {}",
                upload.key,
                upload.bucket,
                self.bucket.name()
            )));
        }
        // Files in subfolders and unreadable files count too, because the evaluation reports them. Other settings may
        // require other images.
        let place = self.keys.split_training_data(&upload.key);
        let is_news = |name: &str| is_of_actor(name) || Inventory::of([name]).concerns_images();
        let Some((folder, filename)) = place.filter(|(_, name)| is_news(name)) else {
            debug!(key = upload.key, "neither an image nor the settings or the prompts of an actor");
            return Ok(());
        };
        let actor: ActorId = folder
            .parse()
            .map_err(|invalid| HandlerError::Rejected(format!("{} landed, but {invalid}", upload.key)))?;
        Span::current().record("actor", actor.as_str());
        let record = self.note_news(&actor, filename, upload, request_id).await?;
        let Some(record) = record else { return Ok(()) };
        schedule_evaluation(&self.store, &self.queues, &self.clock, &actor, &record, self.quiet).await
    }

    /// Raises the revision if the event tells news. Returns the actor's record; `None` if there is nothing to evaluate.
    async fn note_news(
        &self,
        actor: &ActorId,
        filename: &str,
        upload: &Upload,
        request_id: &str,
    ) -> Result<Option<ActorRecord>, HandlerError> {
        for _ in 0..MAX_VERDICTS {
            let seen = self.store.actor(actor).await?.unwrap_or_default();
            match self.news(actor, filename, upload, &seen).await? {
                News::None => return Ok(None),
                News::Known => return Ok(Some(seen)),
                News::OtherFile | News::Repetition => {
                    info!(%actor, filename, "upload");
                    return Ok(Some(self.raise_once(actor, upload, request_id).await?));
                }
                News::Image => {
                    info!(%actor, filename, "upload");
                    // The file may be deleted before an evaluation has seen it, but its number counts as used.
                    self.store.raise_last_number(actor, number_of(filename)).await?;
                    let raised = self.store.raise_revision_of(actor, &seen, self.clock.now()).await?;
                    if raised.is_some() {
                        return Ok(raised);
                    }
                }
            }
        }
        Err(StoreError::Contended("evaluate the actor").into())
    }

    /// Raises the revision once for this change of the object, however often its event is repeated.
    async fn raise_once(
        &self,
        actor: &ActorId,
        upload: &Upload,
        request_id: &str,
    ) -> Result<ActorRecord, HandlerError> {
        // S3 numbers the changes of each key.
        let id = derived_request_id(&format!("{} {}", upload.key, upload.sequencer.as_deref().unwrap_or(request_id)));
        Ok(self.store.raise_revision_once(actor, &id, self.clock.now()).await?.0)
    }

    /// What the event of an upload tells. Events are late and repeated, so the image record decides: if it describes the
    /// object, an evaluation has recorded the object, or the generation handler wrote it.
    async fn news(
        &self,
        actor: &ActorId,
        filename: &str,
        upload: &Upload,
        record: &ActorRecord,
    ) -> Result<News, HandlerError> {
        let is_pending = record.is_evaluation_pending();
        if is_of_actor(filename) && !is_pending && self.store.images(actor).await?.is_empty() {
            // The settings may arrive before the images, and alone they would have a whole set generated. A pending
            // evaluation may have read the file already.
            info!(%actor, filename, "no images yet");
            return Ok(News::None);
        }
        if !is_image_name(filename) || filename.contains('/') {
            return Ok(News::OtherFile);
        }
        let known = self.store.image(actor, filename).await?;
        let is_described = |etag: Option<&String>| {
            known.as_ref().is_some_and(|image| is_being_placed(image) || etag.is_some() && image.etag.as_ref() == etag)
        };
        if !is_described(upload.etag.as_ref()) {
            let present = self.bucket.etag(&self.keys.image(actor, filename)).await?;
            if present.is_none() {
                info!(%actor, filename, "the uploaded file is gone");
                return Ok(News::None);
            }
            if !is_described(present.as_ref()) {
                return Ok(News::Image);
            }
        }
        if let Some(plan_id) = known.and_then(|image| image.plan_id)
            && (record.status != Status::Waiting || self.store.plan(actor, &plan_id).await?.is_some())
        {
            // The completion of its plan triggers the evaluation of a generated image. An imported image has no plan.
            return Ok(News::Known);
        }
        Ok(match record.status {
            // No evaluation has observed the object that an imported record describes.
            Status::Waiting => News::Image,
            _ if record.registered_unobserved => News::Image,
            Status::NeedsAttention => News::Repetition,
            Status::Balancing | Status::Parked | Status::Balanced => News::Known,
        })
    }
}

/// What the event of an upload tells.
enum News {
    /// Nothing: the file is gone, or no image needs it yet.
    None,
    /// The table describes the object.
    Known,
    /// The table describes the object, but its set needs attention. The user may have uploaded it again to request
    /// another attempt.
    Repetition,
    /// An image that the table doesn't describe, or that no evaluation of full scope has observed.
    Image,
    /// A file that has no record: the settings, the prompts, or one that evaluations report.
    OtherFile,
}

/// Whether a file beside the images changes what becomes of their set.
fn is_of_actor(filename: &str) -> bool {
    [ACTOR_FILE, PROMPTS_FILE].contains(&filename)
}

/// Whether the generation handler is about to record that the object of this image is in its place. The completion of
/// its plan triggers an evaluation, which counts as the next round.
fn is_being_placed(image: &Image) -> bool {
    image.plan_id.is_some() && image.etag.is_none()
}
