//! A place for tests of `balancer export`, which need no stack.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::actors::snapshot;
use super::run::{Ran, balancer};

/// A folder with a data folder and places for exports.
pub(crate) struct Desk(TempDir);

impl Desk {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("data")).unwrap();
        Self(dir)
    }

    pub(crate) fn root(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.0.path().join("data")
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Runs the command beside the data folder.
    pub(crate) fn export(&self, arguments: &[&str]) -> Ran {
        let cache = self.path("cache");
        let mut command = balancer();
        command.current_dir(self.0.path()).env("BALANCER_CACHE_DIR", cache);
        Ran::of(command.args(["export", "--data", "data"]).args(arguments))
    }

    /// The names at the top, without the data folder and the cache.
    pub(crate) fn outputs(&self) -> Vec<String> {
        let entries = fs::read_dir(self.0.path()).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.filter(|name| !["data", "cache"].contains(&name.as_str())).collect();
        names.sort();
        names
    }
}

/// The relative paths of all files below a folder.
pub(crate) fn tree(dir: &Path) -> Vec<String> {
    snapshot(dir).into_keys().map(|path| path.strip_prefix(dir).unwrap().to_str().unwrap().to_owned()).collect()
}
