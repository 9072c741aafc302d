//! Where an export is written.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use domain::actor::ActorId;
use imaging::sha256;
use zip::ZipArchive;

use super::marker::{MARKER, Marker};
use crate::folder::entries;

/// A folder or a zip, by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    Folder(PathBuf),
    Zip(PathBuf),
}

/// What is at the destination before the export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Occupant {
    Nothing,
    EmptyFolder,
    /// An earlier export, which may be replaced.
    Export,
}

impl Destination {
    /// A name that ends in `.zip` is a zip's. A link stands for its target.
    pub fn of(output: &Path) -> Self {
        let path = fs::canonicalize(output).unwrap_or_else(|_| output.to_owned());
        let is_zip = output.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("zip"));
        if is_zip { Self::Zip(path) } else { Self::Folder(path) }
    }

    pub fn path(&self) -> &Path {
        match self {
            Self::Folder(path) | Self::Zip(path) => path,
        }
    }

    /// The same sort of destination at another path.
    pub fn moved_to(&self, path: &Path) -> Self {
        match self {
            Self::Folder(_) => Self::Folder(path.to_owned()),
            Self::Zip(_) => Self::Zip(path.to_owned()),
        }
    }

    /// Fails if the export would overwrite something, mix with it, or lie among the images. An earlier export must
    /// have one of these actors; `None` if they are not known yet.
    pub fn check(
        &self,
        actors: Option<&BTreeSet<ActorId>>,
        replace: bool,
        data: Option<&Path>,
    ) -> anyhow::Result<Occupant> {
        let path = self.path();
        if path.file_name().is_none() {
            bail!("{:?} can't be written: give -o the name of a new folder or of a .zip", path.display().to_string());
        }
        if let Some(data) = data.filter(|data| lies_in(path, data)) {
            bail!(
                "{} lies in the data folder {}, among the actors; give -o a place outside",
                path.display(),
                data.display()
            );
        }
        match self {
            Self::Folder(path) => check_folder(path, actors, replace),
            Self::Zip(path) => check_zip(path, actors, replace),
        }
        .with_context(|| format!("{} was left as it is", path.display()))
    }
}

fn check_folder(path: &Path, actors: Option<&BTreeSet<ActorId>>, replace: bool) -> anyhow::Result<Occupant> {
    let Ok(there) = path.symlink_metadata() else { return Ok(Occupant::Nothing) };
    if !there.is_dir() {
        bail!("it is no folder; give -o the name of a new folder, or one that ends in .zip");
    }
    if entries(path)?.is_empty() {
        return Ok(Occupant::EmptyFolder);
    }
    let marker = fs::read(path.join(MARKER)).ok().and_then(|text| Marker::read(&text));
    let marker = replaceable(marker, replace, "the folder is not empty, and is no export of this command")?;
    marker.check_replacement(actors, &files_below(path, &marker)?)?;
    Ok(Occupant::Export)
}

fn check_zip(path: &Path, actors: Option<&BTreeSet<ActorId>>, replace: bool) -> anyhow::Result<Occupant> {
    let Ok(there) = path.symlink_metadata() else { return Ok(Occupant::Nothing) };
    let marker = if there.is_file() { marker_in(path).ok().flatten() } else { None };
    let marker = replaceable(marker, replace, "a file of this name exists, and is no export of this command")?;
    marker.check_replacement(actors, &files_in(path)?)?;
    Ok(Occupant::Export)
}

fn replaceable(marker: Option<Marker>, replace: bool, otherwise: &str) -> anyhow::Result<Marker> {
    match marker {
        None => bail!("{otherwise}; give another -o"),
        Some(_) if !replace => bail!("an earlier export is there; replace it with --replace, or give another -o"),
        Some(marker) => Ok(marker),
    }
}

/// The files below a folder by their relative paths, with the SHA-256 of those that the export has written. A link is none
/// of those, because the export writes none.
fn files_below(root: &Path, marker: &Marker) -> anyhow::Result<BTreeMap<String, String>> {
    let (mut files, mut folders) = (BTreeMap::new(), vec![root.to_owned()]);
    while let Some(folder) = folders.pop() {
        for path in entries(&folder)? {
            let there = path.symlink_metadata().with_context(|| format!("{} can't be read", path.display()))?;
            if there.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().into_owned();
            let is_ours = there.is_file() && marker.files.contains_key(&name);
            let hash = if is_ours { sha256(&fs::read(&path)?) } else { String::new() };
            files.insert(name, hash);
        }
    }
    Ok(files)
}

fn marker_in(path: &Path) -> anyhow::Result<Option<Marker>> {
    let mut archive = ZipArchive::new(File::open(path)?)?;
    Ok(Marker::read(&content(archive.by_name(MARKER)?)?))
}

/// The SHA-256 of all files in a zip.
fn files_in(path: &Path) -> anyhow::Result<BTreeMap<String, String>> {
    let mut archive = ZipArchive::new(File::open(path)?)?;
    let mut files = BTreeMap::new();
    for index in 0..archive.len() {
        let file = archive.by_index(index)?;
        files.insert(file.name()?.into_owned(), sha256(&content(file)?));
    }
    Ok(files)
}

fn content(mut file: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Whether a path that may not exist yet lies in a folder.
fn lies_in(path: &Path, folder: &Path) -> bool {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let existing = absolute.ancestors().find_map(|ancestor| ancestor.canonicalize().ok());
    let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    existing.is_some_and(|existing| existing.starts_with(folder))
}
