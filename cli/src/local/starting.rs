//! Stacks that are starting: commands wait for them instead of reporting that none runs.

use std::fs::{self, File, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use local_stack::create_private_dir;
use serde::{Deserialize, Serialize};

use super::registry::{RunningStack, directory};
use crate::outcome::remark;
use crate::progress::Spinner;

/// The ending of the file that announces a stack.
const ENDING: &str = "starting";

const POLL: Duration = Duration::from_millis(200);

/// The announcement of a stack, which lasts until this value is dropped or its process ends in any way.
pub struct Starting {
    path: PathBuf,
    /// Held until the stack has started.
    _lock: File,
}

#[derive(Serialize, Deserialize)]
struct Announcement {
    data: PathBuf,
}

impl Starting {
    /// Announces that a stack is starting on this folder. A failure has no other effect than that commands don't wait.
    pub fn announce(data: &Path) -> Option<Self> {
        Self::write(data).inspect_err(|problem| remark(format!("commands won't wait for this stack: {problem:#}"))).ok()
    }

    fn write(data: &Path) -> anyhow::Result<Self> {
        let directory = directory()?;
        let failed = || format!("{} can't be written", directory.display());
        create_private_dir(&directory).with_context(failed)?;
        let mut file = tempfile::NamedTempFile::new_in(&directory).with_context(failed)?;
        file.as_file().lock().with_context(failed)?;
        file.write_all(&serde_json::to_vec(&Announcement { data: data.to_owned() })?).with_context(failed)?;
        let path = directory.join(format!("{}.{ENDING}", std::process::id()));
        let lock = file.persist(&path).with_context(failed)?;
        Ok(Self { path, _lock: lock })
    }
}

impl Drop for Starting {
    fn drop(&mut self) {
        drop(fs::remove_file(&self.path));
    }
}

/// Waits while a stack is starting that the command may mean: the one of this folder, or without a folder any one if none
/// runs yet.
pub async fn wait_for_starting(data: Option<&Path>) -> anyhow::Result<()> {
    let data = data.map(|data| data.canonicalize().unwrap_or_else(|_| data.to_owned()));
    let mut spinner = None;
    loop {
        let is_meant = |starting: &&PathBuf| data.as_ref().is_none_or(|data| data == *starting);
        let is_running = data.is_none() && !RunningStack::all()?.is_empty();
        let all = starting()?;
        let Some(meant) = all.iter().find(is_meant).filter(|_| !is_running) else { break };
        let text = || format!("waiting until the stack of {} has started", meant.display());
        spinner.get_or_insert_with(|| Spinner::start(&text()));
        tokio::time::sleep(POLL).await;
    }
    spinner.into_iter().for_each(Spinner::finish);
    Ok(())
}

/// The folders of the stacks that are starting. Removes the announcements of killed ones.
fn starting() -> anyhow::Result<Vec<PathBuf>> {
    let Ok(entries) = fs::read_dir(directory()?) else { return Ok(Vec::new()) };
    let paths = entries.flatten().map(|entry| entry.path());
    let announcements = paths.filter(|path| path.extension().is_some_and(|ending| ending == ENDING));
    let mut folders = Vec::new();
    for path in announcements {
        let Ok(file) = File::open(&path) else { continue };
        match file.try_lock_shared() {
            Ok(()) => drop(fs::remove_file(&path)),
            // A file system without locks can't tell whether the stack is still starting.
            Err(TryLockError::Error(_)) => {}
            Err(TryLockError::WouldBlock) => {
                let announcement = serde_json::from_reader(file).ok();
                folders.extend(announcement.map(|Announcement { data }| data));
            }
        }
    }
    Ok(folders)
}
