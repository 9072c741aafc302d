//! Deletion: images leave S3 (to the trash), the local copy and the manifest.

mod sidecars;

use std::time::Duration;

use aws::bucket::{Bucket, IfUnchanged};
use aws::metrics::Metric;
use aws::queues::{Queue, Queues};
use aws::store::Store;
use aws::store::trash::{Claim, Version};
use domain::actor::ActorId;
use domain::keys::Keys;
use domain::manifest::{Image, UPLOADED, timestamp_text};
use domain::messages::{Cause, DeletionMessage, EvaluationCommand};
use domain::numbering::number_of;
use domain::plan::{MANUAL, Plan, PlannedDeletion};
use domain::trash::TrashRecord;
use jiff::Timestamp;
use tokio::time::Instant;
use tracing::{info, warn};

use super::base_image::BaseImages;
use super::dispatch::{dispatch_slots, evaluate_if_done};
use super::listing::Folder;
use super::{Clock, Handler, HandlerError, Message, actors};
use crate::local_copy::LocalCopy;

/// When to look again at a file that was replaced while it was deleted by hand.
const AFTER_REPLACEMENT: Duration = Duration::from_secs(2);

/// How long one message's images are deleted one after the other. With what the last one takes, it stays below what a
/// function may take; the records say where to go on.
pub const TIME_BUDGET: Duration = Duration::from_secs(80);

/// When to go on where only the time was up.
const AT_ONCE: Duration = Duration::from_secs(1);

/// The deletion stage.
#[derive(Clone)]
pub struct Deletion {
    /// Where the images lie.
    pub bucket: Bucket,
    /// Where the manifests lie.
    pub store: Store,
    /// What comes next.
    pub queues: Queues,
    /// The same images as plain files.
    pub local: LocalCopy,
    /// Where things lie in the bucket.
    pub keys: Keys,
    /// For how long images are deleted; [`TIME_BUDGET`], but for tests.
    pub time_budget: Duration,
    /// What the time is.
    pub clock: Clock,
}

impl Handler for Deletion {
    const QUEUE: Queue = Queue::Deletion;

    async fn handle(&self, message: Message<'_>) -> Result<(), HandlerError> {
        match DeletionMessage::parse(message.body)? {
            DeletionMessage::Planned { actor_id, plan_id } => self.carry_out(&actor_id, &plan_id).await,
            DeletionMessage::Manual { actor_id, filenames, request_id } => {
                let name = manual_deletion_id(request_id.as_deref(), message, self.clock.now());
                self.delete_manually(&actor_id, &name, &filenames).await
            }
        }
    }
}

/// What the deletions of a message are called that was sent by hand: the same at each delivery, so that none is carried
/// out twice, and what they put into the trash belongs together. A copy of the message has another id, and is known only
/// by its `request_id`. An event that somebody has written may bear the id of another one; it has no time.
fn manual_deletion_id(request_id: Option<&str>, message: Message<'_>, now: Timestamp) -> String {
    let is_plain = |name: &&str| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    let id = message.sent_at.map(|_| message.id).filter(is_plain);
    match request_id.or(id) {
        Some(name) => format!("{MANUAL}{name}"),
        None => format!("{MANUAL}{}", now.as_millisecond()),
    }
}

/// How the deletion of one image ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    /// It is in the trash.
    Deleted,
    /// This deletion had put it there before. What bears its name now has come since, or was put back.
    Over,
    /// It stays, because somebody wants it to.
    Pinned,
    /// It stays, because it is another one than was meant.
    Replaced,
    /// It had gone before.
    Missing,
    /// It had gone before, and now its record has too.
    Forgotten,
}

