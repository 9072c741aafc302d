//! A second file system.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use tempfile::TempDir;

/// A folder on another file system than this one, so that nothing can be renamed from one to the other.
pub(crate) fn elsewhere(than: &Path) -> TempDir {
    let device = |path: &Path| fs::metadata(path).map(|metadata| metadata.dev()).ok();
    let places = ["/dev/shm", "/run/shm", "/tmp", "/var/tmp", env!("CARGO_MANIFEST_DIR")];
    let mut others = places.iter().filter(|place| device(Path::new(place)).is_some_and(|it| Some(it) != device(than)));
    let found = others.find_map(|place| TempDir::new_in(place).ok());
    found.unwrap_or_else(|| panic!("no second file system among {places:?}"))
}
