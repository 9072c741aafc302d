//! The images of a set before and after a run.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::Context;
use domain::files::images_in_words;
use domain::kind::Kind;
use domain::manifest::Manifest;
use image::{ImageFormat, RgbImage};
use imaging::{decode, shrink};

use super::contact_sheet::{self, Mark, Section, THUMBNAIL_SIDE, Thumbnail};
use crate::folder::ImageFile;
use crate::local::data_folder::ActorFolder;
use crate::pictures;

pub struct Album {
    before: BTreeMap<String, RgbImage>,
}

impl Album {
    /// Reads a set before the run.
    pub fn before(folder: &ActorFolder) -> anyhow::Result<Self> {
        Ok(Self { before: thumbnails(folder)? })
    }

    /// Writes a picture of the set before and after the run.
    pub fn write_sheet(&self, folder: &ActorFolder, path: &Path) -> anyhow::Result<()> {
        let after = thumbnails(folder)?;
        let kinds = kinds(folder)?;
        let was: Vec<_> = in_order(&self.before)
            .map(|(name, image)| {
                let mark = if after.contains_key(name) { Mark::Kept } else { Mark::Deleted };
                Thumbnail { image, mark }
            })
            .collect();
        let mut sections = vec![Section { title: format!("before: {}", images_in_words(was.len())), thumbnails: was }];
        for kind in Kind::ALL {
            let is: Vec<_> = in_order(&after)
                .filter(|(name, _)| kinds.get(*name) == Some(&kind))
                .map(|(name, image)| {
                    let mark = if self.before.contains_key(name) { Mark::Kept } else { Mark::Generated };
                    Thumbnail { image, mark }
                })
                .collect();
            sections.push(Section { title: format!("after: {} {}", is.len(), in_words(kind)), thumbnails: is });
        }
        let sheet = contact_sheet::draw(&sections);
        pictures::write(path, &sheet, ImageFormat::Jpeg)
    }
}

fn thumbnails(folder: &ActorFolder) -> anyhow::Result<BTreeMap<String, RgbImage>> {
    let mut thumbnails = BTreeMap::new();
    for ImageFile { name, path } in folder.images()? {
        let bytes = fs::read(&path).with_context(|| format!("{} can't be read", path.display()))?;
        if let Ok(image) = decode(&bytes) {
            thumbnails.insert(name, shrink(&image, THUMBNAIL_SIDE));
        }
    }
    Ok(thumbnails)
}

fn kinds(folder: &ActorFolder) -> anyhow::Result<BTreeMap<String, Kind>> {
    let path = folder.manifest();
    let text = fs::read(&path).with_context(|| format!("{} can't be read", path.display()))?;
    let manifest: Manifest = serde_json::from_slice(&text)?;
    Ok(manifest.images.into_iter().filter_map(|(name, image)| Some((name, image.kind?))).collect())
}

/// Sorted by number.
fn in_order(images: &BTreeMap<String, RgbImage>) -> impl Iterator<Item = (&String, &RgbImage)> {
    let mut images: Vec<_> = images.iter().collect();
    images.sort_by_key(|(name, _)| domain::numbering::number_of(name));
    images.into_iter()
}

fn in_words(kind: Kind) -> &'static str {
    match kind {
        Kind::Photorealistic => "photorealistic",
        Kind::BwStylized => "black-and-white stylized",
        Kind::ColorStylized => "colour stylized",
    }
}
