//! Imports into a data folder.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use domain::actor::ActorId;
use domain::json;
use domain::manifest::Manifest;
use domain::settings::ACTOR_FILE;
use handlers::moving::write_new;
use handlers::names_on_disk;

use super::content::{
    base_images_of_manifests, compare_settings, images_of_manifests, merged, only_in_s3, read, settings_of,
};
use super::gathered::Found;
use super::image_folder::{CaptionRule, Incoming, Role};
use super::report::ActorReport;
use crate::atomic_file::write_atomically;
use crate::local::data_folder::{ActorFolder, is_there, read_if_there};

/// A data folder as the destination.
pub struct IntoFolder<'a> {
    pub data: &'a Path,
    pub dry_run: bool,
    /// The actors whose records a running or killed run keeps. It would replace a changed manifest.
    pub kept_elsewhere: &'a BTreeSet<ActorId>,
}

/// An import of one actor.
struct ActorImport<'a> {
    folder: ActorFolder,
    report: ActorReport,
    dry_run: bool,
    /// The files that a dry run would have written, with their sources.
    planned: BTreeMap<PathBuf, PathBuf>,
    kept_elsewhere: &'a BTreeSet<ActorId>,
}

impl IntoFolder<'_> {
    /// Imports an actor. A problem with a file is part of the report.
    pub fn import(&self, actor: &ActorId, found: &Found) -> ActorReport {
        let mut report = ActorReport::of(actor);
        report.sources.clone_from(&found.sources);
        report.skipped.clone_from(&found.skipped);
        report.notes.clone_from(&found.notes);
        let folder = match self.folder_of(actor) {
            Ok(folder) => folder,
            Err(problem) => {
                report.refuse(actor.as_str(), format!("{problem:#}"));
                return report;
            }
        };
        let mut import = ActorImport {
            folder,
            report,
            dry_run: self.dry_run,
            planned: BTreeMap::new(),
            kept_elsewhere: self.kept_elsewhere,
        };
        if let Err(problem) = import.run(found) {
            let dir = import.folder.dir.display().to_string();
            import.report.refuse(&dir, format!("{problem:#}; repair the cause, and import again"));
        }
        import.report
    }

    /// The actor's folder, which may not exist yet.
    fn folder_of(&self, actor: &ActorId) -> anyhow::Result<ActorFolder> {
        match names_on_disk::entries(self.data, actor.as_str()).as_slice() {
            [] => Ok(ActorFolder { actor: actor.clone(), dir: self.data.join(actor.as_str()) }),
            [dir] if !dir.is_dir() => bail!("{} is no folder; rename it", dir.display()),
            _ => ActorFolder::find(self.data, actor),
        }
    }
}

