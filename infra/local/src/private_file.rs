//! Files that only their owner can read.

use std::fs::{self, DirBuilder};
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

/// Writes a file that only its owner can read, completely or not at all. It replaces an existing file instead of
/// writing into it, so neither that file's permissions nor a symbolic link has an effect.
pub fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // Temporary files are created with mode 0600.
    let mut file = tempfile::NamedTempFile::new_in(directory)?;
    file.write_all(bytes)?;
    file.persist(path).map(drop).map_err(|error| error.error)
}

/// Creates a directory that only its owner can access, and its missing parents. An existing directory stays unchanged.
pub fn create_private_dir(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    match DirBuilder::new().mode(0o700).create(path) {
        // Another process has created it meanwhile.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        created => created,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_readable_file_becomes_private() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("env.json");
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
        write_private(&path, b"new").unwrap();
        assert_eq!((mode(&path), fs::read(&path).unwrap()), (0o600, b"new".to_vec()));
    }

    #[test]
    fn a_symbolic_link_is_replaced_not_followed() {
        let directory = tempfile::tempdir().unwrap();
        let (planted, path) = (directory.path().join("planted"), directory.path().join("env.json"));
        fs::write(&planted, "theirs").unwrap();
        symlink(&planted, &path).unwrap();
        write_private(&path, b"secret").unwrap();
        assert_eq!(fs::read(&planted).unwrap(), b"theirs");
        assert!(fs::symlink_metadata(&path).unwrap().is_file());
    }

    #[test]
    fn new_directories_are_private_and_others_stay() {
        let directory = tempfile::tempdir().unwrap();
        let (new, old) = (directory.path().join("a/b"), directory.path().join("c"));
        create_private_dir(&new).unwrap();
        fs::create_dir(&old).unwrap();
        fs::set_permissions(&old, fs::Permissions::from_mode(0o755)).unwrap();
        create_private_dir(&old).unwrap();
        assert_eq!((mode(&new), mode(&old)), (0o700, 0o755));
    }
}
