//! What the folders of a data folder look like, without any file being read.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::folder::entries;

/// What files and folders look like at a moment.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Snapshot(BTreeMap<PathBuf, Look>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Look {
    /// A file, or a folder that is not looked into.
    Entry { length: u64, modified: Option<SystemTime> },
    /// A folder that is looked into; another one may have taken its place.
    Folder { device: u64, inode: u64 },
    /// A link that leads nowhere.
    Dangling,
}

impl Snapshot {
    /// Looks at these folders and what lies in them, but for what is called `unseen`. What can't be read is not there.
    pub fn of(folders: &BTreeSet<PathBuf>, unseen: &str) -> Self {
        let mut looks = BTreeMap::new();
        for folder in folders {
            let Ok(found) = folder.metadata() else { continue };
            if !found.is_dir() {
                continue;
            }
            looks.insert(folder.clone(), Look::Folder { device: found.dev(), inode: found.ino() });
            for path in entries(folder).unwrap_or_default() {
                if !folders.contains(&path) && path.file_name().is_some_and(|name| name != unseen) {
                    looks.insert(path.clone(), Look::at(&path));
                }
            }
        }
        Self(looks)
    }

    /// What looks otherwise in one of the two, or is in one only.
    pub fn differences(&self, other: &Self) -> BTreeSet<PathBuf> {
        let paths = self.0.keys().chain(other.0.keys());
        paths.filter(|path| self.0.get(*path) != other.0.get(*path)).cloned().collect()
    }

    /// Whether it has anything below this folder.
    pub fn has_any_below(&self, folder: &Path) -> bool {
        self.0.keys().any(|path| path != folder && path.starts_with(folder))
    }
}

impl Look {
    fn at(path: &Path) -> Self {
        match fs::metadata(path) {
            Ok(found) if found.is_dir() => Self::Entry { length: 0, modified: found.modified().ok() },
            Ok(found) => Self::Entry { length: found.len(), modified: found.modified().ok() },
            Err(_) => Self::Dangling,
        }
    }
}
