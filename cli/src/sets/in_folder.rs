//! The sets of a data folder on which no stack runs, as `manifest.json` and the files show them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use domain::actor::ActorId;
use domain::files::composed;
use domain::json;
use domain::kind::KindCounts;
use domain::manifest::{Image, Manifest};
use domain::numbering::number_of;
use domain::settings::{ACTOR_FILE, ActorSettings, Settings};
use domain::status::Status;
use imaging::MAX_BYTES;

use super::{ActorSet, Place};
use crate::folder::Contents;
use crate::local::data_folder::{self, ActorFolder, read_if_there};
use crate::local::record_trash;

/// A data folder.
pub struct InFolder {
    pub data: PathBuf,
}

impl InFolder {
    /// Fails if the folder can't be read.
    pub fn open(data: &Path) -> anyhow::Result<Self> {
        let data = data.canonicalize().with_context(|| format!("the data folder {} can't be read", data.display()))?;
        Ok(Self { data })
    }

    pub fn actors(&self) -> anyhow::Result<Vec<ActorId>> {
        let folders = data_folder::actors(&self.data, &[])?;
        Ok(folders.into_iter().map(|folder| folder.actor).collect())
    }

    pub fn folder(&self, actor: &ActorId) -> anyhow::Result<ActorFolder> {
        ActorFolder::find(&self.data, actor)
    }

    pub fn actor(&self, actor: &ActorId) -> anyhow::Result<ActorSet> {
        let folder = self.folder(actor)?;
        let contents = folder.contents()?;
        let mut manifest = manifest_of(&folder)?;
        let own_settings = own_settings(&folder)?;
        let of_stack = manifest.settings.as_ref().map_or_else(Settings::default, |it| Settings::default().of_actor(it));
        let settings = of_stack.of_actor(&own_settings);
        record_trash(&mut manifest, &folder);
        agree_with_files(&mut manifest, &contents);
        let (status, reason) = status_of(&manifest, &settings);
        Ok(ActorSet {
            actor: actor.clone(),
            round: manifest.balancing.as_ref().map_or(0, |suspension| suspension.rounds),
            manifest,
            status,
            reason,
            settings,
            own_settings,
            plans: Vec::new(),
            active_plan: None,
            approved_plan: None,
            money: None,
        })
    }

    pub fn picture(&self, actor: &ActorId, place: &Place) -> anyhow::Result<Option<Vec<u8>>> {
        let folder = self.folder(actor)?;
        let path = match place {
            Place::Base => folder.base_image()?,
            Place::Set(file) => Some(folder.image(file)),
            Place::Trash { plan_id, file } => Some(folder.trash_path(plan_id, file)),
        };
        let is_readable = |path: &PathBuf| path.metadata().is_ok_and(|it| it.is_file() && it.len() <= MAX_BYTES);
        path.filter(is_readable).map_or(Ok(None), |path| read_if_there(&path))
    }

    /// The texts of the caption files beside the images, by name.
    pub fn caption_files(&self, actor: &ActorId) -> anyhow::Result<BTreeMap<String, String>> {
        let dir = self.folder(actor)?.training_data();
        let Ok(entries) = fs::read_dir(&dir) else { return Ok(BTreeMap::new()) };
        let mut texts = BTreeMap::new();
        for entry in entries {
            let path = entry.with_context(|| format!("{} can't be read", dir.display()))?.path();
            let Some(name) = path.file_name().and_then(|name| name.to_str()).filter(|name| name.ends_with(".txt"))
            else {
                continue;
            };
            if let Some(bytes) = read_if_there(&path)? {
                texts.insert(composed(name), String::from_utf8_lossy(&bytes).into_owned());
            }
        }
        Ok(texts)
    }
}

/// The actor's manifest, or an empty one.
pub fn manifest_of(folder: &ActorFolder) -> anyhow::Result<Manifest> {
    let path = folder.manifest();
    match read_if_there(&path)? {
        Some(text) => json::read(&text).with_context(|| format!("{} is not a manifest", path.display())),
        None => Ok(Manifest::empty(&folder.actor)),
    }
}

fn own_settings(folder: &ActorFolder) -> anyhow::Result<ActorSettings> {
    let Some(path) = folder.own_file(ACTOR_FILE) else { return Ok(ActorSettings::default()) };
    let Some(text) = read_if_there(&path)? else { return Ok(ActorSettings::default()) };
    ActorSettings::read(&text).with_context(|| format!("{} can't be used", path.display()))
}

/// Adds the files that the manifest doesn't know, and removes the images whose files are gone.
fn agree_with_files(manifest: &mut Manifest, contents: &Contents) {
    let names: BTreeSet<&str> = contents.images.iter().map(|image| image.name.as_str()).collect();
    manifest.images.retain(|file, _| names.contains(file.as_str()));
    for name in names {
        let unseen = || Image { index: number_of(name), ..Image::default() };
        manifest.images.entry(name.to_owned()).or_insert_with(unseen);
    }
}

fn status_of(manifest: &Manifest, settings: &Settings) -> (Status, String) {
    if let Some(suspension) = &manifest.balancing {
        return (suspension.status, suspension.reason.clone());
    }
    let usable = || manifest.images.values().filter(|image| image.unusable.is_none());
    let counts = KindCounts::tally(usable().filter_map(|image| image.kind));
    // An image with measurements and without a quality is one that no model could assess; it stays.
    match usable().filter(|image| image.facts.is_none()).count() {
        0 if counts == settings.target.counts() => (Status::Balanced, format!("The set has {counts} images.")),
        0 => (Status::Waiting, "`balancer local` has not balanced this set yet.".to_owned()),
        1 => (Status::Waiting, "1 image is not assessed yet.".to_owned()),
        many => (Status::Waiting, format!("{many} images are not assessed yet.")),
    }
}
