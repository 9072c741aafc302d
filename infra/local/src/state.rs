//! The directory that keeps a stack's data. `state.py` describes its files, and writes them.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;

/// The records. Without this file, the objects have no meaning.
const RECORDS: &str = "records.jsonl";

const OBJECTS: &str = "objects";

/// Whether a stack has left records in this directory.
#[must_use]
pub fn has_state(directory: &Path) -> bool {
    fs::metadata(directory.join(RECORDS)).is_ok_and(|records| records.len() > 0)
}

/// Removes the data that a stack has left in this directory, and only that. The records are removed first, so that an
/// interrupted removal leaves none.
pub fn remove_state(directory: &Path) -> io::Result<()> {
    for name in [RECORDS.to_owned(), format!("{RECORDS}.new")] {
        accept_missing(fs::remove_file(directory.join(name)))?;
    }
    accept_missing(fs::remove_dir_all(directory.join(OBJECTS)))
}

fn accept_missing(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}
