//! The entries of a file with prompts, and the texts that they become.

use serde::Deserialize;

use super::{OUTFIT, PLACEHOLDER, Prompt};
use crate::content::{Angle, Framing};
use crate::format::OwnFormat;
use crate::kind::Kind;

/// Whether a prompt asks for the clothing of the base image.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Outfit {
    /// The clothing of the base image.
    #[default]
    Keep,
    /// One of the outfits of the file.
    Vary,
}

/// A prompt as a file describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) id: String,
    pub(super) kind: Kind,
    pub(super) framing: Framing,
    pub(super) angle: Angle,
    /// `None` if the file decides for all its prompts.
    pub(super) outfit: Option<Outfit>,
    pub(super) format: OwnFormat,
    pub(super) body: Body,
}

/// What the text of a prompt comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Body {
    /// The user's complete text.
    Text(String),
    /// Parts that one rule joins.
    Parts(Parts),
}

/// The parts of a text. An empty one is left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Parts {
    pub(super) medium: String,
    pub(super) scene: String,
    pub(super) lighting: String,
    pub(super) finish: String,
    pub(super) camera: String,
    pub(super) position: String,
    pub(super) expression: String,
}

impl Entry {
    /// The prompt; `default` applies if the entry itself does not state what becomes of the outfit.
    pub(super) fn compose(&self, default: Outfit) -> Prompt {
        let (text, scene) = match &self.body {
            Body::Text(text) => (text.clone(), scene_of(text)),
            Body::Parts(parts) => {
                let outfit = self.outfit.unwrap_or(default);
                (self.text_of(parts, outfit), parts.scene_with(outfit))
            }
        };
        let Self { kind, framing, angle, format, .. } = *self;
        Prompt { id: self.id.clone(), kind, framing, angle, text, scene, format }
    }

    fn text_of(&self, parts: &Parts, outfit: Outfit) -> String {
        let Parts { medium, scene, lighting, finish, camera, position, expression } = parts;
        let picture = joined([format!("{medium} of the {PLACEHOLDER} {scene}").as_str(), lighting, finish]);
        let place = format!("the {PLACEHOLDER} {}", spaced(["off-center", position]));
        let attention = match expression.as_str() {
            "" => "unaware of the camera".to_owned(),
            expression => format!("{expression} and unaware of the camera"),
        };
        let shot = joined([camera, &self.shot(), &place, &attention]);
        let demand = match outfit {
            Outfit::Keep => "Keep the identity, face and clothing features of the reference image.".to_owned(),
            Outfit::Vary => format!(
                "Keep the identity and face features of the reference image, but not its clothing: the {PLACEHOLDER} wears {OUTFIT}."
            ),
        };
        format!("{}. {}. {demand}", capitalized(&picture), capitalized(&shot))
    }

    /// The framing and the angle, such as `full-body shot in profile`.
    fn shot(&self) -> String {
        let framing = match self.framing {
            Framing::CloseUp => "close-up",
            Framing::Medium => "medium",
            Framing::FullBody => "full-body",
            Framing::Wide => "wide",
        };
        let noun = if self.kind == Kind::Photorealistic { "shot" } else { "view" };
        let angle = match self.angle {
            Angle::Front => "from the front",
            Angle::ThreeQuarter => "at a three-quarter angle",
            Angle::Profile => "in profile",
            Angle::Back => "from behind",
        };
        format!("{framing} {noun} {angle}")
    }
}

impl Parts {
    /// A caption must name an outfit that varies; otherwise a trainer learns it as part of the character. It comes first,
    /// so that a long scene can't displace it.
    fn scene_with(&self, outfit: Outfit) -> String {
        let worn = match outfit {
            Outfit::Keep => String::new(),
            Outfit::Vary => format!("wearing {OUTFIT}"),
        };
        joined([worn.as_str(), &self.scene, &self.lighting])
    }
}

/// The scene in the user's text: what follows the character in the same sentence. It names a varying outfit first.
fn scene_of(text: &str) -> String {
    let after = text.split_once(PLACEHOLDER).map_or("", |(_, after)| after);
    let sentence = after.split_once(". ").map_or(after, |(sentence, _)| sentence);
    let scene = sentence.trim().trim_end_matches('.').replace(PLACEHOLDER, "character");
    if text.contains(OUTFIT) && !scene.contains(OUTFIT) {
        return joined([format!("wearing {OUTFIT}").as_str(), &scene]);
    }
    scene
}

fn joined<const N: usize>(parts: [&str; N]) -> String {
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ")
}

fn spaced<const N: usize>(parts: [&str; N]) -> String {
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

fn capitalized(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}
