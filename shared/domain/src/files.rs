//! Classifies the files of a set by name alone: images, sidecars, remnants of file managers, and images in unreadable
//! formats.

mod inventory;

use unicode_normalization::{UnicodeNormalization, is_nfc};

use crate::sidecars::has_sidecar_ending;

pub use inventory::{Inventory, Obstacle, images_in_words};

/// The endings of image files, in any case. A base image is searched for in this order.
pub const IMAGE_EXTENSIONS: [&str; 6] = ["png", "jpg", "jpeg", "jpe", "jfif", "webp"];

/// [`IMAGE_EXTENSIONS`] in the words of error messages.
pub const IMAGE_EXTENSIONS_IN_WORDS: &str = "png, jpg, jpeg, jpe, jfif or webp";

/// The maximum length of a file name in bytes, as file systems limit it.
const MAX_NAME_BYTES: usize = 255;

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

/// The balancer's own files, which may lie beside the images.
pub(super) const OWN_FILES: [&str; 3] = ["actor.json", "manifest.json", "prompts.toml"];

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
    /// A file with the ending of a sidecar. Its image may be missing.
    Sidecar,
    /// A hidden file, or a remnant of an operating system.
    System,
    /// `actor.json`, `manifest.json` or `prompts.toml`.
    Own,
    /// A file whose name contains control characters, or is too long for a file system.
    BadName,
    /// Any other file.
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
    } else if filename.len() > MAX_NAME_BYTES || filename.contains(char::is_control) {
        FileKind::BadName
    } else if OWN_FILES.contains(&filename) {
        FileKind::Own
    } else if has_sidecar_ending(filename) {
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

/// Whether a file manager created a folder for itself, or the folder is hidden.
#[must_use]
pub fn is_system_folder(name: &str) -> bool {
    name.starts_with('.') || SYSTEM_FOLDERS.contains(&name.to_lowercase().as_str())
}

/// Whether a name is that of an entry of a folder: joined to the folder's path, it leads nowhere else.
#[must_use]
pub fn is_plain_name(name: &str) -> bool {
    !matches!(name, "" | "." | "..") && !name.contains(['/', '\\', '\0'])
}

/// A name in Unicode's composed form (NFC). macOS writes names in the decomposed form; both refer to the same file.
#[must_use]
pub fn composed(name: &str) -> String {
    if is_nfc(name) { name.to_owned() } else { name.nfc().collect() }
}

/// A name for display, with control characters made visible, and also those that reverse the direction of what follows:
/// a name could pretend to have another ending.
#[must_use]
pub fn visible(name: &str) -> String {
    let is_directional =
        |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let escape = |c: char| {
        if c.is_control() || is_directional(c) { c.escape_default().to_string() } else { c.to_string() }
    };
    name.chars().map(escape).collect()
}

/// The content type of a file, by its ending.
#[must_use]
pub fn content_type(filename: &str) -> &'static str {
    match extension(filename).as_deref() {
        Some("png") => "image/png",
        Some("jpg" | "jpeg" | "jpe" | "jfif") => "image/jpeg",
        Some("webp") => "image/webp",
        Some("json") => "application/json",
        Some("toml") => "application/toml",
        Some("txt" | "caption") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

/// A file's ending in lower case, without the dot; `None` for names like `.png` or `png`.
#[must_use]
pub fn extension(filename: &str) -> Option<String> {
    let (stem, ending) = filename.rsplit_once('.')?;
    (!stem.is_empty()).then(|| ending.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_decides_the_class_of_a_file() {
        for (kind, names) in [
            (FileKind::Image, &["a_1.jpg", "b.PNG", "c.webp", "d e.jpeg"][..]),
            (FileKind::Unreadable("HEIC"), &["a.heic", "B.HEIF"]),
            (FileKind::Unreadable("RAW"), &["a.CR2", "b.dng"]),
            (FileKind::Sidecar, &["a.txt", "a.caption", "a_flux.npz", "a.jpg.json", "a-masklabel.png"]),
            (
                FileKind::System,
                &["._a.jpg", ".DS_Store", ".aitk_size.json", "Thumbs.db", "a.jpg:Zone.Identifier", "desktop.ini"],
            ),
            (FileKind::Own, &["actor.json", "manifest.json", "prompts.toml"]),
            (FileKind::BadName, &["a\u{1}.jpg", "b\nc.png"]),
            (FileKind::Other, &["notes.md", "png", "clip.mov", ""]),
        ] {
            for name in names {
                assert_eq!(kind_of(name), kind, "{name:?}");
            }
        }
        assert_eq!(kind_of(&format!("{}.jpg", "x".repeat(252))), FileKind::BadName);
    }

    #[test]
    fn every_jpeg_ending_is_an_image() {
        for name in ["a_1.jpg", "a_1.JPEG", "a_1.jpe", "a_1.JFIF"] {
            assert!(is_image_name(name), "{name}");
            assert_eq!(content_type(name), "image/jpeg", "{name}");
        }
        assert_eq!(IMAGE_EXTENSIONS_IN_WORDS.replace(" or ", ", "), IMAGE_EXTENSIONS.join(", "));
    }

    #[test]
    fn misleading_characters_are_made_visible() {
        assert_eq!(visible("a\u{202e}gpj.exe\n"), "a\\u{202e}gpj.exe\\n");
        assert_eq!(visible("Jürgen <1>.jpg"), "Jürgen <1>.jpg");
    }

    #[test]
    fn both_unicode_forms_are_one_name() {
        assert_eq!(composed("Ju\u{308}rgen"), "Jürgen");
    }
}
