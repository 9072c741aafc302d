//! Prompts: scenes that can show a character, sorted by kind of image.
//!
//! A [`Library`] has the built-in prompts, or those of a user's file. A prompt is composed from its parts, or is the user's
//! own text. [`PLACEHOLDER`] stands for the descriptor of the character, such as "woman" or "robotic character", and
//! [`OUTFIT`] for its clothing if the outfit varies.

mod colors;
mod entry;
mod file;
mod library;
mod outfits;

use serde::{Deserialize, Serialize};

use crate::content::{Angle, Framing};
use crate::kind::Kind;

pub use file::{InvalidLibrary, MAX_FILE_BYTES, Problem};
pub use library::{BUILT_IN_FILE, Library};

/// The name of a file with prompts: beside an actor's images for this actor, below the key prefix for a stack.
pub const PROMPTS_FILE: &str = "prompts.toml";

/// The text in a prompt that [`Prompt::render`] replaces by the descriptor of the character.
pub const PLACEHOLDER: &str = "{character}";

/// The text in a prompt that [`Prompt::dressed`] replaces by an outfit.
pub const OUTFIT: &str = "{outfit}";

/// The maximum length of a preview, in characters, without the ellipsis.
const PREVIEW_CHARS: usize = 100;

/// One prompt of a library.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prompt {
    /// The stable name, unique in the library, such as `photo-night-market`.
    pub id: String,
    /// The kind of image that the prompt requests.
    pub kind: Kind,
    /// How much of the character the text asks for.
    pub framing: Framing,
    /// The side from which the text asks for the character.
    pub angle: Angle,
    /// The text, with [`PLACEHOLDER`] for the descriptor, and with [`OUTFIT`] if the outfit varies.
    pub text: String,
    /// What the text asks for besides the medium, the character and the camera, for a caption.
    pub scene: String,
}

/// A prompt that is not built in, as the records of an image under way keep it: an edited file doesn't change the image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnPrompt {
    /// The prompt, in its outfit.
    #[serde(flatten)]
    pub prompt: Prompt,
    /// The revision of the library.
    pub prompts_revision: String,
}

impl Prompt {
    /// The text for a character with this descriptor.
    #[must_use]
    pub fn render(&self, descriptor: &str) -> String {
        self.text.replace(PLACEHOLDER, descriptor)
    }

    /// Whether the text asks for an outfit other than that of the base image.
    #[must_use]
    pub fn varies_outfit(&self) -> bool {
        self.text.contains(OUTFIT)
    }

    /// The prompt with one of the outfits: successive turns give successive outfits.
    #[must_use]
    pub fn dressed(&self, outfits: &[String], turn: u32) -> Self {
        let Some(outfit) = outfits::choose(outfits, self.kind, turn) else { return self.clone() };
        let dress = |text: &str| text.replace(OUTFIT, outfit);
        Self { text: dress(&self.text), scene: dress(&self.scene), ..self.clone() }
    }
}

/// About the first hundred characters of a prompt, cut between two words, with an ellipsis. Returns a shorter text
/// unchanged.
#[must_use]
pub fn preview(text: &str) -> String {
    let Some((limit, _)) = text.char_indices().nth(PREVIEW_CHARS) else {
        return text.to_owned();
    };
    // One character more than the limit, so that a word ending right at the limit is kept.
    let window = text.get(..=limit).unwrap_or(&text[..limit]);
    let cut = window.rfind(char::is_whitespace).unwrap_or(limit);
    let kept = text[..cut].trim_end_matches(|c: char| c.is_whitespace() || c.is_ascii_punctuation());
    format!("{kept}…")
}

#[cfg(test)]
mod tests;
