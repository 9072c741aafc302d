//! Restores deleted images under their old names, with their sidecars: in the bucket, the local copy and the manifest.

use aws::AwsError;
use aws::bucket::{Bucket, Object, PutNew};
use aws::store::{Store, StoreError};
use domain::actor::ActorId;
use domain::files::content_type;
use domain::keys::Keys;
use domain::manifest::Image;
use domain::sidecars::{returning_with, stem};
use domain::trash::TrashRecord;
use jiff::SignedDuration;
use tracing::info;

use crate::Clock;
use crate::local_copy::{Claimed, LocalCopy, LocalCopyError};

/// Where images are put back.
#[derive(Clone, Copy)]
pub struct Restoration<'a> {
    /// Where the images lie.
    pub bucket: &'a Bucket,
    /// Where the manifests lie.
    pub store: &'a Store,
    /// The same images as plain files.
    pub local: &'a LocalCopy,
    /// Where things lie in the bucket.
    pub keys: &'a Keys,
    /// Whether what is put back is pinned, so that the next evaluation doesn't take it away again.
    pub pin: bool,
    /// What the time is.
    pub clock: &'a Clock,
}

/// Why an image was not put back.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// Another file has its name, in the bucket or in the local copy.
    #[error("another file is called {filename} by now; rename or delete that one first")]
    Occupied {
        /// The name.
        filename: String,
    },
    /// Its bytes are neither in the bucket nor among the local files.
    #[error("the content of {filename} is in no trash any more; it was kept for 30 days")]
    Gone {
        /// Its name.
        filename: String,
    },
    /// Its deletion has begun and not ended.
    #[error(
        "{filename} is still being deleted; try again when that is over, or call `balancer redrive deletion` if it doesn't end"
    )]
    BeingDeleted {
        /// Its name.
        filename: String,
    },
    /// Whoever deleted it may not have noticed yet that it is deleted.
    #[error("whoever deleted {filename} may still be at it; try again in {} s", .after.as_secs())]
    WorkedOn {
        /// Its name.
        filename: String,
        /// For how long at most.
        after: SignedDuration,
    },
    /// The table failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// S3 failed.
    #[error(transparent)]
    Aws(#[from] AwsError),
    /// The local copy failed.
    #[error(transparent)]
    LocalCopy(#[from] LocalCopyError),
}

impl RestoreError {
    /// Whether it concerns this file only, so that others can be put back all the same.
    #[must_use]
    pub fn is_of_one_file(&self) -> bool {
        matches!(self, Self::Occupied { .. } | Self::Gone { .. } | Self::BeingDeleted { .. } | Self::WorkedOn { .. })
    }
}

impl Restoration<'_> {
    /// Restores an image as it was when it was deleted. An interrupted restoration can be repeated with the same result:
    /// the trash record is removed last, and every step before it detects the work of an earlier attempt. Returns the
    /// locations of the sidecars that stay in the trash because other files have their names.
    ///
    /// # Errors
    /// If there is nothing to put back, or no place for it, or something fails.
    pub async fn restore(
        &self,
        actor: &ActorId,
        filename: &str,
        trashed: &TrashRecord,
    ) -> Result<Vec<String>, RestoreError> {
        let etag = self.put_object_back(actor, filename, trashed).await?;
        let image = Image { etag: Some(etag), ..trashed.image.clone() };
        if !self.store.restore_image(actor, filename, &image, self.pin).await? {
            return Err(RestoreError::BeingDeleted { filename: filename.to_owned() });
        }
        self.put_file_back(actor, filename, trashed).await?;
        let left = self.put_sidecars_back(actor, filename, &trashed.plan_id).await?;
        self.bucket.delete(&self.keys.trash(actor, &trashed.plan_id, filename)).await?;
        self.store.forget_trashed(actor, filename, &trashed.plan_id).await?;
        info!(%actor, filename, plan_id = trashed.plan_id, "restored");
        Ok(left)
    }

    /// Returns the `ETag` of the object in its old place.
    async fn put_object_back(
        &self,
        actor: &ActorId,
        filename: &str,
        trashed: &TrashRecord,
    ) -> Result<String, RestoreError> {
        let known = self.store.image(actor, filename).await?;
        if known.is_some_and(|image| image.deleting.is_some()) {
            return Err(RestoreError::BeingDeleted { filename: filename.to_owned() });
        }
        if let Some(until) = self.store.deletion_over_at(actor, filename, &trashed.plan_id).await? {
            let after = until.duration_since(self.clock.now());
            if after > SignedDuration::ZERO {
                return Err(RestoreError::WorkedOn { filename: filename.to_owned(), after });
            }
        }
        let key = self.keys.image(actor, filename);
        let Some(bytes) = self.bytes(actor, filename, &trashed.plan_id).await? else {
            // An earlier attempt may have got so far that it had emptied the trash.
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

    /// The bucket determines the file's content. Nothing is overwritten.
    async fn put_file_back(&self, actor: &ActorId, filename: &str, trashed: &TrashRecord) -> Result<(), RestoreError> {
        if self.local.actor_dir(actor).is_none() {
            return Ok(());
        }
        let Some(object) = self.bucket.get(&self.keys.image(actor, filename)).await? else { return Ok(()) };
        match self.local.restore(actor, &trashed.plan_id, filename, &object.bytes).await? {
            Claimed::Ours => Ok(()),
            Claimed::Occupied => Err(RestoreError::Occupied { filename: filename.to_owned() }),
        }
    }

    async fn put_sidecars_back(
        &self,
        actor: &ActorId,
        filename: &str,
        plan_id: &str,
    ) -> Result<Vec<String>, RestoreError> {
        let left = self.local.restore_sidecars(actor, plan_id, filename).await?;
        let mut left: Vec<String> = left.into_iter().map(|path| path.display().to_string()).collect();
        let trash = self.keys.trash(actor, plan_id, "");
        let listed = self.bucket.list(&(trash.clone() + stem(filename))).await?;
        let names: Vec<&str> = listed.iter().filter_map(|object| object.key.strip_prefix(&trash)).collect();
        for sidecar in returning_with(filename, &names) {
            if !self.put_sidecar_back(actor, &(trash.clone() + sidecar), sidecar).await? {
                left.push(self.bucket.url(&(trash.clone() + sidecar)));
            }
        }
        Ok(left)
    }

    /// `false` if another object has its name.
    async fn put_sidecar_back(&self, actor: &ActorId, trash: &str, sidecar: &str) -> Result<bool, RestoreError> {
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
