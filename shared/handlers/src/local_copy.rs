//! The local copy: the images of the bucket as plain files, for training on the machine that runs the functions.

use std::io;
use std::path::{Path, PathBuf};

use domain::actor::ActorId;
use domain::files::composed;
use domain::sidecars::{leaving_with, returning_with};
use tokio::fs;
use tracing::warn;

use super::moving::{self, Moved};
use super::names_on_disk::entry;

/// The result of saving a file under a name that must be free.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Saved {
    /// The file has the name, or there is no local copy.
    Done,
    /// Another file has the name.
    Occupied,
}

/// A data folder with the layout `{data}/{actor_id}/training_data/…`, or none.
#[derive(Debug, Clone)]
pub struct LocalCopy {
    data: Option<PathBuf>,
}

/// A file could not be written, moved or read. A retry may succeed: a disk can be full, or a folder locked.
#[derive(Debug, thiserror::Error)]
#[error("the local file {} can't be {done}: {cause}", .path.display())]
pub struct LocalCopyError {
    path: PathBuf,
    done: String,
    cause: io::Error,
}

impl LocalCopy {
    /// With `None`, every operation does nothing.
    #[must_use]
    pub fn new(data: Option<PathBuf>) -> Self {
        Self { data }
    }

    /// The path of an image; `None` without a data folder.
    #[must_use]
    pub fn image_path(&self, actor: &ActorId, filename: &str) -> Option<PathBuf> {
        Some(entry(&self.actor_dir(actor)?.join("training_data"), filename))
    }

    /// The actor's folder, in whatever Unicode form its name is spelt; `None` without a data folder.
    #[must_use]
    pub fn actor_dir(&self, actor: &ActorId) -> Option<PathBuf> {
        Some(entry(self.data.as_ref()?, actor.as_str()))
    }

    /// The names of the actor's files, in Unicode's composed form. Parts of a name that are not UTF-8 are replaced, so
    /// that its number still counts.
    pub async fn filenames(&self, actor: &ActorId) -> Result<Vec<String>, LocalCopyError> {
        let Some(folder) = self.actor_dir(actor).map(|dir| dir.join("training_data")) else { return Ok(Vec::new()) };
        names_in(&folder).await
    }

    /// Saves an image atomically under a free name.
    pub async fn save_new(&self, actor: &ActorId, filename: &str, bytes: &[u8]) -> Result<Saved, LocalCopyError> {
        let Some(path) = self.image_path(actor, filename) else { return Ok(Saved::Done) };
        self.require_data_folder()?;
        if write_new(&path, bytes).await? || self.read(&path).await?.as_deref() == Some(bytes) {
            Ok(Saved::Done)
        } else {
            Ok(Saved::Occupied)
        }
    }

    /// Fails if the data folder is missing, for example because its disk is not mounted. Saving would create it again.
    fn require_data_folder(&self) -> Result<(), LocalCopyError> {
        match self.data.as_deref().filter(|data| !data.is_dir()) {
            Some(gone) => Err(failed(gone, "found", io::ErrorKind::NotFound.into())),
            None => Ok(()),
        }
    }

    /// Removes a file that [`Self::save_new`] has saved.
    pub async fn remove_saved(&self, actor: &ActorId, filename: &str) -> Result<(), LocalCopyError> {
        let Some(path) = self.image_path(actor, filename) else { return Ok(()) };
        match fs::remove_file(&path).await {
            Err(cause) if cause.kind() != io::ErrorKind::NotFound => Err(failed(&path, "removed", cause)),
            _ => Ok(()),
        }
    }

    /// Moves an image and its sidecars to the actor's `trash/{plan_id}/`, beside its copy in S3. If another file has
    /// replaced the image since, that file and the sidecars stay, and the deleted image's `content` is written to the
    /// trash instead. Returns whether the image is in the trash.
    pub async fn trash(
        &self,
        actor: &ActorId,
        plan_id: &str,
        filename: &str,
        content: Option<&[u8]>,
    ) -> Result<bool, LocalCopyError> {
        let (Some(path), Some(trash)) = (self.image_path(actor, filename), self.trash_path(actor, plan_id, filename))
        else {
            return Ok(false);
        };
        if let Some(content) = content
            && self.read(&path).await?.is_some_and(|here| here != content)
        {
            if !write_new(&trash, content).await? && self.read(&trash).await?.as_deref() != Some(content) {
                set_aside(&trash).await?;
                write_new(&trash, content).await?;
            }
            return Ok(true);
        }
        move_to_trash(&path, &trash).await?;
        if trash.symlink_metadata().is_err() {
            return Ok(false);
        }
        self.trash_sidecars(actor, plan_id, filename).await?;
        Ok(true)
    }

    async fn trash_sidecars(&self, actor: &ActorId, plan_id: &str, filename: &str) -> Result<(), LocalCopyError> {
        let names = self.filenames(actor).await?;
        for sidecar in leaving_with(filename, &names.iter().map(String::as_str).collect::<Vec<_>>()) {
            if let (Some(path), Some(trash)) =
                (self.image_path(actor, sidecar), self.trash_path(actor, plan_id, sidecar))
                && !path.is_dir()
            {
                move_to_trash(&path, &trash).await?;
            }
        }
        Ok(())
    }

