//! `balancer completions SHELL`

use clap::CommandFactory;
use clap_complete::generate;

use crate::arguments::{Arguments, Completions};
use crate::outcome::{Outcome, answer};

/// Prints the completions of a shell.
pub fn run(arguments: &Completions) -> anyhow::Result<Outcome> {
    let mut script = Vec::new();
    generate(arguments.shell, &mut Arguments::command(), "balancer", &mut script);
    answer(String::from_utf8(script)?);
    Ok(Outcome::Done)
}
