//! Moves the sidecars of images in the bucket to the trash.

use aws::bucket::IfUnchanged;
use domain::actor::ActorId;
use domain::sidecars::{Sidecar, shared_prefix};
use domain::trash::TrashRecord;
use tracing::{info, warn};

use super::Deletion;
use crate::HandlerError;
use crate::listing::FolderSnapshot;

impl Deletion {
    /// Moves the sidecars of a deleted image to the trash if they are the versions that existed when its deletion began
    /// and no other image shares them now. This follows the deletion of the image, so that an image that stays keeps
    /// its sidecars.
    pub(super) async fn trash_sidecars(
        &self,
        actor: &ActorId,
        filename: &str,
        deleted: &TrashRecord,
    ) -> Result<(), HandlerError> {
        if deleted.sidecars.is_empty() {
            return Ok(());
        }
        let now = FolderSnapshot::list(&self.bucket, &self.keys, actor, shared_prefix(filename)).await?;
        if now.contains(filename) {
            return Ok(());
        }
        for sidecar in now.sidecars_of(filename) {
            if deleted.sidecars.contains(&sidecar) {
                self.trash_sidecar(actor, &deleted.plan_id, &sidecar).await?;
            }
        }
        Ok(())
    }

    async fn trash_sidecar(&self, actor: &ActorId, plan_id: &str, sidecar: &Sidecar) -> Result<(), HandlerError> {
        let Sidecar { filename, etag } = sidecar;
        let (key, trash) = (self.keys.image(actor, filename), self.keys.trash(actor, plan_id, filename));
        if self.bucket.etag(&trash).await?.is_some_and(|there| there != *etag) {
            warn!(%actor, plan_id, filename, "not deleted: the trash contains another file of this name");
            return Ok(());
        }
        if self.bucket.copy_if(&key, &trash, etag).await? == IfUnchanged::Done
            && self.bucket.delete_if(&key, etag).await? == IfUnchanged::Done
        {
            info!(%actor, plan_id, filename, "deleted with its image");
        }
        Ok(())
    }
}
