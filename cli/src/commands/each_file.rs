//! The results of commands that act on many files: a failure with one does not affect the others.

use anyhow::bail;
use domain::files::composed;
use serde::Serialize;

use crate::outcome::{Outcome, remark};

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

/// Reports the problems, and fails if there are any.
pub fn conclude(problems: &[Problem]) -> anyhow::Result<Outcome> {
    problems.iter().for_each(|problem| remark(&problem.sentence));
    match problems.len() {
        0 => Ok(Outcome::Done),
        1 => bail!("1 file is unchanged"),
        many => bail!("{many} files are unchanged"),
    }
}
