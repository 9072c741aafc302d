//! What an image shows besides its kind: the character, the shot, and a caption.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a vision model says about the content of an image. A model that can't tell leaves a field out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Content {
    /// The result of the comparison with the base image.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub same_character: Option<SameCharacter>,
    /// Why the image was not compared with the base image, if that was to be done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_compared: Option<NotCompared>,
    /// The distance of the shot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub framing: Option<Framing>,
    /// The side of the shot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub angle: Option<Angle>,
    /// One to three words, such as `a faint smile`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expression: Option<String>,
    /// What changes from image to image, in one line without a name and without features of the character.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caption: Option<String>,
}

impl Content {
    /// Whether nothing is known.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        *self == Self::default()
    }

    /// The content according to two observations. Where they contradict each other on the character, it is unsure, and
    /// unknown if one of them couldn't compare; elsewhere the first one counts.
    #[must_use]
    pub fn merged(self, second: Self) -> Self {
        let same_character = match (self.same_character, second.same_character) {
            (Some(one), Some(other)) if one != other => Some(SameCharacter::Unsure),
            (one, other) => one.and(other),
        };
        Self {
            same_character,
            not_compared: self.not_compared.or(second.not_compared),
            framing: self.framing.or(second.framing),
            angle: self.angle.or(second.angle),
            expression: self.expression.or(second.expression),
            caption: self.caption.or(second.caption),
        }
    }
}

/// Whether an image shows the character of the base image. The order is from the best answer to the worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SameCharacter {
    /// Differences of age, light, pose or clothing may remain.
    Yes,
    /// It can't be told, for example from behind.
    Unsure,
    /// Another face, sex, age or species.
    No,
}

/// Why an image was not compared with the base image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotCompared {
    /// The base image shows several characters.
    SeveralCharacters,
    /// The base image shows no character.
    NoCharacter,
    /// The service takes one picture in a request, so it could not be shown both.
    OnePicture,
}

/// How much of the character an image shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Framing {
    /// The face, or head and shoulders.
    CloseUp,
    /// The character down to the waist or the knees.
    Medium,
    /// The whole character, filling much of the height of the image.
    FullBody,
    /// The whole character, small in its surroundings.
    Wide,
}

/// The side from which an image shows the character.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Angle {
    /// Both eyes are seen, about equally.
    Front,
    /// Turned away from the viewer by less than a right angle.
    ThreeQuarter,
    /// Seen from the left or from the right.
    Profile,
    /// Turned away, so that no face is seen.
    Back,
}

impl SameCharacter {
    /// From the best to the worst.
    pub const ALL: [Self; 3] = [Self::Yes, Self::Unsure, Self::No];
}

impl NotCompared {
    /// Those that lie in the base image first.
    pub const ALL: [Self; 3] = [Self::SeveralCharacters, Self::NoCharacter, Self::OnePicture];

    /// Whether the base image doesn't show which character is meant.
    #[must_use]
    pub const fn is_ambiguity(self) -> bool {
        matches!(self, Self::SeveralCharacters | Self::NoCharacter)
    }
}

impl Framing {
    /// From the closest to the widest.
    pub const ALL: [Self; 4] = [Self::CloseUp, Self::Medium, Self::FullBody, Self::Wide];
}

impl Angle {
    /// From the front to the back.
    pub const ALL: [Self; 4] = [Self::Front, Self::ThreeQuarter, Self::Profile, Self::Back];
}

impl fmt::Display for SameCharacter {
    /// The serialised name, such as `unsure`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

impl fmt::Display for NotCompared {
    /// The words after "the base image", with the remedy if the service is the reason.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SeveralCharacters => "shows several characters",
            Self::NoCharacter => "shows no character",
            Self::OnePicture => {
                "was not shown, because the service takes one picture in a request (VISION_MODE=grid shows several as one)"
            }
        })
    }
}

impl fmt::Display for Framing {
    /// The serialised name, such as `close_up`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

impl fmt::Display for Angle {
    /// The serialised name, such as `three_quarter`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}
