//! Detects changes in the folders of present and future actors.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::bail;
use domain::actor::ActorId;
use handlers::names_on_disk;
use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::mpsc;

use super::data_folder::{ActorFolder, STATE_FOLDER, is_there};
use super::snapshot::Snapshot;
use crate::folder::entries;
use crate::outcome::remark;

/// Files count as completely copied once nothing has changed for this time.
pub const COPIED: Duration = Duration::from_millis(500);

/// The polling interval of the folders. Network file systems, and those that a virtual machine shares with its host,
/// report no changes made on the other side.
const POLL_INTERVAL: Duration = Duration::from_secs(3);

/// The inverse of the largest share of time that polling may take.
const POLLING_SHARE: u32 = 20;

/// Folders that the balancer itself changes: an actor's trash, and the state of the run.
const IGNORED: [&str; 2] = ["trash", STATE_FOLDER];

/// Watches the data folder, each actor's folder, and its `training_data` and `base_image`, but no deeper folders and no
/// trash.
pub struct FolderWatcher {
    data: PathBuf,
    /// The watched actors; empty for all.
    wanted: Vec<ActorId>,
    /// Reports changes immediately if the file system supports it. `None` if the system can watch no more folders.
    watcher: Option<RecommendedWatcher>,
    events: mpsc::UnboundedReceiver<PathBuf>,
    /// Keeps the channel open when there is no watcher.
    sender: mpsc::UnboundedSender<PathBuf>,
    watched: BTreeSet<PathBuf>,
    seen: Snapshot,
    poll_interval: Duration,
    is_gone: bool,
}

