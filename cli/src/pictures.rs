//! The images of a folder, for the commands that need no stack.

use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail};
use balancer::imaging::{Facts, PREVIEW_SIDE, decode, measure, shrink};
use balancer::keys::{IMAGE_EXTENSIONS_IN_WORDS, is_image_name};
use image::{ImageFormat, RgbImage};

use crate::local::replace;
use crate::outcome::remark;
use crate::progress::Progress;

/// An image of a folder.
pub struct Picture {
    pub filename: String,
    pub facts: Facts,
    pub preview: Arc<RgbImage>,
}

/// Reads a folder's images, by name. What can't be used is said on standard error, and the others go on.
///
/// # Errors
/// If the folder can't be read, or holds no image at all.
pub fn read_folder(dir: &Path) -> anyhow::Result<Vec<Picture>> {
    let files = files_in(dir)?;
    let progress = Progress::start("reading images", files.len() as u64);
    let mut pictures = Vec::new();
    for path in &files {
        match read(path) {
            Ok(picture) => pictures.push(picture),
            Err(problem) => remark(format!("skipped {}: {problem:#}", path.display())),
        }
        progress.step();
    }
    progress.finish();
    if pictures.is_empty() {
        bail!("{} holds no usable image; put {IMAGE_EXTENSIONS_IN_WORDS} files there", dir.display());
    }
    Ok(pictures)
}

/// The files of a folder in the order of their names, hidden ones left out. A folder that is called like an image counts
/// as a file, so that somebody says of it that it can't be read.
pub fn files_in(dir: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(dir).with_context(|| format!("the folder {} can't be read", dir.display()))?;
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.with_context(|| format!("the folder {} can't be read", dir.display()))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if !name.starts_with('.') && (!path.is_dir() || is_image_name(&name)) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Writes a picture whole or not at all; a page of an earlier run is never left half written.
///
/// # Errors
/// If it can't be encoded or written.
pub fn write(path: &Path, picture: &RgbImage, format: ImageFormat) -> anyhow::Result<()> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).with_context(|| format!("{} can't be written", path.display()))?;
    replace(path, &bytes.into_inner())
}

fn read(path: &Path) -> anyhow::Result<Picture> {
    let filename = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    if !is_image_name(&filename) {
        bail!("its name does not end in {IMAGE_EXTENSIONS_IN_WORDS}");
    }
    let bytes = fs::read(path)?;
    let image = decode(&bytes)?;
    let facts = measure(&bytes, &image);
    Ok(Picture { filename, facts, preview: Arc::new(shrink(&image, PREVIEW_SIDE)) })
}
