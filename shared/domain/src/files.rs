//! Classifies the files of a set by name alone: images, files that training tools keep beside them, remnants of file
//! managers, and images in unreadable formats.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use regex::Regex;
use unicode_normalization::{UnicodeNormalization, is_nfc};

use crate::keys::{IMAGE_EXTENSIONS, extension};

/// The maximum length of a file name in bytes, as file systems limit it.
const LONGEST_NAME: usize = 255;

/// Endings of files that training tools and cameras keep beside an image: captions, latents, metadata, edits.
const SIDECAR_ENDINGS: [&str; 8] = ["txt", "caption", "tags", "npz", "safetensors", "json", "xmp", "aae"];

/// Masks that OneTrainer keeps beside an image, as its name without the ending and one of these.
const MASK_ENDINGS: [&str; 2] = ["-masklabel.png", "-condlabel.png"];

/// Endings of image formats that the balancer can't read, and the usual name of the format.
const UNREADABLE_FORMATS: [(&str, &[&str]); 9] = [
    ("HEIC", &["heic", "heif", "hif"]),
    ("AVIF", &["avif"]),
    ("TIFF", &["tif", "tiff"]),
    ("BMP", &["bmp", "dib"]),
    ("GIF", &["gif"]),
    ("JPEG XL", &["jxl"]),
    ("JPEG 2000", &["jp2", "j2k"]),
    ("PSD", &["psd"]),
    ("RAW", &["dng", "cr2", "cr3", "nef", "arw", "raf", "orf", "rw2", "pef", "srw"]),
];

/// The balancer's own files that may lie beside the images.
const OWN_FILES: [&str; 2] = ["actor.json", "manifest.json"];

/// Remnants of file managers, besides hidden files.
const SYSTEM_FILES: [&str; 4] = ["thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r"];

/// Folders that file managers and NAS systems create for themselves, besides hidden ones.
const SYSTEM_FOLDERS: [&str; 3] = ["__macosx", "@eadir", "#recycle"];

/// The class of a file, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// An image in a readable format.
    Image,
    /// An image in an unreadable format, with the format's name.
    Unreadable(&'static str),
    /// A caption, a latent, a mask or the like by its form, which belongs to the image of the same stem.
    Sidecar,
    /// A hidden file, or a remnant of an operating system.
    System,
    /// `actor.json` or `manifest.json`.
    Own,
    /// Its name contains control characters, or is too long for a file system.
    BadName,
    /// Anything else.
    Other,
}

/// Classifies a file by its name, without a path.
#[must_use]
pub fn kind_of(filename: &str) -> FileKind {
    let lower = filename.to_lowercase();
    let ending = extension(filename).unwrap_or_default();
    // WSL shows the `:` of the stream that Windows adds to downloads, or a private character in its place.
    let is_zone_mark = lower.ends_with(":zone.identifier") || lower.ends_with("\u{f03a}zone.identifier");
    if filename.starts_with('.') || is_zone_mark || SYSTEM_FILES.contains(&lower.as_str()) {
        FileKind::System
    } else if filename.len() > LONGEST_NAME || filename.contains(char::is_control) {
        FileKind::BadName
    } else if OWN_FILES.contains(&filename) {
        FileKind::Own
    } else if SIDECAR_ENDINGS.contains(&ending.as_str()) || MASK_ENDINGS.iter().any(|mask| lower.ends_with(mask)) {
        FileKind::Sidecar
    } else if IMAGE_EXTENSIONS.contains(&ending.as_str()) {
        FileKind::Image
    } else {
        let format = UNREADABLE_FORMATS.iter().find(|(_, endings)| endings.contains(&ending.as_str()));
        format.map_or(FileKind::Other, |(format, _)| FileKind::Unreadable(format))
    }
}

/// Whether a file's name is that of an image in a readable format.
#[must_use]
pub fn is_image_name(filename: &str) -> bool {
    kind_of(filename) == FileKind::Image
}

/// Whether training tools keep this file beside one of the images: a caption, metadata, a mask, or its latents. `stems`
/// are the names of the images, with and without their endings, in the composed form.
///
/// Two images whose names differ only in their endings share the sidecars of their stem.
fn is_beside_any(filename: &str, stems: &BTreeSet<String>) -> bool {
    let filename = composed(filename);
    let ends = filename.rmatch_indices(['.', '_', '-']).map(|(at, _)| filename.split_at(at));
    ends.into_iter().any(|(stem, suffix)| stems.contains(stem) && is_sidecar_suffix(suffix))
}