impl Deletion {
    async fn carry_out(&self, actor: &ActorId, plan_id: &str) -> Result<(), HandlerError> {
        let Some(plan) = self.store.plan(actor, plan_id).await? else {
            return Err(HandlerError::Rejected(format!("{actor} has no plan {plan_id}")));
        };
        if !plan.may_be_carried_out() {
            self.end_what_has_begun(actor, &plan).await?;
            self.tell_of_changes(actor, &plan).await?;
            return Err(HandlerError::Rejected(format!("plan {plan_id} of {actor} is not to be carried out any more")));
        }
        if !plan.deletions_done {
            let deleted = self.delete_planned(actor, &plan).await?;
            self.store.finish_deletions(actor, plan_id, deleted).await?;
        }
        dispatch_slots(&self.queues, actor, &plan).await?;
        let changed = (!plan.delete.is_empty()).then(|| self.clock.now());
        evaluate_if_done(&self.store, &self.queues, &self.clock, actor, plan_id, changed).await
    }

    async fn delete_planned(&self, actor: &ActorId, plan: &Plan) -> Result<u32, HandlerError> {
        let mut deleted = 0;
        let until = Instant::now() + self.time_budget;
        let mut folder = self.folder(actor).await?;
        for deletion in &plan.delete {
            in_time(until)?;
            let (filename, plan_id) = (&deletion.filename, &plan.plan_id);
            match self.delete_one_of_plan(actor, plan_id, deletion, &folder).await? {
                Ended::Deleted => {
                    info!(%actor, plan_id, filename, reason = deletion.reason, "deleted");
                    Metric::ImagesDeleted(1).emit();
                    folder.remove(filename);
                    deleted += 1;
                }
                Ended::Over => deleted += 1,
                Ended::Pinned => info!(%actor, plan_id, filename, "not deleted: it has been pinned"),
                Ended::Replaced => warn!(%actor, plan_id, filename, "not deleted: it was replaced since it was judged"),
                Ended::Missing | Ended::Forgotten => {
                    warn!(%actor, plan_id, filename, "not deleted: it had gone before");
                }
            }
        }
        Ok(deleted)
    }

    async fn delete_one_of_plan(
        &self,
        actor: &ActorId,
        plan_id: &str,
        deletion: &PlannedDeletion,
        folder: &Folder,
    ) -> Result<Ended, HandlerError> {
        let PlannedDeletion { filename, etag, reason } = deletion;
        let wanted = self.trashed(actor, filename, plan_id, etag, reason, folder);
        self.delete(actor, filename, &wanted, Version::Assessed).await
    }

    /// The plan was overtaken while it deleted: an image that it has claimed would stay claimed for ever.
    async fn end_what_has_begun(&self, actor: &ActorId, plan: &Plan) -> Result<(), HandlerError> {
        for deletion in &plan.delete {
            let claimed_by = self.store.image(actor, &deletion.filename).await?.and_then(|image| image.deleting);
            if claimed_by.as_ref() == Some(&plan.plan_id) {
                let folder = self.folder(actor).await?;
                self.delete_one_of_plan(actor, &plan.plan_id, deletion, &folder).await?;
            }
        }
        Ok(())
    }

    /// The evaluation that overtook the plan may not have seen what the plan has deleted since, and the worker that did
    /// may have been cut off before it could say so.
    async fn tell_of_changes(&self, actor: &ActorId, plan: &Plan) -> Result<(), HandlerError> {
        let mut changed = None;
        for deletion in &plan.delete {
            changed = changed.max(self.store.deletion_over_at(actor, &deletion.filename, &plan.plan_id).await?);
        }
        evaluate_if_done(&self.store, &self.queues, &self.clock, actor, &plan.plan_id, changed).await
    }