    /// The path of an image in the trash; `None` without a data folder.
    #[must_use]
    pub fn trash_path(&self, actor: &ActorId, plan_id: &str, filename: &str) -> Option<PathBuf> {
        Some(entry(&self.actor_dir(actor)?.join("trash").join(plan_id), filename))
    }

    /// Restores a deleted image under its name: the file in the trash if it has this content, else a new one.
    pub async fn restore(
        &self,
        actor: &ActorId,
        plan_id: &str,
        filename: &str,
        content: &[u8],
    ) -> Result<Saved, LocalCopyError> {
        let (Some(path), Some(trash)) = (self.image_path(actor, filename), self.trash_path(actor, plan_id, filename))
        else {
            return Ok(Saved::Done);
        };
        if self.read(&trash).await?.as_deref() != Some(content) {
            return self.save_new(actor, filename, content).await;
        }
        match move_new(&trash, &path).await? {
            Moved::Done => Ok(Saved::Done),
            Moved::Occupied => Ok(Saved::Occupied),
            Moved::Missing => self.save_new(actor, filename, content).await,
        }
    }

    /// Moves the sidecars of an image back from the trash. Returns the sidecars that stay there because other files
    /// have their names.
    pub async fn restore_sidecars(
        &self,
        actor: &ActorId,
        plan_id: &str,
        filename: &str,
    ) -> Result<Vec<PathBuf>, LocalCopyError> {
        let Some(folder) = self.trash_path(actor, plan_id, "") else { return Ok(Vec::new()) };
        let (names, mut left) = (names_in(&folder).await?, Vec::new());
        for sidecar in returning_with(filename, &names.iter().map(String::as_str).collect::<Vec<_>>()) {
            if let (Some(path), Some(trash)) =
                (self.image_path(actor, sidecar), self.trash_path(actor, plan_id, sidecar))
                && move_new(&trash, &path).await? == Moved::Occupied
            {
                left.push(trash);
            }
        }
        Ok(left)
    }

    /// Reads a file; `None` if it doesn't exist.
    pub async fn read(&self, path: &Path) -> Result<Option<Vec<u8>>, LocalCopyError> {
        match fs::read(path).await {
            Ok(bytes) => Ok(Some(bytes)),
            Err(cause) if matches!(cause.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
            Err(cause) => Err(failed(path, "read", cause)),
        }
    }
}

/// The names of the files in a folder, which may be missing.
async fn names_in(folder: &Path) -> Result<Vec<String>, LocalCopyError> {
    let unreadable = |cause| failed(folder, "read", cause);
    let mut entries = match fs::read_dir(folder).await {
        Ok(entries) => entries,
        Err(cause) if matches!(cause.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(Vec::new());
        }
        Err(cause) => return Err(unreadable(cause)),
    };
    let mut names = Vec::new();
    while let Some(entry) = entries.next_entry().await.map_err(unreadable)? {
        names.push(composed(&entry.file_name().to_string_lossy()));
    }
    names.sort_unstable();
    Ok(names)
}

/// If the trash already contains a file of this name, that file is renamed: the trash record describes the new one.
async fn move_to_trash(path: &Path, trash: &Path) -> Result<(), LocalCopyError> {
    if move_new(path, trash).await? == Moved::Occupied {
        set_aside(trash).await?;
        move_new(path, trash).await?;
    }
    Ok(())
}

async fn move_new(from: &Path, to: &Path) -> Result<Moved, LocalCopyError> {
    let (source, destination) = (from.to_owned(), to.to_owned());
    let moved = in_background(move || moving::move_new(&source, &destination)).await;
    moved.map_err(|cause| failed(from, format!("moved to {}", to.display()), cause))
}

async fn set_aside(path: &Path) -> Result<(), LocalCopyError> {
    let owned = path.to_owned();
    let aside = in_background(move || moving::set_aside(&owned)).await;
    let aside = aside.map_err(|cause| failed(path, "renamed", cause))?;
    warn!("{} was another file; it is kept as {}", path.display(), aside.display());
    Ok(())
}

async fn write_new(path: &Path, bytes: &[u8]) -> Result<bool, LocalCopyError> {
    let (to, bytes) = (path.to_owned(), bytes.to_vec());
    let written = in_background(move || moving::write_new(&to, &bytes)).await;
    written.map_err(|cause| failed(path, "written", cause))
}

async fn in_background<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other).flatten()
}

fn failed(path: &Path, done: impl Into<String>, cause: io::Error) -> LocalCopyError {
    LocalCopyError { path: path.to_owned(), done: done.into(), cause }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn missing_data_folder_is_not_recreated() {
        let root = tempfile::tempdir().unwrap();
        let data = root.path().join("data");
        let local = LocalCopy::new(Some(data.clone()));
        let actor = "hero".parse().unwrap();
        let error = local.save_new(&actor, "hero_1.jpg", b"image").await.unwrap_err().to_string();
        assert!(error.contains(data.to_str().unwrap()) && !data.exists(), "{error}");
        std::fs::create_dir(&data).unwrap();
        assert_eq!(local.save_new(&actor, "hero_1.jpg", b"image").await.unwrap(), Saved::Done);
    }
}
