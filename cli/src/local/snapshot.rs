//! The state of the folders in a data folder, taken without reading any file.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::folder::entries;

/// The state of files and folders at one moment.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Snapshot(BTreeMap<PathBuf, EntryState>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum EntryState {
    /// A file, or a folder that is not scanned.
    Entry { length: u64, modified: Option<SystemTime> },
    /// A folder that is scanned; its identity shows whether another one has replaced it.
    Folder { device: u64, inode: u64 },
    /// A dangling link.
    Dangling,
}

impl Snapshot {
    /// Scans these folders and their content, except for entries with the names `ignored`. Unreadable entries count as
    /// absent.
    pub fn of(folders: &BTreeSet<PathBuf>, ignored: &[&str]) -> Self {
        let mut states = BTreeMap::new();
        for folder in folders {
            let Ok(found) = folder.metadata() else { continue };
            if !found.is_dir() {
                continue;
            }
            states.insert(folder.clone(), EntryState::Folder { device: found.dev(), inode: found.ino() });
            for path in entries(folder).unwrap_or_default() {
                let is_ignored = || path.file_name().is_none_or(|name| ignored.iter().any(|other| name == *other));
                if !folders.contains(&path) && !is_ignored() {
                    states.insert(path.clone(), EntryState::at(&path));
                }
            }
        }
        Self(states)
    }

    /// The paths that differ between the two snapshots, or exist in one only.
    pub fn differences(&self, other: &Self) -> BTreeSet<PathBuf> {
        let paths = self.0.keys().chain(other.0.keys());
        paths.filter(|path| self.0.get(*path) != other.0.get(*path)).cloned().collect()
    }

    /// Whether it contains anything below this folder.
    pub fn has_any_below(&self, folder: &Path) -> bool {
        self.0.keys().any(|path| path != folder && path.starts_with(folder))
    }
}

impl EntryState {
    fn at(path: &Path) -> Self {
        match fs::metadata(path) {
            Ok(found) if found.is_dir() => Self::Entry { length: 0, modified: found.modified().ok() },
            Ok(found) => Self::Entry { length: found.len(), modified: found.modified().ok() },
            Err(_) => Self::Dangling,
        }
    }
}
