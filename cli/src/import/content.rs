//! The content of files to import.

use std::fs;
use std::path::{Path, PathBuf};

use domain::actor::ActorId;
use domain::manifest::{BaseImage, Manifest};
use domain::settings::ActorSettings;
use image::ImageFormat;
use imaging::MAX_BYTES;
use serde_json::{Map, Value};

use super::gathered::Found;
use super::image_folder::{Incoming, Role};
use super::kohya::Words;
use super::records::{merge, unusable_name};
use super::report::ActorReport;
use super::s3_place::OnlyInS3;

/// Reads a file. The error is a clause with the reason why it is not taken.
pub fn read(path: &Path, role: &Role) -> Result<Vec<u8>, String> {
    let size = fs::metadata(path).map_err(|problem| format!("it can't be read: {problem}"))?.len();
    if size > MAX_BYTES {
        return Err(format!("it has {size} bytes, and {MAX_BYTES} are the most"));
    }
    let bytes = fs::read(path).map_err(|problem| format!("it can't be read: {problem}"))?;
    let is_readable = || {
        let format = image::guess_format(&bytes).ok();
        matches!(format, Some(ImageFormat::Png | ImageFormat::Jpeg | ImageFormat::WebP))
    };
    if *role == Role::Image && !is_readable() {
        return Err("it is no PNG, JPEG or WebP image, whatever its name says".to_owned());
    }
    Ok(bytes)
}

/// The actor's manifest with everything that the sources add, and what that is. `known` is the present one.
pub fn merged(known: Option<Manifest>, actor: &ActorId, found: &Found, report: &mut ActorReport) -> Manifest {
    let mut manifest = known.unwrap_or_else(|| Manifest::empty(actor));
    for source in &found.manifests {
        let merged = merge(&mut manifest, source);
        report.present += merged.present;
        report.taken.records.extend(merged.records);
        report.taken.prompts.extend(merged.prompts);
        report.taken.metadata.extend(merged.metadata);
        report.notes.extend(merged.differences.into_iter().map(|it| domain::files::visible(&it)));
        for (file, reason) in merged.refused {
            report.refuse(&file, format!("{reason}, so its record is not taken"));
        }
    }
    manifest
}

/// The images of the sources' manifests that lie in one of these folders.
pub fn images_of_manifests(found: &Found) -> Vec<Incoming> {
    let names = found.manifests.iter().flat_map(|manifest| manifest.images.keys());
    let usable = names.filter(|name| unusable_name(name).is_none());
    usable.filter_map(|name| incoming(name, &found.image_folders)).collect()
}

/// The base images of the sources' manifests that lie in one of these folders.
pub fn base_images_of_manifests(found: &Found) -> Vec<Incoming> {
    let places = found.manifests.iter().flat_map(|manifest| &manifest.base_images);
    let names = places.filter_map(name_of).filter(|name| unusable_name(name).is_none());
    names.filter_map(|name| incoming(name, &found.image_folders)).collect()
}

/// The images and base images that lie neither in the set nor beside a source.
pub fn only_in_s3(found: &Found, is_there: impl Fn(&str) -> bool) -> Vec<OnlyInS3> {
    let mut missing: Vec<OnlyInS3> = Vec::new();
    for manifest in &found.manifests {
        let images = manifest.images.iter().filter_map(|(name, image)| Some((name.as_str(), image.s3_url.as_deref()?)));
        let bases = manifest.base_images.iter().filter_map(|place| Some((name_of(place)?, place.s3_url.as_deref()?)));
        let usable = images.chain(bases).filter(|(name, _)| unusable_name(name).is_none());
        for (name, url) in usable.filter(|(name, _)| !is_there(name)) {
            let image = OnlyInS3::new(name, url);
            if !missing.contains(&image) {
                missing.push(image);
            }
        }
    }
    missing
}

/// The name of a base image's file: the earlier script states it, and otherwise the address ends with it.
fn name_of(place: &BaseImage) -> Option<&str> {
    let stated = place.other.get("filename").and_then(Value::as_str);
    stated.or_else(|| place.s3_url.as_deref()?.rsplit('/').next())
}

fn incoming(name: &str, folders: &[PathBuf]) -> Option<Incoming> {
    let path = folders.iter().map(|folder| folder.join(name)).find(|path| path.is_file())?;
    Some(Incoming { name: domain::files::composed(name), path, role: Role::Image })
}

/// The `actor.json` for these words; `None` if there are none, or if they can't be used, which the report then says.
pub fn settings_of(words: &Words, report: &mut ActorReport) -> Option<Vec<u8>> {
    let fields = [("trigger", &words.trigger), ("class", &words.class)];
    let fields: Map<String, Value> =
        fields.into_iter().filter_map(|(name, word)| Some((name.to_owned(), word.clone()?.into()))).collect();
    if fields.is_empty() {
        return None;
    }
    let mut text = serde_json::to_vec_pretty(&fields).ok()?;
    text.push(b'\n');
    match ActorSettings::read(&text) {
        Ok(_) => Some(text),
        Err(problem) => {
            report.notes.push(format!("the words of the folder's name were not taken: {problem}"));
            None
        }
    }
}

/// Compares an existing `actor.json` with these words, which never change it.
pub fn compare_settings(existing: &[u8], words: &Words, place: &str, report: &mut ActorReport) {
    let own = match ActorSettings::read(existing) {
        Ok(own) => own,
        Err(problem) => return report.refuse(place, format!("it can't be used: {problem}; repair it")),
    };
    let mut is_same = true;
    for (name, own, word) in [("trigger", own.trigger, &words.trigger), ("class", own.class, &words.class)] {
        match (own, word) {
            (Some(own), Some(word)) if own != *word => {
                is_same = false;
                report.notes.push(format!("{place} stays as it is: its {name} is {own}, and {word} in the source"));
            }
            (None, Some(word)) => {
                is_same = false;
                report.notes.push(format!(
                    "{place} stays as it is: it has no {name}, which is {word} in the source; add \"{name}\": \"{word}\""
                ));
            }
            _ => {}
        }
    }
    report.present += usize::from(is_same);
}
