//! The choice of an outfit for an image.

use super::colors::color_word;
use crate::kind::Kind;

/// The outfits that an image of this kind can have: a black-and-white image can't show a colour.
pub(super) fn suitable(outfits: &[String], kind: Kind) -> Vec<&str> {
    let is_suitable = |outfit: &&str| kind != Kind::BwStylized || color_word(outfit).is_none();
    outfits.iter().map(String::as_str).filter(is_suitable).collect()
}

/// The outfit of a turn; `None` if none is suitable.
pub(super) fn choose(outfits: &[String], kind: Kind, turn: u32) -> Option<&str> {
    let suitable = suitable(outfits, kind);
    suitable.get(turn as usize % suitable.len().max(1)).copied()
}
