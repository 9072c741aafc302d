//! Writes an export under a temporary name, and gives it its final name when it is complete.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Cursor, Seek, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use handlers::moving::temporary_file;
use imaging::{decode, encode_png, sha256};
use tempfile::TempDir;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use super::destination::{Destination, Occupant};
use super::marker::{ExportedFile, MARKER, Marker};
use super::tree::{Content, Form, Picture, Source, Tree};
use crate::atomic_file::dir_of;
use crate::progress::Progress;
use crate::sets::{Place, Sets};

/// The beginning of the name of a folder with an unfinished export. It is hidden, and trainers skip hidden folders.
const UNFINISHED: &str = ".balancer-export-";

/// What files are put into, one after the other.
trait Sink {
    fn put(&mut self, path: &str, bytes: &[u8]) -> anyhow::Result<()>;
}

struct Folder<'a>(&'a Path);

struct Archive<W: Write + Seek>(ZipWriter<W>);

/// Checks that the export at a path may still be replaced: writing takes a while, and a trainer may have begun meanwhile.
type Check<'a> = &'a dyn Fn(&Path) -> anyhow::Result<()>;

/// Writes the files and the marker that names them. If that fails, the destination is as before.
pub async fn write(
    sets: &Sets,
    files: &Tree,
    marker: impl FnOnce(BTreeMap<String, ExportedFile>) -> Marker,
    (destination, occupant, check): (&Destination, Occupant, Check<'_>),
) -> anyhow::Result<()> {
    let path = destination.path();
    let failed = || format!("{} can't be written", path.display());
    let parent = dir_of(path);
    fs::create_dir_all(parent).with_context(|| format!("{} can't be created", parent.display()))?;
    match destination {
        Destination::Folder(path) => {
            let scratch = tempfile::Builder::new().prefix(UNFINISHED).tempdir_in(parent).with_context(failed)?;
            let new = scratch.path().join("new");
            fs::create_dir(&new).with_context(failed)?;
            write_all(sets, files, marker, &mut Folder(&new)).await.with_context(failed)?;
            publish_folder(scratch, &new, path, (occupant, check)).with_context(failed)
        }
        Destination::Zip(path) => {
            let file = temporary_file(parent).with_context(failed)?;
            let mut archive = Archive(ZipWriter::new(file));
            write_all(sets, files, marker, &mut archive).await.with_context(failed)?;
            let file = archive.0.finish().with_context(failed)?;
            file.as_file().sync_all().with_context(failed)?;
            if occupant == Occupant::Export {
                check(path)?;
            }
            match occupant {
                Occupant::Export => file.persist(path),
                Occupant::Nothing | Occupant::EmptyFolder => file.persist_noclobber(path),
            }
            .map(drop)
            .map_err(|error| error.error)
            .with_context(failed)
        }
    }
}

async fn write_all(
    sets: &Sets,
    files: &Tree,
    marker: impl FnOnce(BTreeMap<String, ExportedFile>) -> Marker,
    sink: &mut impl Sink,
) -> anyhow::Result<()> {
    let progress = Progress::start("writing files", files.len() as u64);
    let mut written = BTreeMap::new();
    for (path, content) in files {
        let bytes = bytes_of(sets, content).await?;
        sink.put(path, &bytes)?;
        written.insert(path.clone(), ExportedFile { sha256: sha256(&bytes), image: image_of(content) });
        progress.step();
        // An interruption ends the export here.
        tokio::task::yield_now().await;
    }
    progress.finish();
    let text = serde_json::to_string_pretty(&marker(written))?;
    sink.put(MARKER, format!("{text}\n").as_bytes())
}

fn image_of(content: &Content) -> Option<String> {
    match content {
        Content::Picture(Picture { source: Source::Image(name), .. }) => Some(name.clone()),
        _ => None,
    }
}

async fn bytes_of(sets: &Sets, content: &Content) -> anyhow::Result<Vec<u8>> {
    match content {
        Content::Text(text) => Ok(text.clone().into_bytes()),
        Content::Picture(picture) => bytes_of_picture(sets, picture).await,
        Content::Archive(files) => {
            let mut archive = Archive(ZipWriter::new(Cursor::new(Vec::new())));
            for (path, content) in files {
                archive.put(path, &Box::pin(bytes_of(sets, content)).await?)?;
            }
            Ok(archive.0.finish()?.into_inner())
        }
    }
}

/// Fails if the file is no longer the one that the export was planned with.
async fn bytes_of_picture(sets: &Sets, picture: &Picture) -> anyhow::Result<Vec<u8>> {
    let (place, name) = match &picture.source {
        Source::BaseImage => (Place::Base, "the base image"),
        Source::Image(name) => (Place::Set(name.clone()), name.as_str()),
    };
    let found = sets.picture(&picture.actor, &place).await?.filter(|bytes| sha256(bytes) == picture.sha256);
    let Some(bytes) = found else {
        bail!("{name} of {} was changed or deleted during the export; export again", picture.actor);
    };
    match picture.form {
        Form::Original => Ok(bytes),
        Form::Png => Ok(encode_png(&decode(&bytes)?)?),
    }
}

/// Gives the complete folder its final name. An earlier export goes with the temporary folder.
fn publish_folder(
    scratch: TempDir,
    new: &Path,
    path: &Path,
    (occupant, check): (Occupant, Check<'_>),
) -> anyhow::Result<()> {
    match occupant {
        Occupant::Nothing => fs::rename(new, path)?,
        Occupant::EmptyFolder => {
            // Fails if the folder is not empty any more.
            fs::remove_dir(path)?;
            fs::rename(new, path)?;
        }
        Occupant::Export => {
            let old: PathBuf = scratch.path().join("old");
            fs::rename(path, &old)?;
            let replaced = check(&old).and_then(|()| Ok(fs::rename(new, path)?));
            if replaced.is_err()
                && let Err(problem) = fs::rename(&old, path)
            {
                let kept = scratch.keep();
                bail!("the earlier export is now in {}: {problem}", kept.join("old").display());
            }
            replaced?;
        }
    }
    Ok(())
}

impl Sink for Folder<'_> {
    fn put(&mut self, path: &str, bytes: &[u8]) -> anyhow::Result<()> {
        let place = self.0.join(path);
        let write = || {
            fs::create_dir_all(dir_of(&place))?;
            let mut file = File::create_new(&place)?;
            file.write_all(bytes)?;
            file.sync_all()
        };
        write().with_context(|| format!("writing {path} failed"))
    }
}

impl<W: Write + Seek> Sink for Archive<W> {
    /// Pictures are compressed already. The time is zip's earliest one, so that the same files give the same zip.
    fn put(&mut self, path: &str, bytes: &[u8]) -> anyhow::Result<()> {
        let is_text = [".txt", ".json", ".jsonl", ".toml", ".yaml", ".md"].iter().any(|ending| path.ends_with(ending));
        let method = if is_text { CompressionMethod::Deflated } else { CompressionMethod::Stored };
        let options = SimpleFileOptions::default()
            .compression_method(method)
            .last_modified_time(DateTime::default())
            .unix_permissions(0o644)
            .large_file(bytes.len() > u32::MAX as usize);
        let mut write = || -> anyhow::Result<()> {
            self.0.start_file(path, options)?;
            Ok(self.0.write_all(bytes)?)
        };
        write().with_context(|| format!("writing {path} failed"))
    }
}
