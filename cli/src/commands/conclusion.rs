//! The end of a command that acts on many files.

use anyhow::bail;

use crate::actions::Problem;
use crate::outcome::{Outcome, remark};

/// Reports the problems, and fails if there are any.
pub fn conclude(problems: &[Problem]) -> anyhow::Result<Outcome> {
    problems.iter().for_each(|problem| remark(&problem.sentence));
    match problems.len() {
        0 => Ok(Outcome::Done),
        1 => bail!("1 file is unchanged"),
        many => bail!("{many} files are unchanged"),
    }
}
