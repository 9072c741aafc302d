//! How a command ends, and the two streams it speaks on: answers on standard output, everything else on standard
//! error.

use std::io::Write;
use std::process::ExitCode;

/// How a command ends when nothing failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Done.
    Done,
    /// Done, but an actor needs a person, or its plan waits for money.
    NeedsAttention,
    /// Stopped by Ctrl-C or a signal.
    Interrupted,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        Self::from(match outcome {
            Outcome::Done => 0,
            Outcome::NeedsAttention => 3,
            Outcome::Interrupted => 130,
        })
    }
}

/// What was typed can never be carried out, on whatever folder or stack: the exit code is that of a wrong option.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct WrongUsage(pub String);

/// The exit code of a command that failed.
pub fn exit_code_of(error: &anyhow::Error) -> ExitCode {
    ExitCode::from(if error.is::<WrongUsage>() { 2 } else { 1 })
}

/// Writes an answer to standard output. Where nobody reads on, as in `balancer assess DIR | head`, the program ends.
pub fn answer(text: impl std::fmt::Display) {
    if writeln!(std::io::stdout().lock(), "{text}").is_err() {
        std::process::exit(1);
    }
}

/// Writes a remark to standard error.
#[expect(clippy::print_stderr, reason = "the one place that remarks")]
pub fn remark(text: impl std::fmt::Display) {
    eprintln!("{text}");
}

/// Says what failed, and why. Causes that the text has named already are left out.
pub fn complain(error: &anyhow::Error) {
    let mut text = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    remark(format!("error: {text}"));
}
