//! The folder of `--data`: `{actor_id}/training_data/*` and `{actor_id}/base_image/*`.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use balancer::domain::actor::ActorId;
use balancer::keys::is_image_name;

use crate::outcome::remark;
use crate::pictures::files_in;

/// The folder of one actor.
#[derive(Debug, Clone)]
pub struct ActorFolder {
    pub actor: ActorId,
    pub dir: PathBuf,
}

/// What says who an actor is.
pub const ACTOR_FILE: &str = "actor.json";

/// A file that people know from training data folders and that is no image: not worth a remark.
const SILENT: [&str; 3] = [ACTOR_FILE, "manifest.json", "Thumbs.db"];

/// The actors of a data folder, or those of them that are asked for.
///
/// # Errors
/// If the folder can't be read, or an actor that is asked for isn't in it, or none is.
pub fn actors(data: &Path, wanted: &[ActorId]) -> anyhow::Result<Vec<ActorFolder>> {
    if data.join("training_data").is_dir() || data.join("base_image").is_dir() {
        bail!(
            "{} looks like the folder of one actor; give the folder above it, with --actor {} if only this one is meant",
            data.display(),
            data.file_name().unwrap_or_default().to_string_lossy()
        );
    }
    if !wanted.is_empty() {
        return wanted.iter().map(|actor| wanted_actor(data, actor)).collect();
    }
    let mut found = Vec::new();
    let entries = fs::read_dir(data).with_context(|| format!("the data folder {} can't be read", data.display()))?;
    for entry in entries {
        let dir = entry?.path();
        let name = dir.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if !is_there(&dir.join("training_data")) && !is_there(&dir.join("base_image")) {
            continue;
        }
        match name.parse() {
            Ok(actor) => found.push(ActorFolder { actor, dir }),
            Err(problem) => remark(format!("skipped {}: {problem}", dir.display())),
        }
    }
    if found.is_empty() {
        bail!(
            "{} holds no actor; put images into {}",
            data.display(),
            data.join("{actor_id}").join("training_data").display()
        );
    }
    found.sort_by(|one, other| one.actor.cmp(&other.actor));
    Ok(found)
}

fn wanted_actor(data: &Path, actor: &ActorId) -> anyhow::Result<ActorFolder> {
    let dir = data.join(actor.as_str());
    if !dir.is_dir() {
        bail!("{} holds no folder {actor}; check --actor and --data", data.display());
    }
    Ok(ActorFolder { actor: actor.clone(), dir })
}

impl ActorFolder {
    /// Where the images lie.
    pub fn training_data(&self) -> PathBuf {
        self.dir.join("training_data")
    }

    /// Where the picture lies that says what the actor looks like.
    pub fn base_images(&self) -> PathBuf {
        self.dir.join("base_image")
    }

    /// Where the manifest is left.
    pub fn manifest(&self) -> PathBuf {
        self.dir.join("manifest.json")
    }

    /// Where deleted images go, in a folder for each plan or request.
    pub fn trash(&self) -> PathBuf {
        self.dir.join("trash")
    }

    /// Where an image lies that this plan, or request by hand, has deleted.
    pub fn trash_path(&self, plan_id: &str, filename: &str) -> PathBuf {
        self.trash().join(plan_id).join(filename)
    }

    /// The names of the images that earlier runs have thrown away, in any plan's folder of the trash.
    ///
    /// # Errors
    /// If the trash is there but can't be read.
    pub fn trashed_names(&self) -> anyhow::Result<Vec<String>> {
        let trash = self.trash();
        if !trash.is_dir() {
            return Ok(Vec::new());
        }
        let read = |dir: &Path| fs::read_dir(dir).with_context(|| format!("{} can't be read", dir.display()));
        let mut names = Vec::new();
        for plan in read(&trash)? {
            let plan = plan?.path();
            if plan.is_dir() {
                for file in read(&plan)? {
                    names.push(name_of(&file?.path()));
                }
            }
        }
        Ok(names)
    }

    /// The image files, by name, whether or not they can be read.
    ///
    /// # Errors
    /// If the folder is there but can't be read.
    pub fn images(&self) -> anyhow::Result<Vec<PathBuf>> {
        Ok(self.files()?.into_iter().filter(|path| is_image_name(&name_of(path))).collect())
    }

    /// The files among the images that are none and that nobody expects there.
    ///
    /// # Errors
    /// If the folder is there but can't be read.
    pub fn strangers(&self) -> anyhow::Result<Vec<PathBuf>> {
        let is_strange = |path: &PathBuf| !is_image_name(&name_of(path)) && !SILENT.contains(&name_of(path).as_str());
        Ok(self.files()?.into_iter().filter(is_strange).collect())
    }

    fn files(&self) -> anyhow::Result<Vec<PathBuf>> {
        if is_there(&self.training_data()) { files_in(&self.training_data()) } else { Ok(Vec::new()) }
    }

    /// The base image: the first of the folder, by the order of its endings ([`balancer::keys::IMAGE_EXTENSIONS`]).
    ///
    /// # Errors
    /// If the folder is there but can't be read.
    pub fn base_image(&self) -> anyhow::Result<Option<PathBuf>> {
        let folder = self.base_images();
        if !is_there(&folder) {
            return Ok(None);
        }
        let rank = |path: &PathBuf| {
            let ending = balancer::keys::extension(&name_of(path)).unwrap_or_default();
            balancer::keys::IMAGE_EXTENSIONS.iter().position(|known| *known == ending)
        };
        Ok(files_in(&folder)?.into_iter().filter(|path| rank(path).is_some()).min_by_key(rank))
    }

    /// What says who the actor is, where something does.
    pub fn actor_file(&self) -> Option<PathBuf> {
        let places = [self.training_data(), self.dir.clone()].map(|dir| dir.join(ACTOR_FILE));
        places.into_iter().find(|path| is_there(path))
    }
}

/// Whether a name is taken, be it by a link that leads nowhere.
pub fn is_there(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

/// A file's content; `None` if there is no such file. A link that leads nowhere is a file that can't be read: what it
/// stands for may only be out of reach.
///
/// # Errors
/// If it can't be read.
pub fn read_if_there(path: &Path) -> anyhow::Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == ErrorKind::NotFound && !is_there(path) => Ok(None),
        Err(error) => Err(error).with_context(|| format!("{} can't be read", path.display())),
    }
}

/// A path's last part.
pub fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
