//! The `balancer` command.

mod actions;
mod answers;
mod arguments;
mod atomic_file;
mod bars;
mod commands;
mod connection;
mod dashboard;
mod demo;
mod doctor;
mod event_sources;
mod export;
mod folder;
mod import;
mod local;
mod outcome;
mod pages;
mod pictures;
mod progress;
mod report;
#[cfg(test)]
mod samples;
mod sets;
mod spelling;
mod stack_parameters;
mod table;
mod target;
mod thumbnail;

use std::io::IsTerminal;
use std::process::ExitCode;

use clap::Parser;
use tracing_subscriber::EnvFilter;

use arguments::{Arguments, Command};
use outcome::Outcome;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse_from(spelling::normalized(std::env::args_os()));
    let quiet = "warn,local_stack=info,aws_config=off";
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(quiet));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal() && !is_without_colour())
        .without_time()
        .with_target(false)
        .init();
    match run(arguments.command).await {
        Ok(outcome) => outcome.into(),
        Err(error) => {
            outcome::report_error(&error);
            outcome::exit_code_of(&error)
        }
    }
}

/// Whether the user wants no colours: <https://no-color.org>.
fn is_without_colour() -> bool {
    std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
}

async fn run(command: Command) -> anyhow::Result<Outcome> {
    match command {
        Command::Assess(arguments) => commands::assess::run(&arguments).await,
        Command::Doctor(arguments) => commands::doctor::run(arguments).await,
        Command::Import(arguments) => commands::import::run(arguments).await,
        Command::Grid(arguments) => commands::grid::run(&arguments),
        Command::Plan(arguments) => commands::plan::run(&arguments),
        Command::Prompts(arguments) => commands::prompts::run(&arguments),
        Command::History(arguments) => commands::history::run(arguments).await,
        Command::Images(arguments) => commands::images::run(arguments).await,
        Command::Local(arguments) => commands::local::run(*arguments).await,
        Command::Completions(arguments) => commands::completions::run(&arguments),
        Command::Demo(arguments) => commands::demo::run(arguments).await,
        Command::Send(arguments) => commands::send::run(arguments).await,
        Command::Evaluate(arguments) => commands::evaluate::run(arguments).await,
        Command::Status(arguments) => commands::status::run(arguments).await,
        Command::Trash(arguments) => commands::trash::run(arguments).await,
        Command::Report(arguments) => commands::report::run(arguments).await,
        Command::Dashboard(arguments) => commands::dashboard::run(arguments).await,
        Command::Caption(arguments) => commands::caption::run(arguments).await,
        Command::Export(arguments) => commands::export::run(arguments).await,
        Command::Pin(arguments) => commands::pin::run(arguments, true).await,
        Command::Unpin(arguments) => commands::pin::run(arguments, false).await,
        Command::Approve(arguments) => commands::approve::run(arguments).await,
        Command::Restore(arguments) => commands::restore::run(arguments).await,
        Command::Env(arguments) => commands::env::run(&arguments),
        Command::Redrive(arguments) => commands::redrive::run(arguments).await,
        Command::Pause(arguments) => commands::pause::run(arguments, false).await,
        Command::Resume(arguments) => commands::pause::run(arguments, true).await,
        Command::Drain(arguments) => commands::drain::run(arguments).await,
    }
}
