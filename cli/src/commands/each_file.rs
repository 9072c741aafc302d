//! The results of commands that act on many files: a failure with one does not affect the others.

use anyhow::bail;
use aws::store::images::Edit;
use domain::actor::ActorId;
use domain::files::composed;
use serde::Serialize;

use crate::connection::Connected;
use crate::outcome::{Outcome, quoted, remark};

/// Why a command could not act on a file.
#[derive(Debug, Serialize)]
pub struct Problem {
    pub file: String,
    /// With the remedy.
    #[serde(rename = "problem")]
    pub sentence: String,
}

/// The name of a file as the stack spells it; the user, or a shell's completion, may use another Unicode form. `None`
/// if the stack has no such file.
pub fn as_known<'a>(name: &str, known: impl Iterator<Item = &'a String> + Clone) -> Option<&'a String> {
    let is_same = |other: &&String| composed(other) == composed(name);
    known.clone().find(|other| *other == name).or_else(|| known.clone().find(is_same))
}

impl Connected {
    /// Why an image record could not be changed, with the remedy.
    pub async fn refused_edit(&self, actor: &ActorId, file: String, refused: Edit) -> anyhow::Result<Problem> {
        let id = quoted(actor.as_str());
        let sentence = match refused {
            Edit::BeingDeleted => format!(
                "{file} is being deleted; restore it with `balancer restore {id} {}` (if the deletion has failed, run `balancer redrive deletion` first)",
                quoted(&file)
            ),
            Edit::Done | Edit::Unknown if !self.services.store.trash_of(actor, &file).await?.is_empty() => {
                format!("{file} is in the trash; restore it with `balancer restore {id} {}`", quoted(&file))
            }
            Edit::Done | Edit::Unknown => format!(
                "{actor} has no image {file}; check the name, or register a new file first with `balancer send evaluation {id}`"
            ),
        };
        Ok(Problem { file, sentence })
    }
}

/// Reports the problems, and fails if there are any.
pub fn conclude(problems: &[Problem]) -> anyhow::Result<Outcome> {
    problems.iter().for_each(|problem| remark(&problem.sentence));
    match problems.len() {
        0 => Ok(Outcome::Done),
        1 => bail!("1 file is unchanged"),
        many => bail!("{many} files are unchanged"),
    }
}
