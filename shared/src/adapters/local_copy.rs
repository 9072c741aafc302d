//! The same images as plain files, for people who train on the machine where the functions run.

use std::io;
use std::path::{Path, PathBuf};

use tokio::fs;

use crate::domain::actor::ActorId;

/// A folder laid out `{data}/{actor_id}/training_data/…`, or none at all.
#[derive(Debug, Clone)]
pub struct LocalCopy {
    data: Option<PathBuf>,
}

/// A file could not be written, moved or read. Trying again may help: a disk can be full, or a folder locked.
#[derive(Debug, thiserror::Error)]
#[error("the local file {} can't be {verb}: {cause}", .path.display())]
pub struct LocalCopyError {
    path: PathBuf,
    verb: &'static str,
    cause: io::Error,
}

impl LocalCopy {
    /// Copies below this folder; with `None` there are none, and every step is done at once.
    #[must_use]
    pub fn new(data: Option<PathBuf>) -> Self {
        Self { data }
    }

    /// Where an image lies; `None` without a folder.
    #[must_use]
    pub fn image_path(&self, actor: &ActorId, filename: &str) -> Option<PathBuf> {
        Some(self.actor_dir(actor)?.join("training_data").join(filename))
    }

    /// The actor's folder; `None` without a data folder.
    #[must_use]
    pub fn actor_dir(&self, actor: &ActorId) -> Option<PathBuf> {
        Some(self.data.as_ref()?.join(actor.as_str()))
    }

    /// Saves an image. A reader sees it whole or not at all.
    ///
    /// # Errors
    /// If the file system refuses.
    pub async fn save(&self, actor: &ActorId, filename: &str, bytes: &[u8]) -> Result<(), LocalCopyError> {
        let Some(path) = self.image_path(actor, filename) else { return Ok(()) };
        let half = path.with_file_name(format!(".{filename}.part"));
        make_parent(&path).await?;
        fs::write(&half, bytes).await.map_err(|cause| failed(&half, "written", cause))?;
        fs::rename(&half, &path).await.map_err(|cause| failed(&path, "written", cause))
    }

    /// Moves an image to the actor's `trash/{plan_id}/`, beside its copy in S3. Says whether there was one.
    ///
    /// # Errors
    /// If the file system refuses.
    pub async fn trash(&self, actor: &ActorId, plan_id: &str, filename: &str) -> Result<bool, LocalCopyError> {
        let (Some(path), Some(trash)) = (self.image_path(actor, filename), self.trash_path(actor, plan_id, filename))
        else {
            return Ok(true);
        };
        make_parent(&trash).await?;
        match fs::rename(&path, &trash).await {
            Ok(()) => Ok(true),
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(cause) => Err(failed(&path, "moved to the trash", cause)),
        }
    }

    /// Where an image lies that was moved to the trash; `None` without a folder.
    #[must_use]
    pub fn trash_path(&self, actor: &ActorId, plan_id: &str, filename: &str) -> Option<PathBuf> {
        Some(self.actor_dir(actor)?.join("trash").join(plan_id).join(filename))
    }

    /// Moves an image back from the trash, in place of whatever bears its name. Says whether there was one.
    ///
    /// # Errors
    /// If the file system refuses.
    pub async fn restore(&self, actor: &ActorId, plan_id: &str, filename: &str) -> Result<bool, LocalCopyError> {
        let (Some(path), Some(trash)) = (self.image_path(actor, filename), self.trash_path(actor, plan_id, filename))
        else {
            return Ok(true);
        };
        make_parent(&path).await?;
        match fs::rename(&trash, &path).await {
            Ok(()) => Ok(true),
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(cause) => Err(failed(&trash, "moved back from the trash", cause)),
        }
    }

    /// Reads a file; `None` if there is none.
    ///
    /// # Errors
    /// If the file system refuses.
    pub async fn read(&self, path: &Path) -> Result<Option<Vec<u8>>, LocalCopyError> {
        match fs::read(path).await {
            Ok(bytes) => Ok(Some(bytes)),
            Err(cause) if matches!(cause.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
            Err(cause) => Err(failed(path, "read", cause)),
        }
    }
}

async fn make_parent(path: &Path) -> Result<(), LocalCopyError> {
    let Some(parent) = path.parent() else { return Ok(()) };
    fs::create_dir_all(parent).await.map_err(|cause| failed(parent, "created", cause))
}

fn failed(path: &Path, verb: &'static str, cause: io::Error) -> LocalCopyError {
    LocalCopyError { path: path.to_owned(), verb, cause }
}
