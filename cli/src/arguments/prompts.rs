//! The arguments of `balancer prompts`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use domain::kind::Kind;

use crate::target::TargetArguments;

#[derive(Debug, Args)]
pub struct Prompts {
    #[command(subcommand)]
    pub command: PromptsCommand,
}

#[derive(Debug, Subcommand)]
pub enum PromptsCommand {
    /// List the built-in prompts, or those of a file
    List(List),
    /// Check a file, and report every problem with its line
    Check(Check),
    /// Write the built-in prompts as the beginning of your own file
    Export(Export),
}

#[derive(Debug, Args)]
pub struct List {
    /// File with your own prompts
    #[arg(long, value_name = "FILE")]
    pub prompts: Option<PathBuf>,
    /// Only prompts for this kind: photorealistic, bw_stylized or color_stylized
    #[arg(long)]
    pub kind: Option<Kind>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct Check {
    /// File with your own prompts
    pub file: PathBuf,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub target: TargetArguments,
}

#[derive(Debug, Args)]
pub struct Export {
    /// File to write [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Overwrite an existing file
    #[arg(long, requires = "output")]
    pub force: bool,
}
