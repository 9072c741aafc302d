//! A folder of images with their captions.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use domain::files::{FileKind, extension, kind_of};
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

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Captions come first: images trigger an evaluation.
    Caption,
    Image,
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
        let images: Vec<String> = folder.files.iter().map(|file| file.name.clone()).collect();
        folder.files.extend(of_images(&images, captions));
        folder.files.sort_by(|one, other| (one.role, &one.name).cmp(&(other.role, &other.name)));
        Ok(folder)
    }
}

/// The captions of these images, under the names that the balancer and most trainers read: a `.caption` file, which is
/// kohya's default, becomes a `.txt` file, unless the image has one. Cached latents and the like can be made again.
fn of_images(images: &[String], files: Vec<(String, PathBuf)>) -> Vec<Incoming> {
    let wanted: BTreeSet<String> = images.iter().map(|image| caption_file(image)).collect();
    let (texts, others): (Vec<_>, Vec<_>) = files.into_iter().partition(|(name, _)| wanted.contains(name));
    let mut taken: BTreeSet<String> = texts.iter().map(|(name, _)| name.clone()).collect();
    let mut captions: Vec<Incoming> =
        texts.into_iter().map(|(name, path)| Incoming { name, path, role: Role::Caption }).collect();
    for (name, path) in others.into_iter().filter(|(name, _)| extension(name).as_deref() == Some("caption")) {
        let name = caption_file(&name);
        if wanted.contains(&name) && taken.insert(name.clone()) {
            captions.push(Incoming { name, path, role: Role::Caption });
        }
    }
    captions
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
            [("a.txt", "a.txt"), ("b.txt", "b.caption"), ("a.png", "a.png"), ("b.jpg", "b.jpg"), ("c.webp", "c.webp")];
        assert_eq!(files, expected.map(|(name, from)| (name, from.to_owned())));
        let skipped: Vec<_> = folder.skipped.iter().map(|left| left.file.as_str()).collect();
        assert_eq!(skipped, ["e.heic", "more"]);
    }
}
