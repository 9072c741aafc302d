//! Sidecars: the files that trainers and cameras keep beside an image under its name, such as captions, cached latents
//! and masks.

use std::sync::LazyLock;

use regex::Regex;
use serde::{Deserialize, Serialize};

use super::files::{OWN_FILES, composed, extension, is_image_name};

/// Endings of captions, latents, metadata and edits.
const ENDINGS: [&str; 8] = ["txt", "caption", "tags", "npz", "safetensors", "json", "xmp", "aae"];

/// The suffixes of the masks that OneTrainer keeps beside an image.
const MASK_SUFFIXES: [&str; 2] = ["-masklabel.png", "-condlabel.png"];

/// A sidecar in the bucket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sidecar {
    /// The file name, without a path.
    pub filename: String,
    /// The `ETag` of the object, without quotes.
    pub etag: String,
}

/// The sidecars that leave a folder with an image: those of its stem, unless another image of the folder has the same
/// stem. File systems may treat names that differ only in case as the same, so such an image keeps its sidecars too.
#[must_use]
pub fn leaving_with<'a>(image: &str, folder: &[&'a str]) -> Vec<&'a str> {
    let is_kept = |sidecar: &str, other: &str| {
        belongs_to(&sidecar.to_lowercase(), &other.to_lowercase()) && stem_length(other) >= stem_length(image)
    };
    sidecars(image, folder, is_kept)
}

/// The sidecars that return from a folder of the trash with an image. If two images in the trash share a sidecar, it
/// returns with the first.
#[must_use]
pub fn returning_with<'a>(image: &str, trash: &[&'a str]) -> Vec<&'a str> {
    let is_kept = |sidecar: &str, other: &str| belongs_to(sidecar, other) && stem_length(other) > stem_length(image);
    sidecars(image, trash, is_kept)
}

/// The text file beside an image that trainers read as its caption.
#[must_use]
pub fn caption_file(image: &str) -> String {
    format!("{}.txt", stem(image))
}

/// A prefix that an image's name shares with the names of all its sidecars, in whichever Unicode form each is spelled:
/// the stem up to the first character that has several forms.
#[must_use]
pub fn shared_prefix(filename: &str) -> &str {
    let stem = stem(filename);
    // A combining character belongs to the ASCII letter before it.
    stem.find(|c: char| !c.is_ascii()).map_or(stem, |at| &stem[..at.saturating_sub(1)])
}

/// A file's name without its ending.
pub(super) fn stem(filename: &str) -> &str {
    filename.rsplit_once('.').map_or(filename, |(stem, _)| stem)
}

/// Whether a file's ending is one that sidecars have, whether or not their image exists.
pub(super) fn has_sidecar_ending(filename: &str) -> bool {
    let is_mask = || MASK_SUFFIXES.iter().any(|mask| filename.to_lowercase().ends_with(mask));
    extension(filename).is_some_and(|ending| ENDINGS.contains(&ending.as_str())) || is_mask()
}

/// The names in front of which a sidecar of this image has its suffix: the stem, and the full name, since some tools
/// append their ending to it. Both are in the composed form.
pub(super) fn prefixes(image: &str) -> [String; 2] {
    let image = composed(image);
    [stem(&image).to_owned(), image]
}

/// Whether a file is a sidecar of an image that has one of these [`prefixes`]. The actor's own files belong to no
/// image.
pub(super) fn has_prefix(filename: &str, is_prefix: impl Fn(&str) -> bool) -> bool {
    let filename = composed(filename);
    let is_own = || OWN_FILES.contains(&filename.to_lowercase().as_str());
    let mut cuts = filename.rmatch_indices(['.', '_', '-']).map(|(at, _)| filename.split_at(at));
    cuts.any(|(prefix, suffix)| is_prefix(prefix) && is_sidecar_suffix(suffix)) && !is_own()
}

/// Whether `a_1.txt`, `a_1.jpg.txt` or `a_1_0512x0768_flux.npz` belongs to `a_1.jpg`.
fn belongs_to(sidecar: &str, image: &str) -> bool {
    let prefixes = prefixes(image);
    has_prefix(sidecar, |prefix| prefixes.iter().any(|of_image| of_image == prefix))
}

fn sidecars<'a>(image: &str, names: &[&'a str], is_kept: impl Fn(&str, &str) -> bool) -> Vec<&'a str> {
    let others: Vec<&str> = names.iter().copied().filter(|name| *name != image && is_image_name(name)).collect();
    let moves = |name: &&str| belongs_to(name, image) && !others.iter().any(|other| is_kept(name, other));
    names.iter().copied().filter(moves).collect()
}

fn stem_length(image: &str) -> usize {
    composed(stem(image)).len()
}

/// Whether sidecars have this suffix: an ending, or an ending after the part that kohya's and musubi's scripts insert
/// into the names of cached latents and text encodings.
fn is_sidecar_suffix(suffix: &str) -> bool {
    #[expect(clippy::expect_used, reason = "a constant pattern that every test of this module compiles")]
    static CACHE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"^(_\d+x\d+(_\w+)?|_(sd|sdxl|sd3|flux)|(_[a-z]\w*)?_te(_outputs)?)\.(npz|safetensors)$")
            .expect("the pattern is valid")
    });
    let lower = suffix.to_lowercase();
    let is_plain = lower.strip_prefix('.').is_some_and(|ending| ENDINGS.contains(&ending));
    is_plain || MASK_SUFFIXES.contains(&lower.as_str()) || CACHE.is_match(&lower)
}

#[cfg(test)]
mod tests;
