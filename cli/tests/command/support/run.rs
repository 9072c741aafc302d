//! Runs the command to its end.

use std::ffi::OsStr;
use std::time::Duration;

use assert_cmd::Command;
use serde_json::Value;

/// Far longer than any command here takes, even if it compiles the functions.
const TIMEOUT: Duration = Duration::from_secs(300);

/// The command, without the caller's log settings.
pub(crate) fn balancer() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_balancer"));
    command.timeout(TIMEOUT).env_remove("RUST_LOG").env_remove("RUST_BACKTRACE");
    command
}

/// The result of a command.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) answer: String,
    pub(crate) remarks: String,
}

/// Runs the command with these arguments.
pub(crate) fn run<I, S>(arguments: I) -> Ran
where
    I: IntoIterator<Item = S>,
    S: AsRef<OsStr>,
{
    Ran::of(balancer().args(arguments))
}

impl Ran {
    /// Runs a command to its end.
    pub(crate) fn of(command: &mut Command) -> Self {
        let output = command.output().unwrap();
        Self {
            code: output.status.code(),
            answer: String::from_utf8(output.stdout).unwrap(),
            remarks: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Asserts exit code 0.
    pub(crate) fn done(self) -> Self {
        assert_eq!(self.code, Some(0), "{self:#?}");
        self
    }

    /// Asserts the exit code, and that standard error contains these words and no panic.
    pub(crate) fn failed(self, code: i32, words: &[&str]) -> Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        assert!(!self.remarks.contains("panicked"), "{self:#?}");
        for word in words {
            assert!(self.remarks.contains(word), "`{word}` is not in {self:#?}");
        }
        self
    }

    /// The whole answer as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.answer).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }

    /// The answer's last line as JSON.
    pub(crate) fn last_line(&self) -> Value {
        let line = self.answer.lines().last().unwrap_or_default();
        serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }
}