    async fn delete_manually(&self, actor: &ActorId, name: &str, filenames: &[String]) -> Result<(), HandlerError> {
        let places = BaseImages { bucket: &self.bucket, keys: &self.keys, local: &self.local };
        actors::reject_unknown(&self.store, places, actor).await?;
        let (mut pinned, mut has_changed) = (Vec::new(), false);
        let until = Instant::now() + self.time_budget;
        let mut folder = self.folder(actor).await?;
        for filename in filenames {
            in_time(until)?;
            match self.delete_one_manually(actor, name, filename, &folder).await? {
                Ended::Deleted => {
                    info!(%actor, filename, "deleted by hand");
                    Metric::ImagesDeleted(1).emit();
                    folder.remove(filename);
                    has_changed = true;
                }
                Ended::Over => {
                    warn!(%actor, filename, "not deleted: this message has deleted what bore its name before")
                }
                Ended::Pinned => pinned.push(filename.as_str()),
                Ended::Missing => warn!(%actor, filename, "not deleted: there is no such image"),
                Ended::Forgotten => {
                    warn!(%actor, filename, "not deleted: it had gone before");
                    has_changed = true;
                }
                Ended::Replaced => {
                    return Err(HandlerError::deferred(
                        format!("{filename} was replaced meanwhile"),
                        AFTER_REPLACEMENT,
                    ));
                }
            }
        }
        if has_changed || !self.is_evaluated_since(actor, name, filenames).await? {
            let command = EvaluationCommand::because(actor.clone(), Cause::Manual);
            self.queues.send(Queue::Evaluation, &command, Duration::ZERO).await?;
        }
        if pinned.is_empty() {
            return Ok(());
        }
        Err(HandlerError::Rejected(format!(
            "not deleted, because pinned: {}; let them go with `balancer unpin {actor} FILE…` and delete them again",
            pinned.join(", ")
        )))
    }

