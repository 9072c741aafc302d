//! The content of a folder of images, classified by file names alone.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::Context;
use domain::files::{Inventory, images_in_words, is_image_name, is_system_folder, visible};
use handlers::names_on_disk::composed_name;

/// The depth of the search for images. Trainers' folders are one or two levels deep.
const MAX_DEPTH: usize = 6;

/// An image file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ImageFile {
    /// Its name in Unicode's composed form, which identifies it everywhere.
    pub name: String,
    /// Its path; the spelling there may use the decomposed form.
    pub path: PathBuf,
}

/// The files of a folder.
#[derive(Debug, Default)]
pub struct Contents {
    /// The images, by name. Some may prove unreadable.
    pub images: Vec<ImageFile>,
    pub inventory: Inventory,
    /// The names of files that are not UTF-8, with replacements for the invalid parts.
    pub unnamed: Vec<String>,
    /// Files whose names are ambiguous or unusable, with the reasons.
    skipped: Vec<String>,
}

impl Contents {
    /// Reads a folder and its subfolders. A folder with an image's name counts as an image, so that the command reports
    /// it as unreadable.
    pub fn of(dir: &Path) -> anyhow::Result<Self> {
        let mut contents = Self::default();
        let (mut found, mut deeper) = (BTreeMap::<String, PathBuf>::new(), Vec::new());
        for path in entries(dir)? {
            let Some(name) = path.file_name().and_then(composed_name) else {
                contents.skip_unnamed(&path);
                continue;
            };
            if path.is_dir() {
                deeper.extend(images_below(&path)?.into_iter().map(|image| format!("{name}/{image}")));
                if !is_image_name(&name) {
                    continue;
                }
            }
            match found.remove(&name) {
                Some(other) => {
                    // The composed spelling takes precedence, as in the functions.
                    let (one, left) = if path.ends_with(&name) { (path, other) } else { (other, path) };
                    let (skipped, kept) = (left.display(), one.display());
                    let why =
                        format!("skipped {skipped}: {kept} has the same name in another Unicode form; rename one");
                    contents.skipped.push(why);
                    found.insert(name, one);
                }
                None => drop(found.insert(name, path)),
            }
        }
        contents.inventory = Inventory::of(found.keys().chain(&deeper).map(String::as_str));
        let images = found.into_iter().filter(|(name, _)| contents.inventory.images.contains(name));
        contents.images = images.map(|(name, path)| ImageFile { name, path }).collect();
        Ok(contents)
    }

    fn skip_unnamed(&mut self, path: &Path) {
        let why = format!("skipped {path:?}: its name is not UTF-8; rename it");
        self.skipped.push(why);
        self.unnamed.extend(path.file_name().map(|name| name.to_string_lossy().into_owned()));
    }

    /// One line for each kind of ignored file and each unusual name. `label` is the folder's name in these lines.
    pub fn remarks(&self, label: &str) -> Vec<String> {
        let mut remarks = self.skipped.clone();
        remarks.extend(self.inventory.bad_names_in_words().map(|names| {
            format!("ignored in {label}: {names}, for names that are too long or hold control characters (rename them)")
        }));
        let formats = self.inventory.unreadable_in_words();
        remarks.extend(formats.map(|(images, remedy)| format!("ignored in {label}: {images} ({remedy})")));
        remarks.extend(self.inventory.others_in_words().map(|others| format!("ignored in {label}: {others}")));
        remarks.extend(self.inventory.twins().into_iter().map(|twins| {
            format!(
                "twins in {label}: {} share one caption, and one place on some disks; rename all but one",
                twins.join(", ")
            )
        }));
        remarks
    }
}

/// The entries of a folder, by name.
pub fn entries(dir: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let unreadable = || format!("the folder {} can't be read", dir.display());
    let entries = fs::read_dir(dir).and_then(Iterator::collect::<io::Result<Vec<_>>>).with_context(unreadable)?;
    let mut paths: Vec<PathBuf> = entries.into_iter().map(|entry| entry.path()).collect();
    paths.sort();
    Ok(paths)
}

/// The relative paths of all images below a folder, in any format. The search skips folders that file managers create
/// for themselves.
pub fn images_below(dir: &Path) -> anyhow::Result<Vec<String>> {
    let (mut images, mut dirs) = (Vec::new(), vec![(dir.to_owned(), String::new(), MAX_DEPTH)]);
    while let Some((dir, prefix, levels)) = dirs.pop() {
        let is_system = dir.file_name().is_some_and(|name| is_system_folder(&name.to_string_lossy()));
        if is_system || levels == 0 {
            continue;
        }
        for path in entries(&dir)? {
            // The result is only displayed, so an unusual spelling does no harm.
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if path.is_dir() {
                dirs.push((path, format!("{prefix}{name}/"), levels - 1));
            } else if Inventory::of([name.as_str()]).concerns_images() {
                images.push(format!("{prefix}{name}"));
            }
        }
    }
    Ok(images)
}

/// Images in places that the balancer does not read, as in `3 images in 10_hero woman`; `None` if there are none.
/// `relative` are their paths.
pub fn places_of(relative: &[String]) -> Option<String> {
    let mut by_folder: BTreeMap<&str, usize> = BTreeMap::new();
    for image in relative {
        *by_folder.entry(image.rsplit_once('/').map_or("", |(folder, _)| folder)).or_default() += 1;
    }
    let (folder, count) = by_folder.into_iter().next()?;
    let images = images_in_words(count);
    Some(if folder.is_empty() { images } else { format!("{images} in {}", visible(folder)) })
}
