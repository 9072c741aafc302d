//! The images and manifests of real actors, for tests. They are not part of the repository.
//!
//! The environment variable `BALANCER_REAL_DATA` names their folder. It contains `images/`, with labelled images such
//! as `001_photorealistic.jpg`, `training_manifests/`, `actor_manifests/` and `evaluations/`. Tests that need the data skip without the
//! variable, and fail without the folder.
#![allow(clippy::panic, reason = "a test fails by panicking")]

use std::env;
use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;

use domain::kind::Kind;

/// An image with the kind that its name states.
pub struct LabelledImage {
    /// The file name without its ending.
    pub name: String,
    pub kind: Kind,
    pub path: PathBuf,
}

/// The labelled images, by name; none without the data.
#[must_use]
pub fn labelled_images() -> Vec<LabelledImage> {
    let labelled = |path: PathBuf| {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let Some(kind) = Kind::ALL.into_iter().find(|kind| name.ends_with(&kind.to_string())) else {
            panic!("{} has no kind in its name", path.display());
        };
        LabelledImage { name, kind, path }
    };
    files("images").into_iter().map(labelled).collect()
}

/// The manifests, by name; none without the data.
#[must_use]
pub fn manifests() -> Vec<PathBuf> {
    files("training_manifests")
}

/// The records of actors, by name; none without the data.
#[must_use]
pub fn actor_records() -> Vec<PathBuf> {
    files("actor_manifests")
}

/// Recorded evaluations, by name; none without the data.
#[must_use]
pub fn evaluations() -> Vec<PathBuf> {
    files("evaluations")
}

fn files(folder: &str) -> Vec<PathBuf> {
    let Some(root) = env::var_os("BALANCER_REAL_DATA") else {
        // Unlike `eprintln!`, this is shown for tests that pass. There is nothing to do if it fails.
        let _ = writeln!(io::stderr(), "skipped: BALANCER_REAL_DATA is not set");
        return Vec::new();
    };
    let folder = PathBuf::from(root).join(folder);
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<PathBuf> =
        entries.map(|entry| entry.unwrap_or_else(|error| panic!("{}: {error}", folder.display())).path()).collect();
    assert!(!files.is_empty(), "{} is empty", folder.display());
    files.sort();
    files
}
