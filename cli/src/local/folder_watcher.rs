//! Seeing what changes in the folders of actors, those that are yet to come included.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use balancer::domain::actor::ActorId;
use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::mpsc;

use super::data_folder::{ActorFolder, name_of};

/// How long nothing must change before files count as completely copied.
pub const COPIED: Duration = Duration::from_millis(500);

/// Watches the data folder, each actor's folder, and in it `training_data` and `base_image`: not what lies deeper, and
/// not the trash.
pub struct FolderWatcher {
    data: PathBuf,
    /// Only these actors; all if there are none here.
    wanted: Vec<ActorId>,
    watcher: RecommendedWatcher,
    events: mpsc::UnboundedReceiver<PathBuf>,
    watched: BTreeSet<PathBuf>,
}

impl FolderWatcher {
    /// Watches a data folder from now on: these actors, or all of them and whoever comes.
    ///
    /// # Errors
    /// If the folder can't be watched.
    pub fn on(data: &Path, wanted: &[ActorId]) -> anyhow::Result<Self> {
        let (sender, events) = mpsc::unbounded_channel();
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            let Ok(event) = event else { return };
            if matches!(event.kind, EventKind::Create(_) | EventKind::Modify(_) | EventKind::Remove(_)) {
                // Nobody listens any more once the watch has ended.
                event.paths.into_iter().for_each(|path| drop(sender.send(path)));
            }
        })?;
        let mut watcher =
            Self { data: data.to_owned(), wanted: wanted.to_vec(), watcher, events, watched: BTreeSet::new() };
        watcher.watch_what_is_there()?;
        Ok(watcher)
    }

    /// What has changed, once nothing changes any more. A folder that has come counts as changed, since what it holds may
    /// have come before anybody looked.
    ///
    /// # Errors
    /// If a new folder can't be watched.
    pub async fn changes(&mut self) -> anyhow::Result<BTreeSet<PathBuf>> {
        let mut changed = BTreeSet::new();
        let Some(first) = self.events.recv().await else { bail!("nothing watches the data folder any more") };
        self.note(first, &mut changed);
        loop {
            while let Ok(Some(path)) = tokio::time::timeout(COPIED, self.events.recv()).await {
                self.note(path, &mut changed);
            }
            let new = self.watch_what_is_there()?;
            if new.is_empty() {
                return Ok(changed);
            }
            changed.extend(new);
        }
    }

    /// The actor that a path belongs to, if it is one of those that are watched.
    pub fn actor_of(&self, path: &Path) -> Option<ActorFolder> {
        let name = path.strip_prefix(&self.data).ok()?.components().next()?.as_os_str().to_str()?;
        let actor: ActorId = name.parse().ok()?;
        let is_wanted = self.wanted.is_empty() || self.wanted.contains(&actor);
        is_wanted.then(|| ActorFolder { dir: self.data.join(name), actor })
    }

    /// A watched folder that is named itself may be another one by now, which nobody watches.
    fn note(&mut self, path: PathBuf, changed: &mut BTreeSet<PathBuf>) {
        if self.watched.remove(&path) {
            // It is gone already, or is watched anew.
            drop(self.watcher.unwatch(&path));
        }
        changed.insert(path);
    }

    /// Watches every folder that is there and isn't watched yet, and returns it.
    fn watch_what_is_there(&mut self) -> anyhow::Result<Vec<PathBuf>> {
        let mut new = Vec::new();
        for dir in self.dirs()? {
            if self.watched.contains(&dir) || !dir.is_dir() {
                continue;
            }
            match self.watcher.watch(&dir, RecursiveMode::NonRecursive) {
                Ok(()) => {
                    self.watched.insert(dir.clone());
                    new.push(dir);
                }
                // Gone again.
                Err(_) if !dir.is_dir() => {}
                Err(error) => {
                    return Err(error).with_context(|| format!("the folder {} can't be watched", dir.display()));
                }
            }
        }
        Ok(new)
    }

    fn dirs(&self) -> anyhow::Result<Vec<PathBuf>> {
        let mut dirs = Vec::new();
        let mut actors: Vec<PathBuf> = self.wanted.iter().map(|actor| self.data.join(actor.as_str())).collect();
        if self.wanted.is_empty() {
            let entries = fs::read_dir(&self.data)
                .with_context(|| format!("the data folder {} can't be read", self.data.display()))?;
            dirs.push(self.data.clone());
            actors.extend(entries.filter_map(|entry| Some(entry.ok()?.path())));
        }
        for dir in actors.into_iter().filter(|dir| name_of(dir).parse::<ActorId>().is_ok()) {
            dirs.extend(["training_data", "base_image"].map(|inner| dir.join(inner)));
            dirs.push(dir);
        }
        Ok(dirs)
    }
}
