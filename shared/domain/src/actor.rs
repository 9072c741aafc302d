//! Actors: their ids, and the profile that prompts need.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use unicode_normalization::{UnicodeNormalization, is_nfd};

use super::files::{composed, visible};

/// The id of an actor, as keys, file names and messages contain it.
///
/// One path segment in Unicode's composed form (NFC), at most 128 bytes: any characters except those of
/// [`is_forbidden`], without a dot at its start and without a space at either end. The type rejects, for all adapters, every name that
/// could lead out of the actor's own folder. A folder whose name macOS has written in the decomposed form belongs to
/// the same actor.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ActorId(String);

/// The error for a name that can't be an actor's id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` can't be an actor's id: {problem}")]
pub struct InvalidActorId {
    /// The name, shortened, with control characters made visible.
    name: String,
    problem: Problem,
}

/// The fault of a name, and its remedy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
enum Problem {
    #[error("it is empty")]
    Empty,
    #[error("it has {0} bytes in UTF-8, and {MAX_ID_BYTES} are the most; shorten it")]
    TooLong(usize),
    #[error("it starts with a dot, as hidden folders do; rename it")]
    Hidden,
    #[error("it starts or ends with a space; rename it")]
    SurroundingSpace,
    #[error("it contains {}; rename it", named(*.0))]
    Forbidden(char),
}

/// The maximum length of an id, in bytes of UTF-8.
const MAX_ID_BYTES: usize = 128;

/// Characters that an id must not contain: some are not allowed in file names on every system or have a meaning in
/// keys, paths or URLs; the others are invisible, so that two names would look the same.
fn is_forbidden(c: char) -> bool {
    // The joiners U+200C and U+200D occur in Persian and Indian words, and in emoji.
    let is_invisible = matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff0}'..='\u{ffff}' | '\u{e0000}'..='\u{e007f}');
    let is_private = matches!(c, '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..='\u{10ffff}');
    "/\\:*?\"<>|%".contains(c) || c.is_control() || (c.is_whitespace() && c != ' ') || is_invisible || is_private
}

/// A character for display; its code point if it may be invisible.
fn named(c: char) -> String {
    if c.is_ascii_graphic() { format!("`{c}`") } else { format!("the character U+{:04X}", u32::from(c)) }
}

impl ActorId {
    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The id in Unicode's decomposed form (NFD), in which macOS writes names; `None` if that is the same.
    #[must_use]
    pub fn decomposed(&self) -> Option<String> {
        (!is_nfd(&self.0)).then(|| self.0.nfd().collect())
    }
}

impl FromStr for ActorId {
    type Err = InvalidActorId;

    fn from_str(name: &str) -> Result<Self, InvalidActorId> {
        let id = composed(name);
        let problem = match id.chars().find(|&c| is_forbidden(c)) {
            _ if id.is_empty() => Problem::Empty,
            _ if id.len() > MAX_ID_BYTES => Problem::TooLong(id.len()),
            Some(c) => Problem::Forbidden(c),
            None if id.starts_with('.') => Problem::Hidden,
            None if id.trim() != id => Problem::SurroundingSpace,
            None => return Ok(Self(id)),
        };
        Err(InvalidActorId { name: visible(&id.chars().take(MAX_ID_BYTES).collect::<String>()), problem })
    }
}

impl TryFrom<String> for ActorId {
    type Error = InvalidActorId;

    fn try_from(id: String) -> Result<Self, InvalidActorId> {
        id.parse()
    }
}

impl From<ActorId> for String {
    fn from(id: ActorId) -> Self {
        id.0
    }
}

impl fmt::Display for ActorId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The sex of an actor.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sex {
    /// Male.
    Male,
    /// Female.
    Female,
    /// Not stated.
    #[default]
    Unknown,
}

/// The sort of being that an actor is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActorType {
    /// A human being.
    #[default]
    Human,
    /// An animal or monster.
    Creature,
    /// A machine.
    Robotic,
    /// An animal with human features.
    Anthropomorphic,
    /// A being of legend.
    Mythical,
    /// Anything else.
    Other,
}

/// The properties of an actor that its prompts depend on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// The sex; `unknown` if omitted.
    #[serde(default)]
    pub sex: Sex,
    /// The sort of being; `human` if omitted.
    #[serde(default)]
    pub actor_type: ActorType,
}

