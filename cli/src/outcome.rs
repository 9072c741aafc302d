//! The exit code of a command and its two output streams: results on standard output, everything else on standard
//! error.

use std::io::Write;
use std::process::ExitCode;

use anyhow::Context;
use domain::status::Status;

use crate::bars::BARS;

/// The end of a command that has not failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Done,
    /// Done, but an actor needs attention or is parked.
    NeedsAttention,
    /// Done, and what was checked can't be used.
    ProblemFound,
    /// Stopped by Ctrl-C or a signal.
    Interrupted,
}

/// The version of the JSON format. It changes when a field changes its meaning or is removed.
pub const SCHEMA: u32 = 1;

impl Outcome {
    /// The exit code of a command that has found sets in this state.
    pub fn of_sets(mut statuses: impl Iterator<Item = Status>) -> Self {
        let is_stuck = |status| matches!(status, Status::NeedsAttention | Status::Parked);
        if statuses.any(is_stuck) { Self::NeedsAttention } else { Self::Done }
    }
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        Self::from(match outcome {
            Outcome::Done => 0,
            Outcome::ProblemFound => 1,
            Outcome::NeedsAttention => 3,
            Outcome::Interrupted => 130,
        })
    }
}

/// Arguments that are invalid for every folder and stack.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct WrongUsage(pub String);

/// What the present state does not allow: another change came first, or nothing runs that could do it.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Conflict(pub String);

/// The exit code of a command that failed.
pub fn exit_code_of(error: &anyhow::Error) -> ExitCode {
    ExitCode::from(if error.is::<WrongUsage>() { 2 } else { 1 })
}

/// Prints a result to standard output. If the reader is gone, as in `balancer assess DIR | head`, the program ends.
pub fn answer(text: impl std::fmt::Display) {
    if try_answer(text).is_err() {
        std::process::exit(1);
    }
}

/// Prints a result to standard output, for commands that must clean up before they end. Fails if the reader of the
/// output has gone.
pub fn try_answer(text: impl std::fmt::Display) -> anyhow::Result<()> {
    writeln!(std::io::stdout().lock(), "{text}").context("the answer can't be written")
}

/// Writes a remark to standard error, above any progress bars. If the terminal is gone, the remark is dropped.
pub fn remark(text: impl std::fmt::Display) {
    BARS.suspend(|| drop(writeln!(std::io::stderr().lock(), "{text}")));
}

/// A word, quoted for a shell.
pub fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-+.@/:".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// Prints an error with its causes, without those that the text already contains.
pub fn report_error(error: &anyhow::Error) {
    let mut text = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    remark(format!("error: {text}"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_for_a_shell() {
        for (word, shown) in [("a_1.jpg", "a_1.jpg"), ("J (2)", "'J (2)'"), ("it's", r"'it'\''s'"), ("", "''")] {
            assert_eq!(quoted(word), shown);
        }
    }
}
