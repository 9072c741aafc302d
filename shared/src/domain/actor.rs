//! Who the images show.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The name of an actor, as it stands in keys, file names and messages.
///
/// One path segment: letters (of any script), digits, space and `_ - + . @ ( )`, not starting with a dot, at most
/// 128 bytes. Whatever could lead out of the actor's own folder is refused here, once, for every adapter.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ActorId(String);

/// A name that can't be an actor's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` can't be an actor's id; use 1 to 128 letters, digits, spaces and _ - + . @ ( ), not starting with a dot"
)]
pub struct InvalidActorId(String);

impl ActorId {
    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ActorId {
    type Err = InvalidActorId;

    fn from_str(id: &str) -> Result<Self, InvalidActorId> {
        let allowed = |c: char| c.is_alphanumeric() || " _-+.@()".contains(c);
        let is_name = (1..=128).contains(&id.len()) && id.chars().all(allowed);
        if is_name && !id.starts_with('.') && id.trim() == id {
            Ok(Self(id.to_owned()))
        } else {
            Err(InvalidActorId(id.chars().take(128).collect()))
        }
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

/// The sex of an actor, where it has one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sex {
    /// Male.
    Male,
    /// Female.
    Female,
    /// Nobody said.
    #[default]
    Unknown,
}

/// What sort of being an actor is.
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
    /// An animal with human ways.
    Anthropomorphic,
    /// A being of legend.
    Mythical,
    /// Anything else.
    Other,
}

/// What a prompt must know about an actor.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// Sex; `unknown` where nobody said.
    #[serde(default)]
    pub sex: Sex,
    /// Sort of being; `human` where nobody said.
    #[serde(default)]
    pub actor_type: ActorType,
}

impl Profile {
    /// How a prompt names the actor.
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

    /// What the id's own words say: `0001_european_20_female` is a woman, `scout_robot` a machine.
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
    fn an_id_that_could_leave_its_folder_is_refused() {
        for id in ["", "..", "../x", "a/b", "a\\b", ".hidden", "a\nb", " a", "a ", "a#b", &"x".repeat(129)] {
            assert!(id.parse::<ActorId>().is_err(), "{id:?}");
        }
    }

    #[test]
    fn ids_of_the_field_and_of_other_scripts_are_accepted() {
        for id in ["0001_european_20_female", "Jürgen M+ller", "女優_3", "v1.2 (final)"] {
            assert_eq!(id.parse::<ActorId>().unwrap().as_str(), id);
        }
    }

    #[test]
    fn the_descriptor_follows_type_and_sex() {
        let of = |id: &str| Profile::from_words_of(&id.parse().unwrap()).descriptor();
        assert_eq!(of("0001_european_20_female"), "woman");
        assert_eq!(of("0000_european_16_male"), "man");
        assert_eq!(of("somebody"), "person");
        assert_eq!(of("demo_robotic_scout"), "robotic character");
        assert_eq!(of("Female-Dragon"), "mythical character");
        assert_eq!(of("forest creature"), "creature");
        assert_eq!(of("anthro_fox"), "anthropomorphic character");
    }
}
