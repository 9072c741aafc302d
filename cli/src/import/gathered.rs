//! What the sources contain, by actor. Reads folders and manifests, and changes nothing.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::bail;
use domain::actor::ActorId;
use domain::files::{IMAGE_EXTENSIONS_IN_WORDS, extension, visible};
use domain::manifest::Manifest;

use super::image_folder::{ImageFolder, Incoming};
use super::kohya::{self, FolderName, Words};
use super::records;
use super::report::{Left, Problem};
use super::shape::{Names, Shape, shape};
use crate::folder;
use crate::outcome::WrongUsage;

/// What the sources contain about one actor.
#[derive(Debug, Default)]
pub struct Found {
    pub sources: Vec<String>,
    pub manifests: Vec<Manifest>,
    /// Folders in which the images of the manifests may lie.
    pub image_folders: Vec<PathBuf>,
    pub files: Vec<Incoming>,
    pub words: Words,
    pub skipped: Vec<Left>,
    pub notes: Vec<String>,
}

/// The contents of all sources.
#[derive(Debug, Default)]
pub struct Gathered {
    pub actors: BTreeMap<ActorId, Found>,
    pub problems: Vec<Problem>,
}

/// How to read the sources.
pub struct Gathering<'a> {
    /// The actor that the user names.
    pub actor: Option<&'a ActorId>,
    /// The folder with the images of manifests.
    pub images: Option<&'a Path>,
}

impl Gathering<'_> {
    /// Reads the sources. A problem with one doesn't affect the others.
    ///
    /// # Errors
    /// If the arguments can't be meant.
    pub fn read(&self, sources: &[PathBuf]) -> anyhow::Result<Gathered> {
        let mut gathered = Gathered::default();
        for source in sources {
            self.add(&mut gathered, source)?;
        }
        Ok(gathered)
    }

    fn add(&self, gathered: &mut Gathered, source: &Path) -> anyhow::Result<()> {
        if source.is_dir() {
            return self.add_folder(gathered, source);
        }
        match extension(&file_name(source)).as_deref() {
            Some("json") => self.add_manifest(gathered, source),
            Some("toml") => self.add_dataset_file(gathered, source)?,
            _ if source.exists() => gathered.fail(source, "it is neither a folder nor a .json or .toml file"),
            _ => gathered.fail(source, "there is no such file or folder; check the name"),
        }
        Ok(())
    }

    fn add_folder(&self, gathered: &mut Gathered, dir: &Path) -> anyhow::Result<()> {
        let name = dir.canonicalize().map_or_else(|_| file_name(dir), |dir| file_name(&dir));
        let names = match names_in(dir) {
            Ok(names) => names,
            Err(problem) => {
                gathered.fail(dir, format!("{problem:#}"));
                return Ok(());
            }
        };
        match shape(&name, &names) {
            Shape::Kohya(name) => self.add_kohya(gathered, dir, &name)?,
            Shape::KohyaParent(folders) => {
                if self.actor.is_some() && folders.len() > 1 {
                    bail!(WrongUsage(format!(
                        "{} holds {} folders, and --actor names one actor; give one of the folders",
                        dir.display(),
                        folders.len()
                    )));
                }
                for folder in folders {
                    if let Some(name) = FolderName::parse(&folder) {
                        self.add_kohya(gathered, &dir.join(&folder), &name)?;
                    }
                }
            }
            Shape::Manifests(files) => files.iter().for_each(|file| self.add_manifest(gathered, &dir.join(file))),
            Shape::Images => {
                let Some(actor) = self.actor else {
                    bail!(WrongUsage(format!(
                        "nothing in {} says whose images these are; name the actor with --actor ID",
                        dir.display()
                    )));
                };
                gathered.add_images(actor, dir, Words::default());
            }
            Shape::ActorFolder => {
                gathered.fail(dir, "it is an actor's folder of the balancer already; copy it into the data folder");
            }
            Shape::Unknown => gathered.fail(
                dir,
                format!("it holds no manifests (.json), no images ({IMAGE_EXTENSIONS_IN_WORDS}) and no folders such as `10_ohwx woman`"),
            ),
        }
        Ok(())
    }

    fn add_kohya(&self, gathered: &mut Gathered, dir: &Path, name: &FolderName) -> anyhow::Result<()> {
        let Some(actor) = self.actor_or(gathered, dir, &name.text) else { return Ok(()) };
        let found = gathered.add_images(&actor, dir, Words::of(&name.text));
        if let Some(found) = found.filter(|_| name.repeats > 1) {
            found.notes.push(format!("{} repeats were not taken: they belong to the training", name.repeats));
        }
        Ok(())
    }

    /// The actor that the user names, or the one of these words.
    fn actor_or(&self, gathered: &mut Gathered, dir: &Path, text: &str) -> Option<ActorId> {
        if let Some(actor) = self.actor {
            return Some(actor.clone());
        }
        match kohya::id_of(text).parse() {
            Ok(actor) => Some(actor),
            Err(problem) => {
                gathered.fail(dir, format!("{problem}; or name the actor with --actor ID"));
                None
            }
        }
    }

    fn add_dataset_file(&self, gathered: &mut Gathered, path: &Path) -> anyhow::Result<()> {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(problem) => {
                gathered.fail(path, format!("it can't be read: {problem}"));
                return Ok(());
            }
        };
        let (subsets, left_out) = match kohya::subsets(&text) {
            Ok(read) => read,
            Err(problem) => {
                gathered.fail(path, format!("it is no dataset file of kohya: {problem}"));
                return Ok(());
            }
        };
        left_out.into_iter().for_each(|reason| gathered.notes_of(path, reason));
        for subset in subsets {
            // An absolute path replaces the folder of the file.
            let dir = path.parent().unwrap_or(Path::new(".")).join(&subset.image_dir);
            let words = subset.class_tokens.as_deref().unwrap_or_default();
            match self.actor_or(gathered, &dir, words) {
                Some(_) if !dir.is_dir() => gathered.fail(&dir, "there is no such folder; correct image_dir"),
                Some(actor) => drop(gathered.add_images(&actor, &dir, Words::of(words))),
                None => {}
            }
        }
        Ok(())
    }

    fn add_manifest(&self, gathered: &mut Gathered, path: &Path) {
        let read = match fs::read(path) {
            Ok(text) => records::read(&text),
            Err(problem) => Err(format!("it can't be read: {problem}")),
        };
        match read {
            Ok((actor, _)) if self.actor.is_some_and(|wanted| *wanted != actor) => {
                gathered.fail(path, format!("it is the manifest of {actor}; leave --actor out, or name that one"));
            }
            Ok((actor, manifest)) => {
                let beside = path.parent().unwrap_or(Path::new(".")).to_owned();
                let found = gathered.found(&actor, path);
                found.manifests.push(manifest);
                for dir in [Some(beside), self.images.map(Path::to_owned)].into_iter().flatten() {
                    let of_actor = dir.join(actor.as_str());
                    found.image_folders.extend([
                        dir.clone(),
                        dir.join("training_data"),
                        dir.join("base_image"),
                        dir.join("base_images"),
                        of_actor.clone(),
                        of_actor.join("training_data"),
                        of_actor.join("base_image"),
                    ]);
                }
            }
            Err(problem) => gathered.fail(path, problem),
        }
    }
}

