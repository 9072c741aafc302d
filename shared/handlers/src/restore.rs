//! Restores deleted images and their sidecars under their old names, in the bucket, the local copy and the table.

use aws::AwsError;
use aws::bucket::{Bucket, Object, PutNew};
use aws::store::{Store, StoreError};
use domain::actor::ActorId;
use domain::files::content_type;
use domain::keys::Keys;
use domain::manifest::Image;
use domain::sidecars::{returning_with, shared_prefix};
use domain::trash::TrashRecord;
use jiff::SignedDuration;
use tracing::info;

use crate::Clock;
use crate::local_copy::{LocalCopy, LocalCopyError, Saved};

#[derive(Clone, Copy)]
pub struct Restoration<'a> {
    pub bucket: &'a Bucket,
    pub store: &'a Store,
    pub local: &'a LocalCopy,
    pub keys: &'a Keys,
    /// Whether restored images are pinned, so that the next evaluation doesn't delete them again.
    pub pin: bool,
    pub clock: &'a Clock,
}

/// Why an image was not restored.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// Another file has the name, in the bucket or in the local copy.
    #[error("another file is called {filename} now; rename or delete it first")]
    Occupied { filename: String },
    /// Neither the bucket's trash nor the local one contains the image.
    #[error("the content of {filename} is no longer in the trash; it was kept for 30 days")]
    Gone { filename: String },
    /// A deletion of the image has begun and isn't completed.
    #[error(
        "{filename} is still being deleted; try again when that is over, or call `balancer redrive deletion` if it doesn't end"
    )]
    BeingDeleted { filename: String },
    /// A stalled worker might still delete the restored image.
    #[error("a worker may still be deleting {filename}; try again in {} s", .after.as_secs())]
    WorkedOn {
        filename: String,
        /// The longest time until the worker must have ended.
        after: SignedDuration,
    },
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Aws(#[from] AwsError),
    #[error(transparent)]
    LocalCopy(#[from] LocalCopyError),
}

impl RestoreError {
    /// Whether the error concerns only this file, so that others can be restored.
    #[must_use]
    pub fn is_of_one_file(&self) -> bool {
        matches!(self, Self::Occupied { .. } | Self::Gone { .. } | Self::BeingDeleted { .. } | Self::WorkedOn { .. })
    }
}

impl Restoration<'_> {
    /// Restores an image as it was when it was deleted. An interrupted restoration can be repeated with the same
    /// result: the trash record is removed last, and every step before it detects the work of an earlier attempt.
    /// Returns the locations of the sidecars that stay in the trash because other files have their names.
    pub async fn restore(
        &self,
        actor: &ActorId,
        filename: &str,
        trashed: &TrashRecord,
    ) -> Result<Vec<String>, RestoreError> {
        let etag = self.restore_object(actor, filename, trashed).await?;
        let image = Image { etag: Some(etag), ..trashed.image.clone() };
        if !self.store.restore_image(actor, filename, &image, self.pin, self.clock.now()).await? {
            return Err(RestoreError::BeingDeleted { filename: filename.to_owned() });
        }
        self.restore_local_file(actor, filename, trashed).await?;
        let left = self.restore_sidecars(actor, filename, &trashed.plan_id).await?;
        self.bucket.delete(&self.keys.trash(actor, &trashed.plan_id, filename)).await?;
        self.store.forget_trashed(actor, filename, &trashed.plan_id).await?;
        info!(%actor, filename, plan_id = trashed.plan_id, "restored");
        Ok(left)
    }

    /// Returns the `ETag` of the restored object.
    async fn restore_object(
        &self,
        actor: &ActorId,
        filename: &str,
        trashed: &TrashRecord,
    ) -> Result<String, RestoreError> {
        let known = self.store.image(actor, filename).await?;
        if known.is_some_and(|image| image.deleting.is_some()) {
            return Err(RestoreError::BeingDeleted { filename: filename.to_owned() });
        }
        if let Some(until) = self.store.deletion_workers_end_at(actor, filename, &trashed.plan_id).await? {
            let after = until.duration_since(self.clock.now());
            if after > SignedDuration::ZERO {
                return Err(RestoreError::WorkedOn { filename: filename.to_owned(), after });
            }
        }
        let key = self.keys.image(actor, filename);
        let Some(bytes) = self.bytes(actor, filename, &trashed.plan_id).await? else {
            // An earlier attempt may have restored the object and emptied the trash.
            let there = self.bucket.etag(&key).await?;
            let is_back = there.is_some() && there == trashed.image.etag;
            return there.filter(|_| is_back).ok_or_else(|| RestoreError::Gone { filename: filename.to_owned() });
        };
        if self.is_taken_locally(actor, filename, &bytes).await? {
            return Err(RestoreError::Occupied { filename: filename.to_owned() });
        }
        match self.bucket.put_new(&key, bytes.clone(), content_type(filename)).await? {
            PutNew::Stored(etag) => Ok(etag),
            PutNew::Occupied => match self.bucket.get(&key).await? {
                Some(there) if there.bytes == bytes => Ok(there.etag),
                _ => Err(RestoreError::Occupied { filename: filename.to_owned() }),
            },
        }
    }

    async fn is_taken_locally(&self, actor: &ActorId, filename: &str, bytes: &[u8]) -> Result<bool, RestoreError> {
        match self.local.image_path(actor, filename) {
            Some(path) => Ok(self.local.read(&path).await?.is_some_and(|there| there != bytes)),
            None => Ok(false),
        }
    }

    async fn bytes(&self, actor: &ActorId, filename: &str, plan_id: &str) -> Result<Option<Vec<u8>>, RestoreError> {
        if let Some(object) = self.bucket.get(&self.keys.trash(actor, plan_id, filename)).await? {
            return Ok(Some(object.bytes));
        }
        match self.local.trash_path(actor, plan_id, filename) {
            Some(path) => Ok(self.local.read(&path).await?),
            None => Ok(None),
        }
    }

    /// Restores the file with the content of the object in the bucket. Nothing is overwritten.
    async fn restore_local_file(
        &self,
        actor: &ActorId,
        filename: &str,
        trashed: &TrashRecord,
    ) -> Result<(), RestoreError> {
        if self.local.actor_dir(actor).is_none() {
            return Ok(());
        }
        let Some(object) = self.bucket.get(&self.keys.image(actor, filename)).await? else { return Ok(()) };
        match self.local.restore(actor, &trashed.plan_id, filename, &object.bytes).await? {
            Saved::Done => Ok(()),
            Saved::Occupied => Err(RestoreError::Occupied { filename: filename.to_owned() }),
        }
    }

    async fn restore_sidecars(
        &self,
        actor: &ActorId,
        filename: &str,
        plan_id: &str,
    ) -> Result<Vec<String>, RestoreError> {
        let left = self.local.restore_sidecars(actor, plan_id, filename).await?;
        let mut left: Vec<String> = left.into_iter().map(|path| path.display().to_string()).collect();
        let trash = self.keys.trash(actor, plan_id, "");
        let listed = self.bucket.list(&(trash.clone() + shared_prefix(filename))).await?;
        let names: Vec<&str> = listed.iter().filter_map(|object| object.key.strip_prefix(&trash)).collect();
        for sidecar in returning_with(filename, &names) {
            if !self.restore_sidecar(actor, &(trash.clone() + sidecar), sidecar).await? {
                left.push(self.bucket.url(&(trash.clone() + sidecar)));
            }
        }
        Ok(left)
    }

    /// Returns `false` if another object has the name.
    async fn restore_sidecar(&self, actor: &ActorId, trash: &str, sidecar: &str) -> Result<bool, RestoreError> {
        let Some(Object { bytes, .. }) = self.bucket.get(trash).await? else { return Ok(true) };
        let key = self.keys.image(actor, sidecar);
        let is_back = match self.bucket.put_new(&key, bytes.clone(), content_type(sidecar)).await? {
            PutNew::Stored(_) => true,
            PutNew::Occupied => self.bucket.get(&key).await?.is_some_and(|there| there.bytes == bytes),
        };
        if is_back {
            self.bucket.delete(trash).await?;
        }
        Ok(is_back)
    }
}
