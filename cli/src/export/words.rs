//! The trigger and the class of an export, and the captions with the trigger in them.

use anyhow::Context;
use domain::actor::ActorId;
use domain::settings::ActorSettings;
use imaging::sha256;
use serde_json::json;

/// What stands for the trigger in captions that were written for ai-toolkit.
const PLACEHOLDERS: [&str; 2] = ["[trigger]", "[name]"];

/// The trigger and the class of one actor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    pub trigger: String,
    pub class: String,
}

impl Words {
    /// The caption as trainers that don't add the trigger need it: one line that contains the trigger, and is never
    /// empty.
    pub fn in_caption(&self, caption: Option<&str>) -> String {
        let Self { trigger, class } = self;
        match caption.map(one_line).filter(|text| !text.is_empty()) {
            None => format!("{trigger} {class}"),
            Some(text) => {
                let text = PLACEHOLDERS.iter().fold(text, |text, placeholder| text.replace(placeholder, trigger));
                if contains_word(&text, trigger) { text } else { format!("{trigger} {class}, {text}") }
            }
        }
    }
}

/// Checks a trigger and a class by the rules of `actor.json`.
pub fn check(trigger: Option<&str>, class: Option<&str>) -> anyhow::Result<()> {
    let settings = json!({ "trigger": trigger, "class": class });
    ActorSettings::read(settings.to_string().as_bytes()).context("the trigger or the class can't be used")?;
    Ok(())
}

/// The trigger of an actor for whom none was chosen: a word that no text encoder knows, and another one for each actor, so
/// that several actors in one training stay apart.
pub fn default_trigger(actor: &ActorId) -> String {
    let (consonants, vowels) = (b"bdfgklmnprstvz", b"aeiou");
    let digest = sha256(actor.as_str().as_bytes());
    let letters = digest.bytes().take(8).collect::<Vec<_>>();
    let syllables = letters.chunks(4).flat_map(|digits| {
        let number = digits.iter().fold(0_usize, |sum, &digit| sum * 31 + usize::from(digit));
        [consonants[number % consonants.len()], vowels[number / consonants.len() % vowels.len()]]
    });
    format!("ohwx{}", syllables.map(char::from).collect::<String>())
}

/// The text with single spaces for line breaks and control characters, and without a byte-order mark.
pub fn one_line(text: &str) -> String {
    let is_gap = |c: char| c.is_whitespace() || c.is_control() || c == '\u{feff}';
    text.split(is_gap).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Whether the text contains the word, not only as a part of a longer one.
fn contains_word(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| {
        let (before, after) = (text[..at].chars().next_back(), text[at + word.len()..].chars().next());
        [before, after].into_iter().flatten().all(|neighbour| !neighbour.is_alphanumeric())
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn words() -> Words {
        Words { trigger: "ohwx".to_owned(), class: "woman".to_owned() }
    }

    #[test]
    fn caption_gets_the_trigger_unless_it_has_it() {
        for (caption, written) in [
            (Some("at a lighthouse"), "ohwx woman, at a lighthouse"),
            (Some("photo of ohwx, smiling"), "photo of ohwx, smiling"),
            (Some("ohwxes on a hill"), "ohwx woman, ohwxes on a hill"),
            (Some("[trigger] walks"), "ohwx walks"),
            (Some("\u{feff}two\nlines"), "ohwx woman, two lines"),
            (Some(" \n"), "ohwx woman"),
            (None, "ohwx woman"),
        ] {
            assert_eq!(words().in_caption(caption), written);
        }
    }

    #[test]
    fn default_trigger_differs_between_actors() {
        let [one, other] = ["hero", "villain"].map(|id| default_trigger(&id.parse().unwrap()));
        assert_eq!(one, default_trigger(&"hero".parse().unwrap()));
        assert_ne!(one, other);
        assert!(one.len() == 8 && one.starts_with("ohwx"), "{one}");
        check(Some(&one), None).unwrap();
    }

    #[test]
    fn unusable_trigger_is_rejected() {
        for trigger in ["", "a,b", "a\nb", " a", "a/b"] {
            assert!(check(Some(trigger), None).is_err(), "{trigger:?}");
        }
        check(Some("ohwx"), Some("old man")).unwrap();
        check(None, None).unwrap();
    }

    proptest! {
        #[test]
        fn every_caption_is_one_line_with_the_trigger(caption in prop::option::of("(?s).{0,80}")) {
            let written = words().in_caption(caption.as_deref());
            prop_assert!(contains_word(&written, "ohwx"), "{}", written);
            prop_assert!(!written.contains(char::is_control) && !written.contains('\u{feff}'), "{}", written);
            prop_assert_eq!(written.trim(), written.as_str());
        }
    }
}