/// The names that an image's sidecars may start with: its full name, since some tools append their ending to it, and
/// its stem.
fn stems_of(image: &str) -> [String; 2] {
    let image = composed(image);
    let stem = image.rsplit_once('.').map_or(image.as_str(), |(stem, _)| stem).to_owned();
    [image, stem]
}

/// Whether a file name continues an image's stem as sidecars do: with an ending, or with the part that kohya's and
/// musubi's scripts insert between the stem and the ending of cached latents and text encodings.
pub(super) fn is_sidecar_suffix(suffix: &str) -> bool {
    #[expect(clippy::expect_used, reason = "a constant pattern that every test of this module compiles")]
    static CACHE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"^(_\d+x\d+(_\w+)?|_(sd|sdxl|sd3|flux)|(_[a-z]\w*)?_te(_outputs)?)\.(npz|safetensors)$")
            .expect("the pattern is valid")
    });
    let lower = suffix.to_lowercase();
    let is_plain = lower.strip_prefix('.').is_some_and(|ending| SIDECAR_ENDINGS.contains(&ending));
    is_plain || MASK_ENDINGS.contains(&lower.as_str()) || CACHE.is_match(&lower)
}

/// Whether a file manager created a folder for itself, or the folder is hidden.
#[must_use]
pub fn is_system_folder(name: &str) -> bool {
    name.starts_with('.') || SYSTEM_FOLDERS.contains(&name.to_lowercase().as_str())
}

/// A name in Unicode's composed form (NFC). macOS writes names in the decomposed form; both refer to the same file.
#[must_use]
pub fn composed(name: &str) -> String {
    if is_nfc(name) { name.to_owned() } else { name.nfc().collect() }
}

/// A name for display, with control characters made visible.
#[must_use]
pub fn visible(name: &str) -> String {
    let escape = |c: char| if c.is_control() { c.escape_default().to_string() } else { c.to_string() };
    name.chars().map(escape).collect()
}

/// A number of images, in words.
#[must_use]
pub fn images_in_words(count: usize) -> String {
    if count == 1 { "1 image".to_owned() } else { format!("{count} images") }
}

/// The files of a set's folder, sorted by class. Names contain `/` if files lie deeper.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inventory {
    /// The images in readable formats.
    pub images: BTreeSet<String>,
    /// The images in each unreadable format.
    pub unreadable: BTreeMap<&'static str, BTreeSet<String>>,
    /// The number of images, of any format, in each deeper folder.
    pub deeper: BTreeMap<String, usize>,
    /// Files with unusable names.
    pub bad_names: BTreeSet<String>,
    /// Files that belong to no image.
    pub others: BTreeSet<String>,
}

