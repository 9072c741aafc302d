//! Files that readers see completely or not at all.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use anyhow::Context;
use handlers::moving::temporary_file;

/// Writes a file as [`replace`] does, and creates its folder if necessary.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let dir = dir_of(path);
    fs::create_dir_all(dir).with_context(|| format!("{} can't be created", dir.display()))?;
    replace(path, bytes)
}

/// Writes a file so that a reader sees it completely or not at all, even if the program or the machine stops meanwhile.
/// If the name is a link, the link's target is written.
pub fn replace(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let place = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    write_temporary_file(&place, dir_of(&place), bytes).with_context(|| format!("{} can't be written", path.display()))
}

/// The folder of a file; `.` if its path has none.
pub fn dir_of(path: &Path) -> &Path {
    path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn write_temporary_file(path: &Path, dir: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = temporary_file(dir)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    // Not every file system can sync a folder; in that case the old name may reappear after a power cut.
    let _ = File::open(dir).and_then(|dir| dir.sync_all());
    Ok(())
}
