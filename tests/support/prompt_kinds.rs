//! Recognises the prompts that the stand-ins of generators receive.

use domain::kind::Kind;
use domain::prompts;

/// The kind of a prompt of the library.
pub(crate) fn kind_of(prompt: &str) -> Kind {
    known_kind(prompt).unwrap()
}

/// The kind of a text, if it is a prompt of the library.
pub(crate) fn known_kind(prompt: &str) -> Option<Kind> {
    let matches = |candidate: &&prompts::Prompt| {
        let (before, _) = candidate.text.split_once(prompts::PLACEHOLDER).unwrap();
        let after = candidate.text.rsplit(prompts::PLACEHOLDER).next().unwrap();
        prompt.starts_with(before) && prompt.ends_with(after)
    };
    prompts::all().find(matches).map(|found| found.kind)
}
