//! The library of prompts: scenes that can show a character, sorted by kind of image.
//!
//! A prompt names a medium, a scene, a framing and a camera angle, places the character off-center, states that the
//! character is unaware of the camera, and requests the identity of the reference image. [`PLACEHOLDER`] stands for the
//! descriptor of the character, such as "woman" or "robotic character".

mod bw_stylized;
mod color_stylized;
mod photorealistic;

use std::collections::BTreeSet;

use rand::Rng;
use rand::seq::SliceRandom;

use crate::content::{Angle, Framing};
use crate::coverage::Needs;
use crate::kind::Kind;

/// The text in a prompt that [`Prompt::render`] replaces by the descriptor of the character.
pub const PLACEHOLDER: &str = "{character}";

/// The maximum length of a preview, in characters, without the ellipsis.
const PREVIEW_CHARS: usize = 100;

/// One scene of the library.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prompt {
    /// The stable name, unique in the library, such as `photo-night-market`.
    pub id: &'static str,
    /// The kind of image that the prompt requests.
    pub kind: Kind,
    /// How much of the character the text asks for.
    pub framing: Framing,
    /// The side from which the text asks for the character.
    pub angle: Angle,
    /// The text, with [`PLACEHOLDER`] for the descriptor.
    pub text: &'static str,
}

impl Prompt {
    /// The text for a character with this descriptor.
    #[must_use]
    pub fn render(&self, descriptor: &str) -> String {
        self.text.replace(PLACEHOLDER, descriptor)
    }
}

/// The prompts for a kind of image.
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

/// The prompt with this id; `None` if the library has none.
#[must_use]
pub fn by_id(id: &str) -> Option<&'static Prompt> {
    all().find(|prompt| prompt.id == id)
}

/// Draws `count` prompts of one kind: each time one whose framing and angle the set needs most, at random among equal
/// ones. Adds the views of the drawn prompts to those that the set has.
///
/// As long as unused prompts remain, the draw repeats none and omits those whose id is in `used`. After that it starts
/// over with all prompts of the kind, and again repeats none until all have been drawn.
pub fn draw(
    kind: Kind,
    used: &BTreeSet<String>,
    count: usize,
    needs: &mut Needs,
    rng: &mut impl Rng,
) -> Vec<&'static Prompt> {
    let mut lap: Vec<_> = of_kind(kind).iter().filter(|prompt| !used.contains(prompt.id)).collect();
    lap.shuffle(rng);
    let mut drawn = Vec::with_capacity(count);
    while drawn.len() < count {
        if lap.is_empty() {
            lap = of_kind(kind).iter().collect();
            lap.shuffle(rng);
        }
        drawn.extend(take_most_needed(&mut lap, needs));
    }
    drawn
}

/// Takes the prompt with the most needed view, the last one among equals; `None` if there is no prompt.
fn take_most_needed(lap: &mut Vec<&'static Prompt>, needs: &mut Needs) -> Option<&'static Prompt> {
    let gain = |prompt: &Prompt| needs.gain(prompt.framing, prompt.angle);
    let (most_needed, _) = lap.iter().enumerate().max_by_key(|(_, prompt)| gain(prompt))?;
    let prompt = lap.remove(most_needed);
    needs.has.count(Some(prompt.framing), Some(prompt.angle));
    Some(prompt)
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
