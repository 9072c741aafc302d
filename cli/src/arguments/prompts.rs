//! The arguments of `balancer prompts`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use domain::kind::Kind;
use domain::target::{MAX_TARGET_TOTAL, Shares, Target};

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
    /// Images that each set should have
    #[arg(long, default_value_t = Target::default().total, value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_TARGET_TOTAL)))]
    pub target_total: u32,
    /// Target mix in percent: photorealistic/black-and-white/colour
    #[arg(long, default_value_t = Target::default().shares)]
    pub target_shares: Shares,
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
