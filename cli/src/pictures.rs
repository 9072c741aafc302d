//! The images of a folder, for the commands that need no stack.

use std::fs;
use std::io::Cursor;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail};
use domain::facts::Facts;
use domain::files::IMAGE_EXTENSIONS_IN_WORDS;
use image::{ImageFormat, RgbImage};
use imaging::{decode, measure_and_shrink};

use crate::atomic_file::replace;
use crate::folder::{Contents, ImageFile};
use crate::outcome::remark;
use crate::progress::Progress;

pub struct Picture {
    pub filename: String,
    pub facts: Facts,
    pub preview: Arc<RgbImage>,
}

/// Reads a folder's images, by name, and reports unusable ones. Fails if the folder holds no usable image.
pub fn read_folder(dir: &Path) -> anyhow::Result<Vec<Picture>> {
    let contents = Contents::of(dir)?;
    contents.remarks(&dir.display().to_string()).into_iter().for_each(remark);
    let progress = Progress::start("reading images", contents.images.len() as u64);
    let mut pictures = Vec::new();
    for image in &contents.images {
        match read(image) {
            Ok(picture) => pictures.push(picture),
            Err(problem) => remark(format!("skipped {}: {problem:#}", image.path.display())),
        }
        progress.step();
    }
    progress.finish();
    if pictures.is_empty() {
        let deeper = contents.inventory.deeper.keys().next();
        let hint = deeper.map(|folder| format!("; there are some in {}", dir.join(folder).display()));
        bail!(
            "{} holds no usable image{}; put {IMAGE_EXTENSIONS_IN_WORDS} files there",
            dir.display(),
            hint.unwrap_or_default()
        );
    }
    Ok(pictures)
}

/// Writes a picture completely or not at all, so that an earlier page is never half overwritten.
pub fn write(path: &Path, picture: &RgbImage, format: ImageFormat) -> anyhow::Result<()> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).with_context(|| format!("{} can't be written", path.display()))?;
    replace(path, &bytes.into_inner())
}

fn read(image: &ImageFile) -> anyhow::Result<Picture> {
    let bytes = fs::read(&image.path)?;
    let decoded = decode(&bytes)?;
    let (facts, preview) = measure_and_shrink(&bytes, &decoded);
    Ok(Picture { filename: image.name.clone(), facts, preview: Arc::new(preview) })
}