impl Inventory {
    /// Sorts the files of a folder.
    pub fn of<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let mut inventory = Self::default();
        let mut sidecars = Vec::new();
        for name in names {
            if let Some((folder, filename)) = name.rsplit_once('/') {
                inventory.note_deeper(folder, filename);
                continue;
            }
            match kind_of(name) {
                FileKind::Image => {
                    inventory.images.insert(name.to_owned());
                }
                FileKind::Unreadable(format) => {
                    inventory.unreadable.entry(format).or_default().insert(name.to_owned());
                }
                FileKind::Sidecar => sidecars.push(name),
                FileKind::BadName => {
                    inventory.bad_names.insert(name.to_owned());
                }
                FileKind::Other => {
                    inventory.others.insert(name.to_owned());
                }
                FileKind::System | FileKind::Own => {}
            }
        }
        let images = inventory.images.iter().chain(inventory.unreadable.values().flatten());
        let stems: BTreeSet<String> = images.flat_map(|image| stems_of(image)).collect();
        let lonely = sidecars.into_iter().filter(|name| !is_beside_any(name, &stems));
        inventory.others.extend(lonely.map(str::to_owned));
        inventory
    }

    fn note_deeper(&mut self, folder: &str, filename: &str) {
        let is_image = matches!(kind_of(filename), FileKind::Image | FileKind::Unreadable(_));
        if is_image && !folder.split('/').any(is_system_folder) {
            *self.deeper.entry(folder.to_owned()).or_default() += 1;
        }
    }

    /// Whether any of the files is an image, readable or not.
    #[must_use]
    pub fn concerns_images(&self) -> bool {
        let is_any = !self.images.is_empty() || !self.unreadable.is_empty() || !self.deeper.is_empty();
        is_any || !self.bad_names.is_empty()
    }

    /// Images in unreadable formats, as `3 HEIC images`, with the remedy.
    pub fn unreadable_in_words(&self) -> impl Iterator<Item = (String, &'static str)> {
        self.unreadable.iter().map(|(format, images)| match images.len() {
            1 => (format!("1 {format} image"), "convert it to JPEG or PNG"),
            count => (format!("{count} {format} images"), "convert them to JPEG or PNG"),
        })
    }

    /// Why the balancer must not change the set: it can't interpret some of its images, so the set looks smaller than
    /// it is, and the balancer would generate or delete images in vain. `place` is the location of the set, without a
    /// slash at its end. A sentence with the remedy.
    #[must_use]
    pub fn obstacle(&self, place: &str) -> Option<String> {
        if let Some((folder, count)) = self.deeper.iter().next() {
            let others = match self.deeper.len() - 1 {
                0 => String::new(),
                1 => ", and more in 1 other folder".to_owned(),
                others => format!(", and more in {others} other folders"),
            };
            let images = images_in_words(*count);
            let place = visible(place);
            return Some(format!(
                "found {images} in {place}/{}{others}: move them up into {place}, with their captions, or out of it",
                visible(folder)
            ));
        }
        if let Some(names) = self.bad_names_in_words().filter(|_| self.images.is_empty()) {
            return Some(format!(
                "{} holds nothing but files whose names are too long or hold control characters ({names}): rename them",
                visible(place)
            ));
        }
        let unreadable: usize = self.unreadable.values().map(BTreeSet::len).sum();
        if unreadable > self.images.len() {
            let formats: Vec<_> = self.unreadable_in_words().map(|(count, _)| count).collect();
            return Some(format!(
                "{} holds {}, which can't be read, and {} that can: convert them to JPEG or PNG, or move them out of it",
                visible(place),
                formats.join(", "),
                if self.images.is_empty() { "none".to_owned() } else { self.images.len().to_string() },
            ));
        }
        None
    }

    /// Images that trainers and file systems may confuse: their names differ only in case or in their endings. Each
    /// group has at least two.
    #[must_use]
    pub fn twins(&self) -> Vec<Vec<&str>> {
        let mut by_stem: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for image in &self.images {
            let name = composed(image);
            let stem = name.rsplit_once('.').map_or(name.as_str(), |(stem, _)| stem);
            by_stem.entry(stem.to_lowercase()).or_default().push(image);
        }
        by_stem.into_values().filter(|group| group.len() > 1).collect()
    }

    /// The files that belong to no image, in one line; `None` if there are none.
    #[must_use]
    pub fn others_in_words(&self) -> Option<String> {
        match self.others.len() {
            0 => None,
            1 => Some(format!("1 other file ({})", some_of(&self.others))),
            count => Some(format!("{count} other files ({})", some_of(&self.others))),
        }
    }

    /// The files with unusable names, in one line; `None` if there are none.
    #[must_use]
    pub fn bad_names_in_words(&self) -> Option<String> {
        (!self.bad_names.is_empty()).then(|| some_of(&self.bad_names))
    }
}