impl FolderWatcher {
    /// Watches a data folder from now on: the wanted actors, or all present and future ones.
    pub fn on(data: &Path, wanted: &[ActorId]) -> anyhow::Result<Self> {
        let mut watcher = Self::polling_only(data, wanted, POLL_INTERVAL)?;
        let sender = watcher.sender.clone();
        let notifier = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            let Ok(event) = event else { return };
            if matches!(event.kind, EventKind::Create(_) | EventKind::Modify(_) | EventKind::Remove(_)) {
                // The receiver is gone once the watch has ended.
                event.paths.into_iter().for_each(|path| drop(sender.send(path)));
            }
        });
        match notifier {
            Ok(notifier) => watcher.watcher = Some(notifier),
            Err(error) => watcher.fall_back_to_polling(&error),
        }
        watcher.watch_existing_folders();
        // Finds changes that happened before each folder was watched.
        watcher.seen = watcher.scan().unwrap_or_default();
        Ok(watcher)
    }

    /// A watcher without notifications that only polls, at this interval.
    fn polling_only(data: &Path, wanted: &[ActorId], poll_interval: Duration) -> anyhow::Result<Self> {
        let (sender, events) = mpsc::unbounded_channel();
        let mut watcher = Self {
            data: data.to_owned(),
            wanted: wanted.to_vec(),
            watcher: None,
            events,
            sender,
            watched: BTreeSet::new(),
            seen: Snapshot::default(),
            poll_interval,
            is_gone: false,
        };
        let Some(seen) = watcher.scan() else { bail!("the data folder {} can't be read", data.display()) };
        watcher.seen = seen;
        Ok(watcher)
    }

    /// The changed paths, once no further changes occur. A new folder counts as changed, because its content may have
    /// arrived before the folder was watched. While the data folder itself is gone, nothing counts as changed.
    pub async fn changes(&mut self) -> BTreeSet<PathBuf> {
        let mut pause = self.poll_interval;
        loop {
            let mut changed = BTreeSet::new();
            if let Ok(Some(path)) = tokio::time::timeout(pause, self.events.recv()).await {
                self.note(path, &mut changed);
            }
            let began = Instant::now();
            let now = self.scan();
            pause = self.poll_interval.max(began.elapsed() * POLLING_SHARE);
            if changed.is_empty() && now.as_ref() == Some(&self.seen) && !self.is_gone {
                continue;
            }
            let Some(now) = self.wait_until_quiet(now, &mut changed).await else {
                self.report_loss();
                continue;
            };
            self.report_return();
            changed.extend(self.seen.differences(&now));
            self.seen = now;
            changed.extend(self.watch_existing_folders());
            if !changed.is_empty() {
                return changed;
            }
        }
    }

    async fn wait_until_quiet(&mut self, first: Option<Snapshot>, changed: &mut BTreeSet<PathBuf>) -> Option<Snapshot> {
        let mut now = first;
        loop {
            while let Ok(Some(path)) = tokio::time::timeout(COPIED, self.events.recv()).await {
                self.note(path, changed);
            }
            let next = self.scan();
            if next == now {
                return now;
            }
            now = next;
        }
    }

    /// The actor that a path belongs to, if it is one of those that are watched.
    pub fn actor_of(&self, path: &Path) -> Option<ActorFolder> {
        let name = path.strip_prefix(&self.data).ok()?.components().next()?.as_os_str().to_str()?;
        let actor: ActorId = name.parse().ok()?;
        let is_wanted = self.wanted.is_empty() || self.wanted.contains(&actor);
        let folder = ActorFolder { dir: self.data.join(name), actor };
        // If an actor has two folders, neither takes precedence.
        let others = names_on_disk::entries(&self.data, folder.actor.as_str());
        (is_wanted && others.iter().all(|other| *other == folder.dir)).then_some(folder)
    }

    /// Notes a changed path. If it is a watched folder, it may be a new folder of that name, which must be watched
    /// again.
    fn note(&mut self, path: PathBuf, changed: &mut BTreeSet<PathBuf>) {
        if path.starts_with(self.data.join(STATE_FOLDER)) {
            return;
        }
        self.forget(&path);
        changed.insert(path);
    }

    fn forget(&mut self, dir: &Path) {
        if self.watched.remove(dir)
            && let Some(watcher) = &mut self.watcher
        {
            // Fails if the folder is gone, or is watched again already.
            drop(watcher.unwatch(dir));
        }
    }

    /// A snapshot of all folders; `None` if the data folder is gone, or has lost all actors at once, as an empty mount
    /// point has.
    fn scan(&self) -> Option<Snapshot> {
        let now = Snapshot::of(&self.dirs()?, &IGNORED);
        let is_lost = self.seen.has_any_below(&self.data) && !now.has_any_below(&self.data);
        (!is_lost).then_some(now)
    }

    fn report_loss(&mut self) {
        if !self.is_gone {
            self.is_gone = true;
            let data = self.data.display();
            remark(format!("{data} is gone, or empty: nothing is deleted because of that; waiting until it is back"));
            self.watched.clone().iter().for_each(|dir| self.forget(dir));
        }
    }

    fn report_return(&mut self) {
        if self.is_gone {
            self.is_gone = false;
            remark(format!("{} is back", self.data.display()));
        }
    }

    /// Watches all existing folders. Returns those that were not watched before.
    fn watch_existing_folders(&mut self) -> Vec<PathBuf> {
        let mut new = Vec::new();
        for dir in self.dirs().unwrap_or_default() {
            let Some(watcher) = &mut self.watcher else { break };
            if self.watched.contains(&dir) || !dir.is_dir() {
                continue;
            }
            match watcher.watch(&dir, RecursiveMode::NonRecursive) {
                Ok(()) => {
                    self.watched.insert(dir.clone());
                    new.push(dir);
                }
                // The folder has disappeared again.
                Err(_) if !dir.is_dir() => {}
                Err(error) => self.fall_back_to_polling(&error),
            }
        }
        new
    }

    fn fall_back_to_polling(&mut self, error: &notify::Error) {
        self.watcher = None;
        self.watched.clear();
        let every = self.poll_interval.as_secs();
        remark(format!("the system does not report changes here ({error}); the folders are scanned every {every} s"));
    }

    /// The folders to scan; `None` if the data folder can't be read.
    fn dirs(&self) -> Option<BTreeSet<PathBuf>> {
        let mut dirs = BTreeSet::new();
        let actors: Vec<PathBuf> = if self.wanted.is_empty() {
            dirs.insert(self.data.clone());
            entries(&self.data).ok()?
        } else if self.data.is_dir() {
            self.wanted.iter().map(|actor| names_on_disk::entry(&self.data, actor.as_str())).collect()
        } else {
            return None;
        };
        let is_actor = |dir: &PathBuf| {
            let name = dir.file_name().and_then(|name| name.to_str());
            name.is_some_and(|name| name != STATE_FOLDER && name.parse::<ActorId>().is_ok())
        };
        for dir in actors.into_iter().filter(is_actor).filter(|dir| is_there(dir)) {
            dirs.extend(["training_data", "base_image"].map(|inner| dir.join(inner)));
            dirs.insert(dir);
        }
        Some(dirs)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const SHORT_INTERVAL: Duration = Duration::from_millis(20);

    fn actor_with_images(data: &Path) -> PathBuf {
        let images = data.join("hero/training_data");
        fs::create_dir_all(&images).unwrap();
        for name in ["a_1.jpg", "a_2.jpg"] {
            fs::write(images.join(name), name).unwrap();
        }
        images
    }

    #[tokio::test]
    async fn polling_finds_changes_without_notifications() {
        let data = tempfile::tempdir().unwrap();
        let images = actor_with_images(data.path());
        let mut watcher = FolderWatcher::polling_only(data.path(), &[], SHORT_INTERVAL).unwrap();
        fs::write(images.join("a_3.jpg"), "new").unwrap();
        fs::write(images.join("a_2.jpg"), "longer than before").unwrap();
        fs::remove_file(images.join("a_1.jpg")).unwrap();
        fs::create_dir_all(data.path().join("hero/trash/p")).unwrap();
        fs::create_dir_all(data.path().join(STATE_FOLDER).join("objects")).unwrap();
        let expected: BTreeSet<PathBuf> = ["a_1.jpg", "a_2.jpg", "a_3.jpg"].map(|name| images.join(name)).into();
        assert_eq!(watcher.changes().await, expected);
        let newcomer = data.path().join("newcomer/training_data");
        fs::create_dir_all(&newcomer).unwrap();
        assert!(watcher.changes().await.contains(&newcomer));
    }

    #[tokio::test]
    async fn missing_data_folder_causes_no_changes() {
        let root = tempfile::tempdir().unwrap();
        let (data, elsewhere) = (root.path().join("data"), root.path().join("elsewhere"));
        let images = actor_with_images(&data);
        for leaves_empty_folder in [false, true] {
            let mut watcher = FolderWatcher::polling_only(&data, &[], SHORT_INTERVAL).unwrap();
            fs::rename(&data, &elsewhere).unwrap();
            if leaves_empty_folder {
                fs::create_dir(&data).unwrap();
            }
            let waited = tokio::time::timeout(COPIED * 3, watcher.changes()).await;
            assert!(waited.is_err(), "{waited:?}");
            if leaves_empty_folder {
                fs::remove_dir(&data).unwrap();
            }
            fs::rename(&elsewhere, &data).unwrap();
            let added = images.join(format!("a_{leaves_empty_folder}.jpg"));
            fs::write(&added, "new").unwrap();
            assert_eq!(watcher.changes().await, BTreeSet::from([added]));
        }
    }
}
