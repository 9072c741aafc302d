//! The files of an actor's folder, read before anything is uploaded. If the manifest, the base image,
//! `actor.json` or `prompts.toml` exists but can't be read, the run skips the actor: balancing without them would lose their content.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use domain::facts::Facts;
use domain::files::extension;
use domain::json;
use domain::manifest::{Manifest, Observer, ReferenceId};
use domain::numbering::highest;
use imaging::{decode, reference_id, sha256};
use providers::vision::VisionMode;

use super::data_folder::{ActorFolder, OWN_FILES, lossy_name, read_if_there};
use super::salvage::salvage;
use crate::folder::{Contents, ImageFile};

pub struct ActorFiles {
    pub manifest: Option<Manifest>,
    /// The content of the [`OWN_FILES`] that exist.
    pub own_files: OwnFiles,
    pub base_image: Option<BaseImage>,
    /// The content of the image folder.
    pub contents: Contents,
    /// The highest number of any image in the set or the trash.
    pub last_number: u64,
}

/// The content of files, by name.
pub type OwnFiles = BTreeMap<&'static str, Vec<u8>>;

pub struct BaseImage {
    pub path: PathBuf,
    pub bytes: Vec<u8>,
}

impl BaseImage {
    /// The base image of a folder, if it has one. Fails if the image can't be read.
    pub fn of(folder: &ActorFolder) -> anyhow::Result<Option<Self>> {
        let Some(path) = folder.base_image()? else { return Ok(None) };
        Ok(read_if_there(&path)?.map(|bytes| Self { path, bytes }))
    }

    /// The ending of its name, which is also the ending of its key.
    pub fn ending(&self) -> String {
        extension(&lossy_name(&self.path)).unwrap_or_default()
    }
}

impl ActorFiles {
    /// Reads an actor's folder. The error is a sentence with the reason why the run skips the actor, and the remedy.
    pub fn read(folder: &ActorFolder) -> Result<Self, String> {
        let with_remedy = |problem: anyhow::Error| {
            format!("{problem:#}. Repair it, or move it away; until then the run changes nothing of {}.", folder.actor)
        };
        let contents = folder.contents().map_err(with_remedy)?;
        if let Some(obstacle) = folder.obstacle(&contents).map_err(with_remedy)? {
            return Err(format!("{obstacle}. Until then the run changes nothing of {}.", folder.actor));
        }
        Self::read_contents(folder, contents).map_err(with_remedy)
    }

    /// The names of the images for which the manifest has no assessment by this model, which compares them in this mode
    /// with the base image if that is usable.
    pub fn unassessed(&self, model: &str, mode: VisionMode) -> Vec<String> {
        let recorded = self.manifest.as_ref().map(|manifest| &manifest.images);
        let usable = self.base_image.as_ref().filter(|base| decode(&base.bytes).is_ok());
        let is_always_shown = mode.is_one_picture();
        let reference = usable.map(|base| ReferenceId { digits: reference_id(&base.bytes), is_always_shown });
        let observer = Observer { model, reference: reference.as_ref() };
        let is_known = |file: &ImageFile| {
            let image = recorded.and_then(|images| images.get(&file.name));
            image.is_some_and(|image| {
                let is_assessed =
                    image.observation_by(observer).is_some() && is_content(&file.path, image.facts.as_ref());
                is_assessed || image.unusable.is_some()
            })
        };
        let unassessed = self.contents.images.iter().filter(|file| open(&file.path).is_ok() && !is_known(file));
        unassessed.map(|file| file.name.clone()).collect()
    }

    /// Whether the manifest records every readable image as generated; `true` if there are none.
    pub fn are_all_generated(&self) -> bool {
        let recorded = self.manifest.as_ref().map(|manifest| &manifest.images);
        let is_generated = |name: &str| recorded.and_then(|images| images.get(name)?.plan_id.as_ref()).is_some();
        let mut readable = self.contents.images.iter().filter(|file| open(&file.path).is_ok());
        readable.all(|file| is_generated(&file.name))
    }

    fn read_contents(folder: &ActorFolder, contents: Contents) -> anyhow::Result<Self> {
        check_any_readable(&contents.images)?;
        // A killed run may have left generated and deleted images without a manifest. Their numbers are used, and so is
        // the number of an unreadable image.
        let trashed = folder.trashed_names()?;
        let names = contents.images.iter().map(|image| &image.name).chain(&contents.unnamed).chain(&trashed);
        Ok(Self {
            manifest: manifest(folder)?,
            own_files: own_files(folder)?,
            base_image: BaseImage::of(folder)?,
            last_number: highest(names.map(String::as_str)),
            contents,
        })
    }
}

fn own_files(folder: &ActorFolder) -> anyhow::Result<OwnFiles> {
    let mut files = OwnFiles::new();
    for name in OWN_FILES {
        let content = folder.own_file(name).map(|path| read_if_there(&path)).transpose()?.flatten();
        files.extend(content.map(|bytes| (name, bytes)));
    }
    Ok(files)
}

fn manifest(folder: &ActorFolder) -> anyhow::Result<Option<Manifest>> {
    let path = folder.manifest();
    let Some(text) = read_if_there(&path)? else { return Ok(None) };
    let mut manifest = json::read(&text).with_context(|| format!("{} is not a manifest", path.display()))?;
    salvage(&mut manifest, folder);
    Ok(Some(manifest))
}

/// Whether a file is still the measured one.
fn is_content(path: &Path, facts: Option<&Facts>) -> bool {
    let content = std::fs::read(path).ok().map(|bytes| sha256(&bytes));
    content.is_some() && content == facts.map(|facts| facts.sha256.clone())
}

/// Fails if there are images and none can be read, as on an unmounted disk: the balancer would generate a new set.
fn check_any_readable(images: &[ImageFile]) -> anyhow::Result<()> {
    let mut problems = images.iter().map(|image| (&image.path, open(&image.path)));
    match problems.next() {
        Some((first, Err(problem))) if problems.all(|(_, opened)| opened.is_err()) => {
            let others = match images.len() - 1 {
                0 => String::new(),
                others => format!(", nor can the {others} other images beside it"),
            };
            Err(anyhow!("{} can't be read ({problem}){others}", first.display()))
        }
        _ => Ok(()),
    }
}

/// Checks that a file can be opened.
pub fn open(path: &Path) -> std::io::Result<()> {
    let file = File::open(path)?;
    if file.metadata()?.is_dir() { Err(std::io::ErrorKind::IsADirectory.into()) } else { Ok(()) }
}