/// The first of the names, with control characters made visible, and the number of the others.
fn some_of(names: &BTreeSet<String>) -> String {
    const NAMED: usize = 3;
    let named: Vec<_> = names.iter().take(NAMED).map(|name| visible(name)).collect();
    match names.len() - named.len() {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_what_a_file_is() {
        for (kind, names) in [
            (FileKind::Image, &["a_1.jpg", "b.PNG", "c.webp", "d e.jpeg"][..]),
            (FileKind::Unreadable("HEIC"), &["a.heic", "B.HEIF"]),
            (FileKind::Unreadable("RAW"), &["a.CR2", "b.dng"]),
            (FileKind::Sidecar, &["a.txt", "a.caption", "a_flux.npz", "a.jpg.json", "a-masklabel.png"]),
            (
                FileKind::System,
                &["._a.jpg", ".DS_Store", ".aitk_size.json", "Thumbs.db", "a.jpg:Zone.Identifier", "desktop.ini"],
            ),
            (FileKind::Own, &["actor.json", "manifest.json"]),
            (FileKind::BadName, &["a\u{1}.jpg", "b\nc.png"]),
            (FileKind::Other, &["notes.md", "png", "clip.mov", ""]),
        ] {
            for name in names {
                assert_eq!(kind_of(name), kind, "{name:?}");
            }
        }
        assert_eq!(kind_of(&format!("{}.jpg", "x".repeat(252))), FileKind::BadName);
    }

    fn is_sidecar_of(filename: &str, image: &str) -> bool {
        kind_of(filename) == FileKind::Sidecar && is_beside_any(filename, &stems_of(image).into())
    }

    #[test]
    fn a_sidecar_belongs_to_the_image_of_its_stem() {
        for name in [
            "a_1.txt",
            "a_1.CAPTION",
            "a_1.jpg.json",
            "a_1.npz",
            "a_1_0512x0768_sdxl.npz",
            "a_1_flux.npz",
            "a_1_te.npz",
            "a_1_flux_te.npz",
            "a_1_te_outputs.npz",
            "a_1_0512x0768_wan.safetensors",
            "a_1-masklabel.png",
        ] {
            assert!(is_sidecar_of(name, "a_1.jpg"), "{name}");
            assert!(!is_sidecar_of(name, "a.jpg") && !is_sidecar_of(name, "a_12.jpg"), "{name}");
        }
        for name in ["a_12.txt", "a_1_2.npz", "a_1_2.txt", "a_1.md", "a_1.png", ".a_1.txt"] {
            assert!(!is_sidecar_of(name, "a_1.jpg"), "{name}");
        }
        assert!(is_sidecar_of("u\u{308}_1.txt", "ü_1.jpg"), "in either Unicode form");
    }

    #[test]
    fn an_ordinary_kohya_folder_holds_nothing_odd() {
        let names =
            ["a_1.jpg", "a_1.txt", "a_1_sdxl.npz", "a_2.png", "a_2.caption", "._a_1.jpg", "Thumbs.db", "actor.json"];
        let inventory = Inventory::of(names);
        assert_eq!(inventory.images.len(), 2);
        assert_eq!((inventory.others_in_words(), inventory.obstacle("p")), (None, None));
        assert!(inventory.unreadable.is_empty() && inventory.bad_names.is_empty());
    }

    #[test]
    fn what_belongs_to_no_image_is_named_in_one_line() {
        let inventory = Inventory::of(["a_1.jpg", "b.txt", "notes.md", "c.csv", "d.zip"]);
        assert_eq!(inventory.others_in_words().unwrap(), "4 other files (b.txt, c.csv, d.zip and 1 more)");
        let inventory = Inventory::of(["notes\u{1b}.md", "notes.md"]);
        assert_eq!(inventory.others_in_words().unwrap(), "1 other file (notes.md)");
        assert_eq!(inventory.bad_names.iter().map(|name| visible(name)).collect::<Vec<_>>(), ["notes\\u{1b}.md"]);
    }

    #[test]
    fn images_in_a_deeper_folder_stop_the_set() {
        let names = ["10_hero woman/a_1.jpg", "10_hero woman/a_2.heic", "10_hero woman/a_1.txt", "a_9.jpg"];
        let obstacle = Inventory::of(names).obstacle("training_data").unwrap();
        let start =
            "found 2 images in training_data/10_hero woman: move them up into training_data, with their captions";
        assert!(obstacle.starts_with(start), "{obstacle}");
        for silent in ["__MACOSX/a_1.jpg", ".thumbnails/x.png", "a/@eaDir/b.jpg", "_latent_cache/a_1.safetensors"] {
            assert_eq!(Inventory::of([silent]).obstacle("p"), None, "{silent}");
        }
    }

    #[test]
    fn more_unreadable_images_than_others_stop_the_set() {
        let obstacle = |names: &[&str]| Inventory::of(names.iter().copied()).obstacle("p");
        let alone = obstacle(&["1.heic", "2.avif", "3.HEIC"]).unwrap();
        assert!(
            alone.starts_with("p holds 1 AVIF image, 2 HEIC images, which can't be read, and none that can"),
            "{alone}"
        );
        assert!(obstacle(&["1.heic", "2.heic", "3.jpg"]).unwrap().contains("and 1 that can"));
        assert_eq!(obstacle(&["1.heic", "3.jpg"]), None);
        assert!(obstacle(&["a\u{1}.jpg", "notes.md"]).unwrap().contains("(a\\u{1}.jpg): rename them"));
        assert_eq!(obstacle(&["a\u{1}.jpg", "3.jpg"]), None);
        assert_eq!(obstacle(&[]), None, "an empty set is made from the base image");
    }

    #[test]
    fn names_that_differ_in_case_or_ending_are_twins() {
        let inventory = Inventory::of(["a_1.jpg", "a_1.png", "A_1.JPG", "b_1.jpg", "c.png"]);
        assert_eq!(inventory.twins(), [["A_1.JPG", "a_1.jpg", "a_1.png"]]);
    }

    #[test]
    fn both_unicode_forms_are_one_name() {
        assert_eq!(composed("Ju\u{308}rgen"), "Jürgen");
    }
}