impl ActorImport<'_> {
    /// A watch notices an actor by its image folder, so that comes after the manifest and the settings.
    fn run(&mut self, found: &Found) -> anyhow::Result<()> {
        self.take_records(found)?;
        self.take_settings(found)?;
        if !self.dry_run {
            let dir = self.folder.training_data();
            fs::create_dir_all(&dir).with_context(|| format!("{} can't be created", dir.display()))?;
        }
        for file in base_images_of_manifests(found) {
            self.take_base_image(&file)?;
        }
        let before = self.folder.images()?.into_iter().map(|image| image.name).collect();
        let mut captions = CaptionRule { before, ..CaptionRule::default() };
        for file in found.files.iter().chain(&images_of_manifests(found)) {
            self.take_file(file, &mut captions)?;
        }
        let is_here = |name: &str| {
            let places = [self.folder.image(name), self.folder.base_images().join(name)];
            places.iter().any(|place| is_there(place) || self.planned.contains_key(place))
        };
        self.report.only_in_s3 = only_in_s3(found, is_here);
        Ok(())
    }

    fn take_records(&mut self, found: &Found) -> anyhow::Result<()> {
        if found.manifests.is_empty() {
            return Ok(());
        }
        let path = self.folder.manifest();
        let known = self.manifest(&path)?;
        let is_kept_elsewhere = self.kept_elsewhere.contains(&self.folder.actor);
        if is_kept_elsewhere {
            let sentence = "a run of `balancer local` keeps its records; end the run, and import again";
            self.report.refuse("manifest.json", sentence);
            return Ok(());
        }
        let manifest = merged(known.clone(), &self.folder.actor, found, &mut self.report);
        if known.as_ref() != Some(&manifest) && !self.dry_run {
            write_atomically(&path, &serde_json::to_vec_pretty(&manifest)?)?;
        }
        Ok(())
    }

    fn manifest(&self, path: &Path) -> anyhow::Result<Option<Manifest>> {
        let Some(text) = read_if_there(path)? else { return Ok(None) };
        Ok(Some(json::read(&text).with_context(|| format!("{} is not a manifest", path.display()))?))
    }

    fn take_settings(&mut self, found: &Found) -> anyhow::Result<()> {
        let Some(text) = settings_of(&found.words, &mut self.report) else { return Ok(()) };
        if let Some(path) = self.folder.own_file(ACTOR_FILE) {
            let existing = read_if_there(&path)?.unwrap_or_default();
            compare_settings(&existing, &found.words, ACTOR_FILE, &mut self.report);
            return Ok(());
        }
        self.report.taken.settings = true;
        if !self.dry_run {
            write_atomically(&self.folder.dir.join(ACTOR_FILE), &text)?;
        }
        Ok(())
    }

    /// The first base image counts, so a second one must not come before it.
    fn take_base_image(&mut self, file: &Incoming) -> anyhow::Result<()> {
        let place = names_on_disk::entry(&self.folder.base_images(), &file.name);
        match self.folder.base_image()? {
            Some(own) if own != place => {
                let own = own.file_name().unwrap_or_default().to_string_lossy().into_owned();
                self.report.skip(&file.name, format!("the actor has the base image {own} already"));
                Ok(())
            }
            _ => self.take(file, place, true).map(drop),
        }
    }

    fn take_file(&mut self, file: &Incoming, captions: &mut CaptionRule) -> anyhow::Result<()> {
        let place = self.folder.image(&file.name);
        match &file.role {
            Role::Caption { of } => match captions.objection(&file.name, of) {
                Some(objection) => self.report.skip(&file.name, objection),
                None => drop(self.take(file, place, false)?),
            },
            Role::Image => {
                if self.take(file, place, false)? {
                    captions.image_is_here(file);
                }
            }
        }
        Ok(())
    }

    /// Copies a file, unless one of its name is there. Returns whether this file is there now.
    fn take(&mut self, file: &Incoming, place: PathBuf, is_base: bool) -> anyhow::Result<bool> {
        let bytes = match read(&file.path, &file.role) {
            Ok(bytes) => bytes,
            Err(reason) => {
                self.report.refuse(&file.path.display().to_string(), reason);
                return Ok(false);
            }
        };
        let is_new = if self.dry_run {
            !is_there(&place) && !self.planned.contains_key(&place)
        } else {
            !is_there(&place)
                && write_new(&place, &bytes).with_context(|| format!("{} can't be written", place.display()))?
        };
        if !is_new {
            return self.compare(file, &place, &bytes);
        }
        if self.dry_run {
            self.planned.insert(place, file.path.clone());
        }
        let taken = &mut self.report.taken;
        let list = match file.role {
            _ if is_base => &mut taken.base_images,
            Role::Image => &mut taken.images,
            Role::Caption { .. } => &mut taken.captions,
        };
        list.push(file.name.clone());
        Ok(true)
    }

    /// The name is taken, by the same content or by another one. Returns whether it is the same.
    fn compare(&mut self, file: &Incoming, place: &Path, bytes: &[u8]) -> anyhow::Result<bool> {
        let other = self.planned.get(place).map_or(place, PathBuf::as_path);
        let known = fs::read(other).with_context(|| format!("{} can't be read", other.display()))?;
        if known == bytes {
            self.report.present += 1;
        } else {
            let sentence = format!("{} has other content; rename one of them", place.display());
            self.report.refuse(&file.path.display().to_string(), sentence);
        }
        Ok(known == bytes)
    }
}
