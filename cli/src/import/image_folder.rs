//! A folder of images with their captions.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use domain::files::{FileKind, extension, kind_of, visible};
use domain::sidecars::caption_file;
use handlers::names_on_disk::composed_name;

use super::report::Left;
use crate::folder::Contents;

/// A file for the set of an actor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incoming {
    /// Its name in the set.
    pub name: String,
    pub path: PathBuf,
    pub role: Role,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Images come before captions, which are taken only with their image.
    Image,
    /// The caption of these files.
    Caption { of: Vec<PathBuf> },
}

/// Which captions may be taken: a caption without its image would describe another image of the same name.
#[derive(Debug, Default)]
pub struct CaptionRule {
    /// The images of the set before the import, by name.
    pub before: BTreeSet<String>,
    /// The source files that are in the set now.
    pub taken: BTreeSet<PathBuf>,
    /// Their names in the set.
    pub names: BTreeSet<String>,
}

impl CaptionRule {
    /// Records that an image is in the set, by this import or an earlier one.
    pub fn image_is_here(&mut self, image: &Incoming) {
        self.taken.insert(image.path.clone());
        self.names.insert(image.name.clone());
    }

    /// Why the caption of this name for these files is not taken; `None` if it may be.
    pub fn objection(&self, name: &str, of: &[PathBuf]) -> Option<String> {
        if !of.iter().any(|image| self.taken.contains(image)) {
            return Some("its image was not taken".to_owned());
        }
        let is_other = |image: &&String| caption_file(image) == name && !self.names.contains(*image);
        let other = self.before.iter().find(is_other)?;
        Some(format!("it would describe {} too; rename one of the images", visible(other)))
    }
}

/// The files to take, and those that are left.
#[derive(Debug, Default)]
pub struct ImageFolder {
    pub files: Vec<Incoming>,
    pub skipped: Vec<Left>,
}

impl ImageFolder {
    /// Reads a folder by the names in it. Fails if it can't be listed.
    pub fn read(dir: &Path) -> anyhow::Result<Self> {
        let contents = Contents::of(dir)?;
        let mut folder = Self::default();
        let mut captions = Vec::new();
        for path in crate::folder::entries(dir)? {
            let Some(name) = path.file_name().and_then(composed_name) else {
                let lossy = path.file_name().unwrap_or_default().to_string_lossy();
                folder.skipped.push(Left::new(&lossy, "its name is not UTF-8; rename it"));
                continue;
            };
            match kind_of(&name) {
                FileKind::Image if !contents.images.iter().any(|image| image.path == path) => folder
                    .skipped
                    .push(Left::new(&name, "another file has the same name in another Unicode form; rename one")),
                FileKind::Image => folder.files.push(Incoming { name, path, role: Role::Image }),
                FileKind::Sidecar => captions.push((name, path)),
                FileKind::Unreadable(format) => {
                    let reason = format!("{format} can't be read; convert it to JPEG or PNG");
                    folder.skipped.push(Left::new(&name, reason));
                }
                FileKind::BadName => {
                    let reason = "its name is too long or contains control characters; rename it";
                    folder.skipped.push(Left::new(&name, reason));
                }
                FileKind::System | FileKind::Own | FileKind::Other => {}
            }
        }
        for (deeper, count) in &contents.inventory.deeper {
            let reason =
                format!("it holds {} below the folder; import it by itself", domain::files::images_in_words(*count));
            folder.skipped.push(Left::new(deeper, reason));
        }
        let captions = of_images(&folder.files, captions);
        folder.files.extend(captions);
        folder.files.sort_by(|one, other| {
            let key = |file: &Incoming| (file.role != Role::Image, file.name.clone());
            key(one).cmp(&key(other))
        });
        Ok(folder)
    }
}

/// The captions of these images, under the names that the balancer and most trainers read: a `.caption` file, which is
/// kohya's default, becomes a `.txt` file, unless the image has one. Cached latents and the like can be made again.
fn of_images(images: &[Incoming], files: Vec<(String, PathBuf)>) -> Vec<Incoming> {
    let mut wanted: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    for image in images {
        wanted.entry(caption_file(&image.name)).or_default().push(image.path.clone());
    }
    let (texts, others): (Vec<_>, Vec<_>) = files.into_iter().partition(|(name, _)| wanted.contains_key(name));
    let renamed = others.into_iter().filter(|(name, _)| extension(name).as_deref() == Some("caption"));
    let renamed = renamed.map(|(name, path)| (caption_file(&name), path));
    // Each name is taken once, and `.txt` files come first.
    let captions = texts.into_iter().chain(renamed).filter_map(|(name, path)| {
        let of = wanted.remove(&name)?;
        Some(Incoming { name, path, role: Role::Caption { of } })
    });
    captions.collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn images_come_with_their_captions_under_one_ending() {
        let dir = tempfile::tempdir().unwrap();
        for name in [
            "a.png",
            "a.txt",
            "a.caption",
            "b.jpg",
            "b.caption",
            "c.webp",
            "c_flux.npz",
            "d.txt",
            "e.heic",
            ".hidden.png",
            "notes.md",
            "actor.json",
        ] {
            fs::write(dir.path().join(name), name).unwrap();
        }
        fs::create_dir(dir.path().join("more")).unwrap();
        fs::write(dir.path().join("more/f.png"), "f").unwrap();
        let folder = ImageFolder::read(dir.path()).unwrap();
        let from = |file: &Incoming| file.path.file_name().unwrap().to_str().unwrap().to_owned();
        let files: Vec<_> = folder.files.iter().map(|file| (file.name.as_str(), from(file))).collect();
        let expected =
            [("a.png", "a.png"), ("b.jpg", "b.jpg"), ("c.webp", "c.webp"), ("a.txt", "a.txt"), ("b.txt", "b.caption")];
        assert_eq!(files, expected.map(|(name, from)| (name, from.to_owned())));
        let skipped: Vec<_> = folder.skipped.iter().map(|left| left.file.as_str()).collect();
        assert_eq!(skipped, ["e.heic", "more"]);
    }

    #[test]
    fn caption_is_taken_only_with_its_own_image() {
        let image = |name: &str| Incoming { name: name.to_owned(), path: name.into(), role: Role::Image };
        let mut rule = CaptionRule { before: ["1.jpg", "2.png"].map(str::to_owned).into(), ..CaptionRule::default() };
        assert_eq!(rule.objection("1.txt", &["1.jpg".into()]).as_deref(), Some("its image was not taken"));
        rule.image_is_here(&image("1.jpg"));
        assert_eq!(rule.objection("1.txt", &["1.jpg".into()]), None);
        rule.image_is_here(&image("2.jpg"));
        let objection = rule.objection("2.txt", &["2.jpg".into()]).unwrap();
        assert!(objection.contains("describe 2.png"), "{objection}");
    }
}
