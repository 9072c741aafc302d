//! What an export finds wrong with a set.

use domain::actor::ActorId;
use domain::files::images_in_words;
use serde::Serialize;

/// The most names in a sentence.
const NAMED: usize = 5;

/// The most characters of a name in a sentence.
const NAME_CHARS: usize = 60;

/// A fault of one actor's set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    pub actor_id: ActorId,
    pub kind: FindingKind,
    /// The names of the images that it concerns; empty if it concerns the actor.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<String>,
    /// A sentence with the remedy, which names some of the images.
    pub message: String,
}

/// The kind of a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingKind {
    /// The set does not have its target's images.
    NotBalanced,
    /// No image can be exported.
    NoImages,
    /// The user has chosen no trigger.
    NoTrigger,
    /// Nothing describes these images.
    NoCaption,
    /// The text files beside these images are not UTF-8.
    UnreadableCaption,
    /// These images have fewer pixels than the resolution asks for.
    TooSmall,
    /// These files are no images that the balancer can read.
    Unusable,
    /// These images are in the records, and their files are gone.
    Missing,
    /// These files have changed since they were assessed.
    Changed,
}

impl Finding {
    /// A fault of the actor.
    pub fn of_actor(actor: &ActorId, kind: FindingKind, sentence: impl Into<String>) -> Self {
        let message = format!("{actor}: {}", sentence.into());
        Self { actor_id: actor.clone(), kind, files: Vec::new(), message }
    }

    /// A fault of some images; `None` if there are none. `sentence` gets their number in words.
    pub fn of_images(
        actor: &ActorId,
        kind: FindingKind,
        files: Vec<String>,
        sentence: impl FnOnce(&str) -> String,
    ) -> Option<Self> {
        if files.is_empty() {
            return None;
        }
        let message = format!("{actor}: {} ({})", sentence(&images_in_words(files.len())), some_of(&files));
        Some(Self { actor_id: actor.clone(), kind, files, message })
    }
}

/// The first names, and the number of the others.
pub fn some_of(names: &[String]) -> String {
    let shown: Vec<String> = names.iter().take(NAMED).map(|name| shown(name)).collect();
    match names.len().saturating_sub(NAMED) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// A name for a terminal: shortened, with the code points of characters that are invisible or change its direction.
fn shown(name: &str) -> String {
    let is_hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    let visible = |c: char| if is_hidden(c) { c.escape_unicode().to_string() } else { c.to_string() };
    let short: String = name.chars().take(NAME_CHARS).map(visible).collect();
    if name.chars().nth(NAME_CHARS).is_some() { format!("{short}…") } else { short }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_names_stand_for_all() {
        let names: Vec<String> = (1..=7).map(|number| format!("{number}.jpg")).collect();
        assert_eq!(some_of(&names[..2]), "1.jpg, 2.jpg");
        assert_eq!(some_of(&names), "1.jpg, 2.jpg, 3.jpg, 4.jpg, 5.jpg and 2 more");
    }

    #[test]
    fn invisible_characters_of_names_are_shown() {
        assert_eq!(some_of(&["x\u{202e}gpj.exe".to_owned()]), "x\\u{202e}gpj.exe");
        assert_eq!(some_of(&["y".repeat(200)]).chars().count(), NAME_CHARS + 1);
    }
}
