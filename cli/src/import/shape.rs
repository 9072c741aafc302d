//! Recognises a source by the names in it.

use std::collections::BTreeSet;

use domain::files::{FileKind, extension, kind_of};
use domain::settings::ACTOR_FILE;

use super::kohya::FolderName;

/// The names in a folder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names {
    pub files: Vec<String>,
    pub folders: Vec<String>,
}

/// What a folder is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shape {
    /// Images of one actor, with the trigger and the class in the folder's name.
    Kohya(FolderName),
    /// These folders in kohya's form.
    KohyaParent(Vec<String>),
    /// These files are manifests, or should be.
    Manifests(Vec<String>),
    /// Images without anything that names their actor.
    Images,
    /// An actor's folder as the balancer keeps it.
    ActorFolder,
    /// Nothing that could be imported.
    Unknown,
}

/// What a folder of this name and content is.
pub fn shape(name: &str, names: &Names) -> Shape {
    if names.folders.iter().any(|folder| folder == "training_data") {
        return Shape::ActorFolder;
    }
    let has_images = names.files.iter().any(|file| is_any_image(file));
    if has_images && let Some(name) = FolderName::parse(name) {
        return Shape::Kohya(name);
    }
    let kohya: Vec<_> = names.folders.iter().filter(|folder| FolderName::parse(folder).is_some()).cloned().collect();
    if !kohya.is_empty() {
        return Shape::KohyaParent(kohya);
    }
    let manifests = manifests(&names.files);
    match (manifests.is_empty(), has_images) {
        (false, _) => Shape::Manifests(manifests),
        (true, true) => Shape::Images,
        (true, false) => Shape::Unknown,
    }
}

/// Whether a file is an image, in a readable format or not.
fn is_any_image(file: &str) -> bool {
    matches!(kind_of(file), FileKind::Image | FileKind::Unreadable(_))
}

/// The JSON files that belong to no image. Taggers keep one beside each image.
fn manifests(files: &[String]) -> Vec<String> {
    let images: BTreeSet<&str> = files
        .iter()
        .filter(|file| is_any_image(file))
        .flat_map(|image| [image.as_str(), image.rsplit_once('.').map_or("", |(stem, _)| stem)])
        .collect();
    let is_manifest = |file: &&String| {
        let stem = file.rsplit_once('.').map_or("", |(stem, _)| stem);
        extension(file).as_deref() == Some("json")
            && !file.starts_with('.')
            && *file != ACTOR_FILE
            && !images.contains(stem)
    };
    files.iter().filter(is_manifest).cloned().collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn names(files: &[&str], folders: &[&str]) -> Names {
        let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        Names { files: owned(files), folders: owned(folders) }
    }

    fn found(name: &str, files: &[&str], folders: &[&str]) -> Shape {
        shape(name, &names(files, folders))
    }

    #[test]
    fn content_decides_what_a_folder_is() {
        let kohya = FolderName { repeats: 10, text: "ohwx woman".to_owned() };
        assert_eq!(found("10_ohwx woman", &["a.png", "a.txt"], &[]), Shape::Kohya(kohya));
        assert_eq!(found("img", &[], &["10_ohwx woman", "samples"]), Shape::KohyaParent(vec!["10_ohwx woman".into()]));
        assert_eq!(
            found("manifests", &["a.json", "b.JSON"], &[]),
            Shape::Manifests(vec!["a.json".into(), "b.JSON".into()])
        );
        assert_eq!(found("hero", &["a.png", "manifest.json"], &[]), Shape::Manifests(vec!["manifest.json".into()]));
        assert_eq!(found("hero", &["a.png", "a.json", "b.jpg", "b.jpg.json", "actor.json"], &[]), Shape::Images);
        assert_eq!(found("0001_european_20_female", &["a.png"], &[]), Shape::Images);
        assert_eq!(found("hero", &["a.heic"], &[]), Shape::Images);
        assert_eq!(found("hero", &["a.png"], &["training_data"]), Shape::ActorFolder);
        assert_eq!(found("notes", &["a.txt", ".hidden.json", ".b.png"], &["old"]), Shape::Unknown);
    }

    proptest! {
        #[test]
        fn named_manifests_and_folders_are_in_the_folder(
            name in ".*",
            files in proptest::collection::vec(".*(\\.json|\\.png)?", 0..6),
            folders in proptest::collection::vec("[0-9]{0,3}_?.*", 0..4),
        ) {
            match shape(&name, &Names { files: files.clone(), folders: folders.clone() }) {
                Shape::Manifests(manifests) => prop_assert!(manifests.iter().all(|file| files.contains(file))),
                Shape::KohyaParent(parents) => prop_assert!(parents.iter().all(|folder| folders.contains(folder))),
                _ => {}
            }
        }
    }
}
