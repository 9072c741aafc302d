//! What is exported: the usable images of an actor, with everything that is known about them.

use domain::actor::{ActorId, Profile};
use domain::assessment::Flag;
use domain::caption::Caption;
use domain::kind::{Kind, KindCounts};
use domain::status::Status;
use imaging::Encoding;
use serde::Serialize;

use super::names::Names;
use super::tree::{Content, Form, Picture, Source};
use super::words::Words;

/// One actor of an export.
#[derive(Debug, Clone, PartialEq)]
pub struct Subject {
    pub actor: ActorId,
    pub words: Words,
    pub facts: ActorFacts,
    pub base_image: Option<PictureFile>,
    /// The images, by their names in the set.
    pub images: Vec<SubjectImage>,
}

/// One image of an export.
#[derive(Debug, Clone, PartialEq)]
pub struct SubjectImage {
    /// The name in the set.
    pub name: String,
    pub file: PictureFile,
    /// `None` if nothing describes the image.
    pub caption: Option<Caption>,
    pub facts: ImageFacts,
}

/// A file with a picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PictureFile {
    pub encoding: Encoding,
    /// Whether its stored pixels are upright. kohya and Replicate's captioner ignore the EXIF orientation.
    pub is_upright: bool,
    /// In hexadecimal.
    pub sha256: String,
    /// The width and the height of the upright picture, in pixels.
    pub size: (u32, u32),
}

impl SubjectImage {
    /// The caption for training. One without a description names at least the medium; without it, a model would learn the
    /// style of drawings as a property of the character.
    pub fn caption_with(&self, words: &Words) -> String {
        let described = self.caption.as_ref().map(|caption| caption.text.as_str());
        words.in_caption(described.or_else(|| self.facts.kind.map(medium)))
    }
}

/// What an image of this kind is.
const fn medium(kind: Kind) -> &'static str {
    match kind {
        Kind::Photorealistic => "photograph",
        Kind::BwStylized => "black-and-white drawing",
        Kind::ColorStylized => "colour illustration",
    }
}

/// What the format `manifest` says about an actor.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ActorFacts {
    #[serde(flatten)]
    pub profile: Profile,
    pub status: Status,
    pub target: KindCounts,
    pub counts: KindCounts,
}

/// What the format `manifest` says about an image.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct ImageFacts {
    pub kind: Option<Kind>,
    /// The kind that was ordered, if the image was generated.
    pub requested_kind: Option<Kind>,
    /// The quality from 1 to 10, limited by the image's faults.
    pub quality: Option<u8>,
    pub flags: Vec<Flag>,
    pub reason: Option<String>,
    pub prompt: Option<String>,
    pub prompt_id: Option<String>,
    pub generated: bool,
    pub pinned: bool,
}

/// The settings of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// How often an epoch shows each image.
    pub repeats: u32,
    /// The side, in pixels, of a square that is as large as the images should be in training.
    pub resolution: u32,
}

/// The epochs that the configurations ask for: 20 images with 10 repeats make 2000 steps, in the middle of the range that
/// the trainers recommend.
pub const EPOCHS: u32 = 10;

impl Settings {
    /// The images that a training shows, one in each step.
    pub fn steps(&self, subjects: &[Subject]) -> u64 {
        let images: usize = subjects.iter().map(|subject| subject.images.len()).sum();
        images as u64 * u64::from(self.repeats) * u64::from(EPOCHS)
    }
}

impl PictureFile {
    /// The ending of the exported file, and its content. `rewrites_webp` is whether WebP becomes PNG.
    pub fn exported(&self, actor: &ActorId, source: Source, rewrites_webp: bool) -> (&'static str, Content) {
        let is_unread = rewrites_webp && self.encoding == Encoding::WebP;
        let form = if self.is_upright && !is_unread { Form::Original } else { Form::Png };
        (self.ending(form), self.content(actor, source, form))
    }

    /// The ending and the content of the unchanged file.
    pub fn unchanged(&self, actor: &ActorId, source: Source) -> (&'static str, Content) {
        (self.ending(Form::Original), self.content(actor, source, Form::Original))
    }

    fn content(&self, actor: &ActorId, source: Source, form: Form) -> Content {
        Content::Picture(Picture { actor: actor.clone(), source, sha256: self.sha256.clone(), form })
    }

    /// The ending that every trainer lists, whatever the file's own is: kohya reads no `.Jpg`, `.jpe` or `.jfif`.
    const fn ending(&self, form: Form) -> &'static str {
        match (form, self.encoding) {
            (Form::Png, _) | (_, Encoding::Png) => "png",
            (_, Encoding::Jpeg) => "jpg",
            (_, Encoding::WebP) => "webp",
        }
    }
}

/// A name for each actor's folder, in the order of the actors.
pub fn folder_names(subjects: &[Subject]) -> Vec<String> {
    let mut names = Names::default();
    subjects.iter().map(|subject| names.give(subject.actor.as_str())).collect()
}

/// The name without its ending.
pub fn stem(name: &str) -> &str {
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}
