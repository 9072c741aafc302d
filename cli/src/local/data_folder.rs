//! The folder of `--data`: `{actor_id}/training_data/*` and `{actor_id}/base_image/*`.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use domain::actor::ActorId;
use domain::files::{IMAGE_EXTENSIONS, composed, extension, is_system_folder};
use domain::prompts::PROMPTS_FILE;
use domain::settings::ACTOR_FILE;
use handlers::names_on_disk;

use crate::folder::{self, Contents, ImageFile, images_below, places_of};
use crate::outcome::remark;

/// The folder of one actor.
#[derive(Debug, Clone)]
pub struct ActorFolder {
    pub actor: ActorId,
    /// The spelling of its name may use another Unicode form than the id.
    pub dir: PathBuf,
}

/// The folder of unfinished runs in the data folder. It is not an actor's.
pub const STATE_FOLDER: &str = ".balancer";

/// The files beside an actor's images that say what becomes of its set.
pub const OWN_FILES: [&str; 2] = [ACTOR_FILE, PROMPTS_FILE];

/// The folders of an actor that the balancer uses.
const KNOWN_FOLDERS: [&str; 3] = ["training_data", "base_image", "trash"];

/// The folders of all actors, or of the wanted ones. Fails if a wanted actor is missing, or if there is no actor at
/// all.
pub fn actors(data: &Path, wanted: &[ActorId]) -> anyhow::Result<Vec<ActorFolder>> {
    if data.to_str().is_none() {
        bail!("the path {} is not UTF-8, which the functions need; rename the folder", data.display());
    }
    if data.join("training_data").is_dir() || data.join("base_image").is_dir() {
        bail!(
            "{} looks like the folder of one actor; give the folder above it, with --actor {} if only this one is meant",
            data.display(),
            data.file_name().unwrap_or_default().to_string_lossy()
        );
    }
    if !wanted.is_empty() {
        return wanted.iter().map(|actor| ActorFolder::find(data, actor)).collect();
    }
    let mut found = BTreeMap::<ActorId, Vec<PathBuf>>::new();
    for dir in entries(data)? {
        match actor_of(&dir) {
            Some(Ok(actor)) => found.entry(actor).or_default().push(dir),
            Some(Err(problem)) => remark(format!("skipped {}: {problem}", dir.display())),
            None => remark_on_images_in(&dir),
        }
    }
    let mut folders = Vec::new();
    for (actor, dirs) in found {
        match <[PathBuf; 1]>::try_from(dirs) {
            Ok([dir]) => folders.push(ActorFolder { actor, dir }),
            Err(dirs) => remark(format!("skipped {}", same_actor(&actor, &dirs))),
        }
    }
    if folders.is_empty() {
        bail!(
            "{} holds no actor; put images into {}",
            data.display(),
            data.join("{actor_id}").join("training_data").display()
        );
    }
    Ok(folders)
}

/// The folders of all actors whose names are clear, without remarks about the others.
pub fn present(data: &Path) -> anyhow::Result<Vec<ActorFolder>> {
    let mut found = BTreeMap::<ActorId, Vec<PathBuf>>::new();
    for dir in entries(data)? {
        if let Some(Ok(actor)) = actor_of(&dir) {
            found.entry(actor).or_default().push(dir);
        }
    }
    let single = found.into_iter().filter_map(|(actor, dirs)| Some((actor, <[PathBuf; 1]>::try_from(dirs).ok()?)));
    Ok(single.map(|(actor, [dir])| ActorFolder { actor, dir }).collect())
}

fn entries(data: &Path) -> anyhow::Result<Vec<PathBuf>> {
    folder::entries(data).with_context(|| format!("the data folder {} can't be read", data.display()))
}

/// The actor whose folder this is, or the reason why it can't be an actor's folder; `None` if its layout is a different
/// one.
fn actor_of(dir: &Path) -> Option<Result<ActorId, String>> {
    if !is_there(&dir.join("training_data")) && !is_there(&dir.join("base_image")) {
        return None;
    }
    let Some(name) = dir.file_name().and_then(|name| name.to_str()) else {
        return Some(Err("its name is not UTF-8; rename it".to_owned()));
    };
    Some(name.parse::<ActorId>().map_err(|problem| problem.to_string()))
}

/// Reports a folder that contains images in places other than an actor's.
fn remark_on_images_in(dir: &Path) {
    let is_hidden = dir.file_name().is_some_and(|name| is_system_folder(&name.to_string_lossy()));
    if is_hidden || !dir.is_dir() {
        return;
    }
    if let Some(images) = images_below(dir).ok().and_then(|images| places_of(&images)) {
        let place = dir.join("training_data");
        remark(format!("skipped {}: found {images}; move them into {}", dir.display(), place.display()));
    }
}

fn same_actor(actor: &ActorId, dirs: &[PathBuf]) -> String {
    let dirs: Vec<_> = dirs.iter().map(|dir| dir.display().to_string()).collect();
    format!("{}: both are {actor}, in two Unicode forms; merge them into one folder", dirs.join(" and "))
}

