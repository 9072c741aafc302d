//! The arguments of `report` and `dashboard`.

use std::path::PathBuf;

use clap::Args;
use domain::actor::ActorId;

use super::Connection;
use crate::report::DEFAULT_MAX_MB;

#[derive(Debug, Args)]
pub struct Report {
    /// Only these actors [default: all]
    pub actors: Vec<ActorId>,
    /// File to write (.html); further files become FILE-2, FILE-3 … It replaces an earlier report, and nothing else
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
    /// Include what the sets have cost
    #[arg(long)]
    pub with_costs: bool,
    /// Size above which further actors go into another file, in megabytes
    #[arg(long, value_name = "MB", default_value_t = DEFAULT_MAX_MB, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub max_mb: u32,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub connection: Connection,
}

#[derive(Debug, Args)]
pub struct Dashboard {
    /// Port on 127.0.0.1 [default: 4700, or any free one if that is taken]
    #[arg(long)]
    pub port: Option<u16>,
    /// Don't open a browser
    #[arg(long)]
    pub no_open: bool,
    /// Only show the sets; refuse every change
    #[arg(long)]
    pub read_only: bool,
    #[command(flatten)]
    pub connection: Connection,
}
