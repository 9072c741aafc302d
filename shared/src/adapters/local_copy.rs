//! The same images as plain files, for people who train on the machine where the functions run.

use std::fs::Permissions;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::Builder;
use tokio::fs;

use super::names_on_disk::entry;
use crate::domain::actor::ActorId;
use crate::domain::files::composed;

/// How a file's name ends while it is being written. What bears it when nobody writes was left by a process that died.
pub const PARTIAL: &str = ".part";

/// Whose a name in the local copy is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claimed {
    /// The image has it.
    Ours,
    /// Another file has it.
    Occupied,
}

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
        Some(entry(&self.actor_dir(actor)?.join("training_data"), filename))
    }

    /// The actor's folder, however its name is spelt; `None` without a data folder.
    #[must_use]
    pub fn actor_dir(&self, actor: &ActorId) -> Option<PathBuf> {
        Some(entry(self.data.as_ref()?, actor.as_str()))
    }

    /// The names of the actor's files, in Unicode's composed form; none without a folder. What is not UTF-8 in a name is
    /// replaced, so that its number still counts.
    ///
    /// # Errors
    /// If the file system refuses.
    pub async fn filenames(&self, actor: &ActorId) -> Result<Vec<String>, LocalCopyError> {
        let Some(folder) = self.actor_dir(actor).map(|dir| dir.join("training_data")) else { return Ok(Vec::new()) };
        let refused = |cause| failed(&folder, "read", cause);
        let mut entries = match fs::read_dir(&folder).await {
            Ok(entries) => entries,
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(cause) => return Err(refused(cause)),
        };
        let mut names = Vec::new();
        while let Some(entry) = entries.next_entry().await.map_err(refused)? {
            names.push(composed(&entry.file_name().to_string_lossy()));
        }
        Ok(names)
    }

    /// Saves an image under a name that nobody has. A reader sees it whole or not at all.
    ///
    /// # Errors
    /// If the file system refuses.
    pub async fn claim(&self, actor: &ActorId, filename: &str, bytes: &[u8]) -> Result<Claimed, LocalCopyError> {
        let Some(path) = self.image_path(actor, filename) else { return Ok(Claimed::Ours) };
        self.insist_on_data_folder()?;
        if write_new(&path, bytes.to_vec()).await? || self.read(&path).await?.as_deref() == Some(bytes) {
            Ok(Claimed::Ours)
        } else {
            Ok(Claimed::Occupied)
        }
    }

    /// A data folder that is gone, as with a disk that was taken off, is not made anew in its place.
    fn insist_on_data_folder(&self) -> Result<(), LocalCopyError> {
        match self.data.as_deref().filter(|data| !data.is_dir()) {
            Some(gone) => Err(failed(gone, "found", io::ErrorKind::NotFound.into())),
            None => Ok(()),
        }
    }

    /// Takes back what [`Self::claim`] has saved.
    ///
    /// # Errors
    /// If the file system refuses.
    pub async fn give_back(&self, actor: &ActorId, filename: &str) -> Result<(), LocalCopyError> {
        let Some(path) = self.image_path(actor, filename) else { return Ok(()) };
        match fs::remove_file(&path).await {
            Err(cause) if cause.kind() != io::ErrorKind::NotFound => Err(failed(&path, "removed", cause)),
            _ => Ok(()),
        }
    }

    /// Moves an image to the actor's `trash/{plan_id}/`, beside its copy in S3. A file that has taken its place since
    /// stays: then `content`, what was deleted, goes to the trash instead. Says whether there was anything.
    ///
    /// # Errors
    /// If the file system refuses.
    pub async fn trash(
        &self,
        actor: &ActorId,
        plan_id: &str,
        filename: &str,
        content: Option<&[u8]>,
    ) -> Result<bool, LocalCopyError> {
        let (Some(path), Some(trash)) = (self.image_path(actor, filename), self.trash_path(actor, plan_id, filename))
        else {
            return Ok(true);
        };
        if let Some(content) = content
            && self.read(&path).await?.is_some_and(|here| here != content)
        {
            write_new(&trash, content.to_vec()).await?;
            return Ok(true);
        }
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
        Some(entry(&self.actor_dir(actor)?.join("trash").join(plan_id), filename))
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

/// Writes a file where there is none: whole, or not at all. `false` if there is one.
async fn write_new(path: &Path, bytes: Vec<u8>) -> Result<bool, LocalCopyError> {
    make_parent(path).await?;
    let (to, folder) = (path.to_owned(), path.parent().unwrap_or(path).to_owned());
    let write = move || -> io::Result<bool> {
        let readable_by_all = Permissions::from_mode(0o644);
        let file = Builder::new().prefix(".").suffix(PARTIAL).permissions(readable_by_all).tempfile_in(folder)?;
        io::Write::write_all(&mut file.as_file(), &bytes)?;
        match file.persist_noclobber(to) {
            Ok(_) => Ok(true),
            Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(error.error),
        }
    };
    let written = tokio::task::spawn_blocking(write).await.map_err(io::Error::other).flatten();
    written.map_err(|cause| failed(path, "written", cause))
}

async fn make_parent(path: &Path) -> Result<(), LocalCopyError> {
    let Some(parent) = path.parent() else { return Ok(()) };
    fs::create_dir_all(parent).await.map_err(|cause| failed(parent, "created", cause))
}

fn failed(path: &Path, verb: &'static str, cause: io::Error) -> LocalCopyError {
    LocalCopyError { path: path.to_owned(), verb, cause }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_data_folder_that_is_gone_is_not_made_anew() {
        let root = tempfile::tempdir().unwrap();
        let data = root.path().join("data");
        let local = LocalCopy::new(Some(data.clone()));
        let actor = "hero".parse().unwrap();
        let error = local.claim(&actor, "hero_1.jpg", b"image").await.unwrap_err().to_string();
        assert!(error.contains(data.to_str().unwrap()) && !data.exists(), "{error}");
        std::fs::create_dir(&data).unwrap();
        assert_eq!(local.claim(&actor, "hero_1.jpg", b"image").await.unwrap(), Claimed::Ours);
    }
}
