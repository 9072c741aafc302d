//! Finds files and folders by a name in either Unicode form: macOS writes `ü` as two characters, the bucket has one.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use domain::files::composed;

/// The entry of a folder with this name in either form; if there is none, the path for a new one.
#[must_use]
pub fn entry(dir: &Path, name: &str) -> PathBuf {
    entries(dir, name).into_iter().next().unwrap_or_else(|| dir.join(name))
}

/// All entries of a folder with this name in either form, the identical spelling first. A file system may contain both.
#[must_use]
pub fn entries(dir: &Path, name: &str) -> Vec<PathBuf> {
    let exact = dir.join(name);
    let is_there = exact.symlink_metadata().is_ok();
    if name.is_ascii() {
        return is_there.then_some(exact).into_iter().collect();
    }
    let has_name = |found: &OsStr| found != name && composed_name(found).is_some_and(|found| found == composed(name));
    let others = fs::read_dir(dir).into_iter().flatten().flatten().filter(|found| has_name(&found.file_name()));
    // Some file systems find both spellings for each entry.
    let others = others.map(|found| found.path()).filter(|path| !is_there || !is_same_entry(path, &exact));
    is_there.then(|| exact.clone()).into_iter().chain(others).collect()
}

/// A file system's name in the composed form; `None` if it is not UTF-8.
#[must_use]
pub fn composed_name(name: &OsStr) -> Option<String> {
    name.to_str().map(composed)
}

fn is_same_entry(one: &Path, other: &Path) -> bool {
    let identity = |path: &Path| path.symlink_metadata().ok().map(|found| (found.dev(), found.ino()));
    identity(one).is_some_and(|it| Some(it) == identity(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entry_is_found_under_either_spelling() {
        let dir = tempfile::tempdir().unwrap();
        let (decomposed, composed) = (dir.path().join("Ju\u{308}rgen"), dir.path().join("Jürgen"));
        assert_eq!(entry(dir.path(), "Jürgen"), composed, "the path for a new one");
        fs::create_dir(&decomposed).unwrap();
        assert_eq!(entry(dir.path(), "Jürgen"), decomposed);
        if fs::create_dir(&composed).is_ok() {
            assert_eq!(entries(dir.path(), "Jürgen"), [composed, decomposed]);
        }
        assert_eq!(entries(dir.path(), "hero"), Vec::<PathBuf>::new());
    }
}