    /// Whether an evaluation has seen the set without these files already: they were deleted by earlier deliveries of the
    /// message, whose evaluation need not be asked for again.
    async fn is_evaluated_since(
        &self,
        actor: &ActorId,
        name: &str,
        filenames: &[String],
    ) -> Result<bool, HandlerError> {
        let Some(evaluated) = self.store.actor(actor).await?.and_then(|record| record.evaluated_at) else {
            return Ok(false);
        };
        for filename in filenames {
            if self.store.deletion_over_at(actor, filename, name).await?.is_none_or(|over| over >= evaluated) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The actor's files. One listing serves all deletions of a message, since most images have no sidecars.
    async fn folder(&self, actor: &ActorId) -> Result<Folder, HandlerError> {
        Ok(Folder::list(&self.bucket, &self.keys, actor, "").await?)
    }

    async fn delete_one_manually(
        &self,
        actor: &ActorId,
        name: &str,
        filename: &str,
        folder: &Folder,
    ) -> Result<Ended, HandlerError> {
        let known = self.store.image(actor, filename).await?;
        let has_begun = known.as_ref().is_some_and(|image| image.deleting.is_some());
        let etag = self.bucket.etag(&self.keys.image(actor, filename)).await?;
        if etag.is_none() && !has_begun {
            if !folder.sidecars_of(filename).is_empty()
                && let Some(kept) = self.store.trashed(actor, filename, name).await?
            {
                self.trash_sidecars(actor, filename, &kept).await?;
            }
            return self.forget(actor, name, filename, known.as_ref()).await;
        }
        // Perhaps nobody has looked at the file yet; its number has been used all the same.
        self.store.raise_last_number(actor, number_of(filename)).await?;
        let wanted = self.trashed(actor, filename, name, &etag.unwrap_or_default(), "Deleted by hand.", folder);
        self.delete(actor, filename, &wanted, Version::Any).await
    }

    /// Moves one version of an image to the trash. Cut off anywhere and repeated, it ends the same: the claim comes
    /// before everything else, and goes with the image's record when all is done.
    async fn delete(
        &self,
        actor: &ActorId,
        filename: &str,
        wanted: &TrashRecord,
        version: Version,
    ) -> Result<Ended, HandlerError> {
        let begun = match self.store.begin_deletion(actor, filename, wanted, version).await? {
            Claim::Begun(begun) => begun,
            Claim::Over(kept) => {
                // An evaluation may have completed the interrupted deletion before its sidecars were moved.
                self.trash_sidecars(actor, filename, &kept).await?;
                return Ok(Ended::Over);
            }
            Claim::Pinned => return Ok(Ended::Pinned),
            Claim::Replaced => return Ok(Ended::Replaced),
        };
        let ended = self.carry_through(actor, filename, &begun.trashed).await?;
        self.store.leave_deletion(actor, filename, &begun, self.clock.now()).await?;
        Ok(ended)
    }

    async fn carry_through(&self, actor: &ActorId, filename: &str, begun: &TrashRecord) -> Result<Ended, HandlerError> {
        let TrashRecord { plan_id, image, .. } = begun;
        let etag = image.etag.clone().unwrap_or_default();
        let (key, trash) = (self.keys.image(actor, filename), self.keys.trash(actor, plan_id, filename));
        let deleted = match self.bucket.copy_if(&key, &trash, &etag).await? {
            IfUnchanged::Done => self.bucket.delete_if(&key, &etag).await?,
            unchanged => unchanged,
        };
        if deleted == IfUnchanged::Changed {
            // What lies in the trash was deleted by an earlier attempt, or lost its place to another file: it is
            // nowhere else any more.
            let has_copy = self.bucket.etag(&trash).await?.is_some();
            self.store.take_deletion_back(actor, filename, plan_id, has_copy).await?;
            return Ok(Ended::Replaced);
        }
        let kept_locally = self.trash_local_copy(actor, plan_id, filename, &trash).await?;
        // What is missing may have been moved by an earlier attempt. If it was not, nothing can be restored.
        let ended = match deleted {
            IfUnchanged::Missing if !kept_locally && self.bucket.etag(&trash).await?.is_none() => Ended::Missing,
            _ => Ended::Deleted,
        };
        if ended == Ended::Missing {
            self.store.forget_trashed(actor, filename, plan_id).await?;
        } else {
            self.trash_sidecars(actor, filename, begun).await?;
        }
        self.store.end_deletion(actor, filename, plan_id).await?;
        Ok(ended)
    }

    /// Says whether the local trash has the image.
    async fn trash_local_copy(
        &self,
        actor: &ActorId,
        plan_id: &str,
        filename: &str,
        trash: &str,
    ) -> Result<bool, HandlerError> {
        if self.local.actor_dir(actor).is_none() {
            return Ok(false);
        }
        let content = self.bucket.get(trash).await?.map(|object| object.bytes);
        Ok(self.local.trash(actor, plan_id, filename, content.as_deref()).await?)
    }

    /// What is left to do for an image that is not in the bucket, and whose deletion never began.
    async fn forget(
        &self,
        actor: &ActorId,
        name: &str,
        filename: &str,
        known: Option<&Image>,
    ) -> Result<Ended, HandlerError> {
        // A file that only the local copy has is on its way into the bucket.
        let Some(image) = known else { return Ok(Ended::Missing) };
        if image.pinned {
            return Ok(Ended::Pinned);
        }
        self.local.trash(actor, name, filename, None).await?;
        self.store.forget_vanished(actor, filename, image).await?;
        Ok(Ended::Forgotten)
    }

    /// The record of the trash for this version of a file, with what can be said of one that nobody has looked at yet.
    fn trashed(
        &self,
        actor: &ActorId,
        filename: &str,
        plan_id: &str,
        etag: &str,
        reason: &str,
        folder: &Folder,
    ) -> TrashRecord {
        let now = self.clock.now();
        let image = Image {
            generated_at: Some(timestamp_text(now)),
            s3_url: Some(self.bucket.url(&self.keys.image(actor, filename))),
            local_path: self.local.image_path(actor, filename).map(|path| path.display().to_string()),
            index: number_of(filename),
            generation_type: Some(UPLOADED.to_owned()),
            etag: Some(etag.to_owned()),
            ..Image::default()
        };
        let sidecars = folder.sidecars_of(filename);
        TrashRecord { plan_id: plan_id.to_owned(), deleted_at: now, reason: reason.to_owned(), image, sidecars }
    }
}

fn in_time(until: Instant) -> Result<(), HandlerError> {
    if Instant::now() < until {
        return Ok(());
    }
    Err(HandlerError::deferred("deleting takes longer than one function may; it goes on", AT_ONCE))
}
