//! How a command ends, and the two streams it speaks on: answers on standard output, everything else on standard
//! error.

use std::process::ExitCode;

/// How a command ends when nothing failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Done.
    Done,
    /// Done, but an actor needs a person.
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

/// Writes an answer to standard output.
#[expect(clippy::print_stdout, reason = "the one place that answers")]
pub fn answer(text: impl std::fmt::Display) {
    println!("{text}");
}

/// Writes a remark to standard error.
#[expect(clippy::print_stderr, reason = "the one place that remarks")]
pub fn remark(text: impl std::fmt::Display) {
    eprintln!("{text}");
}

/// Says what failed, and why.
pub fn complain(error: &anyhow::Error) {
    let causes: Vec<String> = error.chain().map(ToString::to_string).collect();
    remark(format!("error: {}", causes.join(": ")));
}
