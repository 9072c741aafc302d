//! The library of prompts: scenes in which a character can be shown, sorted by kind of image.
//!
//! A prompt names a medium, a scene, a camera angle and an off-center framing, says that the character is
//! unaware of the camera, and asks for the identity of the reference image. [`PLACEHOLDER`] stands where
//! the descriptor of the character goes ("woman", "robotic character").

mod bw_stylized;
mod color_stylized;
mod photorealistic;

use std::collections::BTreeSet;

use rand::Rng;
use rand::seq::SliceRandom;

use crate::kind::Kind;

/// The text in a prompt that [`Prompt::render`] replaces by the descriptor of the character.
pub const PLACEHOLDER: &str = "{character}";

/// Longest preview of a prompt, in characters, without the ellipsis.
const PREVIEW_CHARS: usize = 100;

/// One scene of the library.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prompt {
    /// Stable name, unique in the library, such as `photo-night-market`.
    pub id: &'static str,
    /// The kind of image the prompt asks for.
    pub kind: Kind,
    /// The wording, with [`PLACEHOLDER`] where the descriptor goes.
    pub text: &'static str,
}

impl Prompt {
    /// The wording for a character with the given descriptor.
    #[must_use]
    pub fn render(&self, descriptor: &str) -> String {
        self.text.replace(PLACEHOLDER, descriptor)
    }
}

/// Every prompt that asks for the given kind of image.
#[must_use]
pub const fn of_kind(kind: Kind) -> &'static [Prompt] {
    match kind {
        Kind::Photorealistic => &photorealistic::PROMPTS,
        Kind::BwStylized => &bw_stylized::PROMPTS,
        Kind::ColorStylized => &color_stylized::PROMPTS,
    }
}

/// Every prompt of the library, kind by kind in the order of [`Kind::ALL`].
pub fn all() -> impl Iterator<Item = &'static Prompt> {
    Kind::ALL.into_iter().flat_map(of_kind)
}

/// The prompt of this name; `None` if the library has none.
#[must_use]
pub fn by_id(id: &str) -> Option<&'static Prompt> {
    all().find(|prompt| prompt.id == id)
}

/// Draws `count` prompts of one kind at random.
///
/// No prompt whose id is in `used` is drawn, and none twice, as long as unused ones remain. After that the
/// draw starts over among all prompts of the kind, again without repeats until all have been drawn.
pub fn draw(kind: Kind, used: &BTreeSet<String>, count: usize, rng: &mut impl Rng) -> Vec<&'static Prompt> {
    let mut lap: Vec<_> = of_kind(kind).iter().filter(|prompt| !used.contains(prompt.id)).collect();
    lap.shuffle(rng);
    let mut drawn = Vec::with_capacity(count);
    while drawn.len() < count {
        if lap.is_empty() {
            lap = of_kind(kind).iter().collect();
            lap.shuffle(rng);
        }
        drawn.extend(lap.pop());
    }
    drawn
}

/// The first hundred characters or so of a prompt, cut between two words and ended by an ellipsis.
///
/// A text that short already is returned as it is.
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
