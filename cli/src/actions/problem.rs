//! Files that an action leaves unchanged, with the reasons. A failure with one file does not affect the others.

use aws::store::images::Edit;
use domain::actor::ActorId;
use domain::files::composed;
use serde::Serialize;

use crate::connection::Connected;
use crate::outcome::quoted;

/// Why an action did not change a file.
#[derive(Debug, Clone, Serialize)]
pub struct Problem {
    pub file: String,
    /// With the remedy.
    #[serde(rename = "problem")]
    pub sentence: String,
}

/// The name of a file as the stack spells it; the user, or a shell's completion, may use another Unicode form or give a
/// path. `None` if there is no such file.
pub fn as_known<'a>(name: &str, known: impl Iterator<Item = &'a String> + Clone) -> Option<&'a String> {
    let last = name.rsplit('/').next().unwrap_or(name);
    let is_same = |other: &&String| composed(other) == composed(last);
    known.clone().find(|other| *other == last).or_else(|| known.clone().find(is_same))
}

impl Problem {
    /// The image was deleted earlier.
    pub fn in_trash(actor: &ActorId, file: String) -> Self {
        let command = format!("balancer restore {} {}", quoted(actor.as_str()), quoted(&file));
        Self { sentence: format!("{file} is in the trash; restore it with `{command}`"), file }
    }

    /// The set has no image of this name.
    pub fn unknown(actor: &ActorId, file: String) -> Self {
        let command = format!("balancer images {}", quoted(actor.as_str()));
        Self { sentence: format!("{actor} has no image {file}; `{command}` lists the names"), file }
    }

    /// The deletion is not in the trash: the image was restored, or its time is over.
    pub fn no_longer_in_trash(actor: &ActorId, file: String) -> Self {
        let command = format!("balancer trash {}", quoted(actor.as_str()));
        Self { sentence: format!("{file} is no longer in the trash; `{command}` lists what is"), file }
    }

    /// Why the record of an image in a stack could not be changed.
    pub async fn of_edit(connected: &Connected, actor: &ActorId, file: String, refused: Edit) -> anyhow::Result<Self> {
        let id = quoted(actor.as_str());
        Ok(match refused {
            Edit::BeingDeleted => Self {
                sentence: format!(
                    "{file} is being deleted; restore it with `balancer restore {id} {}` (if the deletion has failed, run `balancer redrive deletion` first)",
                    quoted(&file)
                ),
                file,
            },
            Edit::Done | Edit::Unknown if !connected.services.store.trash_of(actor, &file).await?.is_empty() => {
                Self::in_trash(actor, file)
            }
            Edit::Done | Edit::Unknown => Self {
                sentence: format!(
                    "{actor} has no image {file}; check the name with `balancer images {id}`, or register a new file first with `balancer send evaluation {id}`"
                ),
                file,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_and_unicode_form_of_a_name_do_not_matter() {
        let known = ["Jürgen_1.jpg".to_owned(), "b.png".to_owned()];
        for (name, expected) in [
            ("Ju\u{308}rgen_1.jpg", Some("Jürgen_1.jpg")),
            ("images/hero/training_data/b.png", Some("b.png")),
            ("./b.png", Some("b.png")),
            ("c.png", None),
        ] {
            assert_eq!(as_known(name, known.iter()).map(String::as_str), expected, "{name}");
        }
    }
}