impl ActorFolder {
    /// The folder of an actor. Its name may use another Unicode form than the id. Fails if there is none, or more than
    /// one.
    pub fn find(data: &Path, actor: &ActorId) -> anyhow::Result<Self> {
        let mut dirs = names_on_disk::entries(data, actor.as_str());
        dirs.retain(|dir| dir.is_dir());
        match <[PathBuf; 1]>::try_from(dirs) {
            Ok([dir]) => Ok(Self { actor: actor.clone(), dir }),
            Err(dirs) if dirs.is_empty() => {
                bail!("{} holds no folder {actor}; check --actor and --data", data.display())
            }
            Err(dirs) => bail!(same_actor(actor, &dirs)),
        }
    }

    pub fn training_data(&self) -> PathBuf {
        self.dir.join("training_data")
    }

    /// The path of an existing or future image. An existing file's name may use another Unicode form.
    pub fn image(&self, filename: &str) -> PathBuf {
        names_on_disk::entry(&self.training_data(), filename)
    }

    /// The folder of the base image.
    pub fn base_images(&self) -> PathBuf {
        self.dir.join("base_image")
    }

    pub fn manifest(&self) -> PathBuf {
        self.dir.join("manifest.json")
    }

    /// The trash, with a folder for each plan or request.
    pub fn trash(&self) -> PathBuf {
        self.dir.join("trash")
    }

    /// The path of an image that this plan or manual request has deleted.
    pub fn trash_path(&self, plan_id: &str, filename: &str) -> PathBuf {
        names_on_disk::entry(&self.trash().join(plan_id), filename)
    }

    /// The names of all images in the trash.
    pub fn trashed_names(&self) -> anyhow::Result<Vec<String>> {
        let trash = self.trash();
        if !trash.is_dir() {
            return Ok(Vec::new());
        }
        let mut names = Vec::new();
        for plan in folder::entries(&trash)? {
            if plan.is_dir() {
                names.extend(folder::entries(&plan)?.iter().map(|path| lossy_name(path)));
            }
        }
        Ok(names)
    }

    /// The content of the image folder; empty if there is none.
    pub fn contents(&self) -> anyhow::Result<Contents> {
        if is_there(&self.training_data()) { Contents::of(&self.training_data()) } else { Ok(Contents::default()) }
    }

    /// The image files, by name, readable or not.
    pub fn images(&self) -> anyhow::Result<Vec<ImageFile>> {
        Ok(self.contents()?.images)
    }

    /// Why the balancer must not change the set: some of its images are in unknown formats or in places that the
    /// balancer does not read. A sentence with the remedy.
    pub fn obstacle(&self, contents: &Contents) -> anyhow::Result<Option<String>> {
        let obstacle = contents.inventory.obstacle("training_data");
        if obstacle.is_some() || !contents.images.is_empty() {
            return Ok(obstacle);
        }
        if let Some(name) = contents.unnamed.first() {
            return Ok(Some(format!(
                "the names of all images in training_data are not UTF-8 (such as {name}): rename them"
            )));
        }
        let mut misplaced = Vec::new();
        for path in folder::entries(&self.dir)? {
            let name = lossy_name(&path);
            if path.is_dir() && !KNOWN_FOLDERS.contains(&name.as_str()) {
                misplaced
                    .extend(images_below(&path)?.into_iter().map(|image| format!("{}/{name}/{image}", self.actor)));
            } else if !path.is_dir() && domain::files::Inventory::of([name.as_str()]).concerns_images() {
                misplaced.push(format!("{}/{name}", self.actor));
            }
        }
        Ok(places_of(&misplaced).map(|images| {
            format!(
                "found {images}, and none in training_data: move them into training_data, with their captions, or out of {}",
                self.actor
            )
        }))
    }

    /// The base image: the first file of the folder, in the order of the endings in
    /// [`domain::files::IMAGE_EXTENSIONS`].
    pub fn base_image(&self) -> anyhow::Result<Option<PathBuf>> {
        let rank = |image: &ImageFile| {
            let ending = extension(&image.name).unwrap_or_default();
            let is_named_for_actor = composed(&image.name).starts_with(self.actor.as_str());
            (IMAGE_EXTENSIONS.iter().position(|known| *known == ending), !is_named_for_actor, image.path.clone())
        };
        let images = self.base_contents()?.images;
        Ok(images.into_iter().min_by_key(rank).map(|image| image.path))
    }

    /// The content of the base image's folder; empty if there is none.
    pub fn base_contents(&self) -> anyhow::Result<Contents> {
        if is_there(&self.base_images()) { Contents::of(&self.base_images()) } else { Ok(Contents::default()) }
    }

    /// The path of one of the [`OWN_FILES`], if it exists.
    pub fn own_file(&self, name: &str) -> Option<PathBuf> {
        let places = [self.training_data(), self.dir.clone()].map(|dir| dir.join(name));
        places.into_iter().find(|path| is_there(path))
    }
}

/// Whether a file, folder or link of this name exists. A dangling link counts.
pub fn is_there(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

/// A file's content; `None` if there is no such file. A dangling link is an error, because its target may be on an
/// unmounted disk.
pub fn read_if_there(path: &Path) -> anyhow::Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == ErrorKind::NotFound && !is_there(path) => Ok(None),
        Err(error) => Err(error).with_context(|| format!("{} can't be read", path.display())),
    }
}

/// The last part of a path, with replacements for invalid UTF-8. Only for numbers and messages.
pub fn lossy_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
