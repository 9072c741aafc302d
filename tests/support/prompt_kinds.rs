//! Recognises the prompts that the stand-ins of generators receive.

use domain::kind::Kind;
use domain::prompts::{Library, PLACEHOLDER, Prompt};

/// The kind of a prompt, which must name a medium of the built-in library.
pub(crate) fn kind_of(prompt: &str) -> Kind {
    known_kind(prompt).unwrap()
}

/// The kind of a text, if it is a prompt of the library.
pub(crate) fn known_kind(prompt: &str) -> Option<Kind> {
    let matches = |known: &&Prompt| prompt.starts_with(known.text.split_once(PLACEHOLDER).unwrap().0);
    Library::built_in().prompts().iter().find(matches).map(|found| found.kind)
}
