//! The deletion of one image.

use aws::bucket::IfUnchanged;
use aws::store::deletions::{Claim, Remains};
use aws::store::leases::Leased;
use domain::actor::ActorId;
use domain::lifecycle::deletion::Version;
use domain::manifest::{Image, UPLOADED, timestamp_text};
use domain::numbering::number_of;
use domain::trash::TrashRecord;

use super::{Deletion, Outcome};
use crate::heartbeat::{HeldLease, LEASE_POLL};
use crate::listing::FolderSnapshot;
use crate::panics::caught;
use crate::{HandlerError, lease_token};

impl Deletion {
    /// Moves one version of an image to the trash. It claims the image first and releases the claim with the image
    /// record last, so an interrupted deletion can be repeated from any point.
    pub(super) async fn delete(
        &self,
        actor: &ActorId,
        filename: &str,
        wanted: &TrashRecord,
        version: Version,
    ) -> Result<Outcome, HandlerError> {
        let token = lease_token(&wanted.plan_id, wanted.deleted_at);
        let claimed = match self.store.claim_deletion(actor, filename, wanted, version, &token).await? {
            Claim::Granted(claimed) => claimed,
            Claim::Busy => return Err(HandlerError::deferred("another worker is deleting this image", LEASE_POLL)),
            Claim::Over(kept) => {
                // An evaluation may have completed the interrupted deletion before its sidecars were moved.
                self.trash_sidecars(actor, filename, &kept).await?;
                return Ok(Outcome::DeletedBefore);
            }
            Claim::Pinned => return Ok(Outcome::Pinned),
            Claim::Replaced => return Ok(Outcome::Replaced),
        };
        let leased = Leased::Deletion { actor, filename, plan_id: &claimed.trashed.plan_id };
        let (store, clock, heartbeat) = (&self.store, &self.clock, self.heartbeat);
        let lease = HeldLease { store, clock, heartbeat, leased, token: &token, taken_at: wanted.deleted_at };
        // A panic must release the lease too: otherwise the next delivery would be deferred, and never counted as failed.
        let work = caught(lease.run(self.move_to_trash(actor, filename, &claimed.trashed)));
        let moved = work.await.unwrap_or_else(|panic| Err(panic.into()));
        self.store.leave_deletion(actor, filename, &claimed, &token, self.clock.now()).await?;
        moved
    }

    /// Moves a claimed image: object, local copy, sidecars, and then the records.
    async fn move_to_trash(
        &self,
        actor: &ActorId,
        filename: &str,
        claimed: &TrashRecord,
    ) -> Result<Outcome, HandlerError> {
        let TrashRecord { plan_id, image, .. } = claimed;
        let etag = image.etag.clone().unwrap_or_default();
        let (key, trash) = (self.keys.image(actor, filename), self.keys.trash(actor, plan_id, filename));
        let deleted = match self.bucket.copy_if(&key, &trash, &etag).await? {
            IfUnchanged::Done => self.bucket.delete_if(&key, &etag).await?,
            unchanged => unchanged,
        };
        if deleted == IfUnchanged::Changed {
            // An object in the trash is the only copy of a file that was deleted or overwritten earlier: it stays.
            let has_copy = self.bucket.etag(&trash).await?.is_some();
            self.store.withdraw_deletion(actor, filename, plan_id, has_copy).await?;
            return Ok(Outcome::Replaced);
        }
        let is_kept_locally = self.trash_local_copy(actor, plan_id, filename, &trash).await?;
        // An earlier attempt may have moved a missing object. If no copy exists, nothing can be restored.
        let outcome = match deleted {
            IfUnchanged::Missing if !is_kept_locally && self.bucket.etag(&trash).await?.is_none() => Outcome::Missing,
            _ => Outcome::Deleted,
        };
        let remains = if outcome == Outcome::Missing {
            Remains::Nothing
        } else {
            self.trash_sidecars(actor, filename, claimed).await?;
            Remains::Trashed
        };
        self.store.end_deletion(actor, filename, plan_id, remains).await?;
        Ok(outcome)
    }

    /// Returns whether the local trash contains the image afterwards.
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

    /// Removes the record of an image that is not in the bucket and that no deletion has claimed.
    pub(super) async fn remove_record(
        &self,
        actor: &ActorId,
        deletion_id: &str,
        filename: &str,
        known: Option<&Image>,
    ) -> Result<Outcome, HandlerError> {
        // A file without a record may lie in the local copy only, because its upload is still under way. It stays.
        let Some(image) = known else { return Ok(Outcome::Missing) };
        if image.pinned {
            return Ok(Outcome::Pinned);
        }
        self.local.trash(actor, deletion_id, filename, None).await?;
        self.store.forget_vanished(actor, filename, image).await?;
        Ok(Outcome::RecordRemoved)
    }

    /// A trash record for this version of a file. It describes the file as an upload; the claim replaces the
    /// description by the image record, if there is one.
    pub(super) fn trash_record(
        &self,
        actor: &ActorId,
        filename: &str,
        plan_id: &str,
        etag: &str,
        reason: &str,
        folder: &FolderSnapshot,
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