impl Gathered {
    fn fail(&mut self, source: &Path, sentence: impl Into<String>) {
        self.problems.push(Problem::new(source.display(), sentence));
    }

    /// A part of a source that concerns no actor.
    fn notes_of(&mut self, source: &Path, reason: String) {
        crate::outcome::remark(format!("skipped in {}: {}", visible(&source.display().to_string()), visible(&reason)));
    }

    fn found(&mut self, actor: &ActorId, source: &Path) -> &mut Found {
        let found = self.actors.entry(actor.clone()).or_default();
        found.sources.push(visible(&source.display().to_string()));
        found
    }

    fn add_images(&mut self, actor: &ActorId, dir: &Path, words: Words) -> Option<&mut Found> {
        let folder = match ImageFolder::read(dir) {
            Ok(folder) => folder,
            Err(problem) => {
                self.fail(dir, format!("{problem:#}"));
                return None;
            }
        };
        let found = self.found(actor, dir);
        found.files.extend(folder.files);
        found.skipped.extend(folder.skipped);
        for (name, known, other) in
            [("trigger", &mut found.words.trigger, words.trigger), ("class", &mut found.words.class, words.class)]
        {
            match (&*known, other) {
                (Some(known), Some(other)) if *known != other => {
                    found
                        .notes
                        .push(format!("its folders have several words for the {name}: {known} counts, not {other}"));
                }
                (None, other) => *known = other,
                _ => {}
            }
        }
        Some(found)
    }
}

fn names_in(dir: &Path) -> anyhow::Result<Names> {
    let mut names = Names::default();
    for path in folder::entries(dir)? {
        let name = file_name(&path);
        if path.is_dir() { names.folders.push(name) } else { names.files.push(name) }
    }
    Ok(names)
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