impl Profile {
    /// The words for the actor in a prompt.
    #[must_use]
    pub const fn descriptor(self) -> &'static str {
        match (self.actor_type, self.sex) {
            (ActorType::Human, Sex::Male) => "man",
            (ActorType::Human, Sex::Female) => "woman",
            (ActorType::Human, Sex::Unknown) => "person",
            (ActorType::Creature, _) => "creature",
            (ActorType::Robotic, _) => "robotic character",
            (ActorType::Anthropomorphic, _) => "anthropomorphic character",
            (ActorType::Mythical, _) => "mythical character",
            (ActorType::Other, _) => "character",
        }
    }

    /// The profile by the words of an id: `0001_european_20_female` is a woman, `scout_robot` a machine.
    #[must_use]
    pub fn from_words_of(id: &ActorId) -> Self {
        let mut profile = Self::default();
        for word in id.as_str().split(|c: char| !c.is_alphanumeric()) {
            match word.to_lowercase().as_str() {
                "male" | "man" | "boy" => profile.sex = Sex::Male,
                "female" | "woman" | "girl" => profile.sex = Sex::Female,
                "creature" | "animal" | "monster" => profile.actor_type = ActorType::Creature,
                "robot" | "robotic" | "android" => profile.actor_type = ActorType::Robotic,
                "anthropomorphic" | "anthro" => profile.actor_type = ActorType::Anthropomorphic,
                "mythical" | "dragon" | "unicorn" => profile.actor_type = ActorType::Mythical,
                _ => {}
            }
        }
        profile
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn id_that_could_leave_its_folder_is_rejected() {
        for id in ["", "..", "../x", "a/b", "a\\b", ".hidden", "a\nb", " a", "a ", "a%2fb", "C:", &"x".repeat(129)] {
            assert!(id.parse::<ActorId>().is_err(), "{id:?}");
        }
    }

    #[test]
    fn error_names_the_fault_of_an_id() {
        for (id, expected) in [
            ("a:b", "`a:b` can't be an actor's id: it contains `:`"),
            ("a\u{1}b", "`a\\u{1}b` can't be an actor's id: it contains the character U+0001"),
            ("a\u{202e}b", "U+202E"),
            ("caf\u{fffd}", "U+FFFD"),
            ("", "it is empty"),
            (" a", "starts or ends with a space"),
            (".a", "starts with a dot"),
            (&"ü".repeat(65), "130 bytes"),
        ] {
            let error = id.parse::<ActorId>().unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn ids_in_other_scripts_are_accepted() {
        for id in [
            "0001_european_20_female",
            "Jürgen M+ller",
            "女優_3",
            "v1.2 (final)",
            "O'Brien & Söhne, #3",
            "O’Brien – Sr.",
            "नीलम",
            "می\u{200c}خواهم",
            "สมชาย",
            "café! [old] ~1 = {2}; $3^",
            "Zoë ❤",
        ] {
            assert_eq!(id.parse::<ActorId>().unwrap().as_str(), id);
        }
    }

    #[test]
    fn both_unicode_forms_are_one_actor() {
        let (composed, decomposed): (ActorId, ActorId) = ("Jürgen".parse().unwrap(), "Ju\u{308}rgen".parse().unwrap());
        assert_eq!(composed, decomposed);
        assert_eq!((decomposed.as_str(), composed.decomposed().as_deref()), ("Jürgen", Some("Ju\u{308}rgen")));
        assert_eq!("hero".parse::<ActorId>().unwrap().decomposed(), None);
    }

    #[test]
    fn descriptor_follows_type_and_sex() {
        let of = |id: &str| Profile::from_words_of(&id.parse().unwrap()).descriptor();
        assert_eq!(of("0001_european_20_female"), "woman");
        assert_eq!(of("0000_european_16_male"), "man");
        assert_eq!(of("0007"), "person");
        assert_eq!(of("demo_robotic_scout"), "robotic character");
        assert_eq!(of("Female-Dragon"), "mythical character");
        assert_eq!(of("forest creature"), "creature");
        assert_eq!(of("anthro_fox"), "anthropomorphic character");
    }
}
