//! What can be typed.

mod care;

use std::net::Ipv4Addr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use domain::actor::ActorId;
use domain::planner::Scope;

use crate::local::ProviderArguments;
use crate::target::{CapArguments, FrontalArguments, TargetArguments};
pub use care::{Approve, Pin, QueueArgument, Redrive, Restore};

/// Keeps sets of training images balanced: 65 % photorealistic, 20 % black-and-white stylized, 15 % colour stylized.
#[derive(Debug, Parser)]
#[command(name = "balancer", version)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make a sample actor and watch its set become balanced
    Demo(Demo),
    /// Balance the actors of a folder on the embedded stack
    Local(Local),
    /// Rate the images of a folder
    Assess(Assess),
    /// Draw the images of a folder as a numbered grid
    Grid(Grid),
    /// Plan the changes to a rated set
    Plan(Plan),
    /// Ask a running stack to evaluate, delete or generate
    Send(Send),
    /// Show the status of the actors of a running stack
    Status(Status),
    /// Pin images: nothing deletes a pinned image
    Pin(Pin),
    /// Unpin images
    Unpin(Pin),
    /// Approve a plan that deletes a large share of a set
    Approve(Approve),
    /// Restore deleted images
    Restore(Restore),
    /// Retry messages that failed five times
    Redrive(Redrive),
    /// Print the variables with which the AWS command line and SDKs reach the stack running on this machine
    Env(Env),
}

#[derive(Debug, Args)]
pub struct Demo {
    /// Where to create the sample actor; an existing one is reused
    #[arg(long, default_value = "balancer-demo")]
    pub dir: PathBuf,
    /// Answer with a line of JSON
    #[arg(long)]
    pub json: bool,
    /// Port of the embedded stack on 127.0.0.1 [default: any free one]
    #[arg(long)]
    pub port: Option<u16>,
    #[command(flatten)]
    pub cap: CapArguments,
}

#[derive(Debug, Args)]
pub struct Local {
    /// Folder with {actor_id}/training_data/* and {actor_id}/base_image/*
    #[arg(long, required_unless_present = "serve")]
    pub data: Option<PathBuf>,
    /// Only this actor; can be repeated [default: every folder in DATA]
    #[arg(long = "actor", value_name = "ID")]
    pub actors: Vec<ActorId>,
    /// Keep running until Ctrl-C: process new images, base images and actors in the folder, and report each time
    #[arg(long, conflicts_with = "dry_run")]
    pub watch: bool,
    /// Report what would change and what it would cost; change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Retry sets that an earlier run has suspended, even if nothing has changed since
    #[arg(long)]
    pub retry: bool,
    /// Only run the stack, until Ctrl-C, for `sam local invoke` and other clients; DATA is uploaded and stays unchanged
    #[arg(long, conflicts_with_all = ["watch", "dry_run", "retry", "json", "vision", "generator"])]
    pub serve: bool,
    /// The IPv4 address that --serve listens on; on Linux, containers reach the address of their bridge, often 172.17.0.1
    #[arg(long, requires = "serve", value_name = "ADDRESS", default_value = "127.0.0.1", value_parser = ipv4_address)]
    pub host: Ipv4Addr,
    /// The file that --serve writes for `sam local invoke --env-vars`
    #[arg(long, requires = "serve", value_name = "FILE", default_value = "env.json")]
    pub env_vars: PathBuf,
    /// The folder into which --serve writes events for `sam local invoke`, for the first actor of DATA
    #[arg(long, requires = "serve", value_name = "DIR", default_value = "events")]
    pub events: PathBuf,
    /// Answer with a line of JSON; with --watch, with one for each report
    #[arg(long)]
    pub json: bool,
    /// Port of the embedded stack [default: any free one; 4566 with --serve]
    #[arg(long)]
    pub port: Option<u16>,
    /// Write the logs of the stack and the functions to this folder
    #[arg(long, value_name = "DIR")]
    pub logs: Option<PathBuf>,
    #[command(flatten)]
    pub providers: ProviderArguments,
    #[command(flatten)]
    pub target: TargetArguments,
    #[command(flatten)]
    pub cap: CapArguments,
}

#[derive(Debug, Args)]
pub struct Assess {
    /// Folder with images
    pub dir: PathBuf,
    /// Answer with JSON
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub frontal: FrontalArguments,
}

#[derive(Debug, Args)]
pub struct Grid {
    /// Folder with images
    pub dir: PathBuf,
    /// The picture to write; further pages get -2, -3 …
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
    /// Shuffle the images by this word, as an evaluation does by its plan's name
    #[arg(long, default_value = "grid")]
    pub seed: String,
    /// Answer with JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct Plan {
    /// The output of `balancer assess --json`; - for standard input
    #[arg(long, value_name = "FILE")]
    pub assessments: PathBuf,
    /// What the plan may do
    #[arg(long, value_enum, default_value_t)]
    pub scope: ScopeArgument,
    /// Answer with JSON
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub target: TargetArguments,
}

/// A running stack.
#[derive(Debug, Args)]
pub struct Connection {
    /// A stack deployed in AWS, by its name [default: the `balancer local` running on this machine]
    #[arg(long, value_name = "NAME")]
    pub stack: Option<String>,
    /// The folder of the intended `balancer local`, if several are running
    #[arg(long, value_name = "DIR", conflicts_with = "stack")]
    pub data: Option<PathBuf>,
}

/// The arguments of `env`.
#[derive(Debug, Args)]
pub struct Env {
    /// The folder of the intended `balancer local`, if several are running
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct Send {
    #[command(flatten)]
    pub connection: Connection,
    /// Print JSON
    #[arg(long, global = true)]
    pub json: bool,
    #[command(subcommand)]
    pub message: SendMessage,
}

#[derive(Debug, Subcommand)]
pub enum SendMessage {
    /// Evaluate an actor's set now
    Evaluation {
        /// Actor ID
        actor: ActorId,
        /// Wait for the proposed changes and print them; change nothing
        #[arg(long)]
        dry_run: bool,
        /// Don't wait for the result of a dry run; `balancer status ACTOR` shows it
        #[arg(long, requires = "dry_run")]
        no_wait: bool,
        /// How long to wait for the result of a dry run
        #[arg(long, requires = "dry_run", value_name = "SECONDS", default_value_t = 300)]
        timeout: u64,
        /// What the plan may do
        #[arg(long, value_enum, default_value_t)]
        scope: ScopeArgument,
        /// Replace a plan that is already running
        #[arg(long)]
        force: bool,
    },
    /// Delete images (they go to the trash)
    Deletion {
        /// Actor ID
        actor: ActorId,
        /// The images' file names, without a path
        #[arg(required = true, value_name = "FILE")]
        filenames: Vec<String>,
    },
    /// Generate extra images
    Generation {
        /// Actor ID
        actor: ActorId,
        /// Number of photorealistic images
        #[arg(long, default_value_t, value_name = "IMAGES")]
        photorealistic: u32,
        /// Number of black-and-white images
        #[arg(long, default_value_t, value_name = "IMAGES")]
        bw_stylized: u32,
        /// Number of colour images
        #[arg(long, default_value_t, value_name = "IMAGES")]
        color_stylized: u32,
    },
}

#[derive(Debug, Args)]
pub struct Status {
    /// Only these actors [default: all]
    pub actors: Vec<ActorId>,
    /// List the rejected messages instead
    #[arg(long, alias = "refused", conflicts_with = "actors")]
    pub rejected: bool,
    /// Also show the current plan, the last dry run and the last deletions with their reasons; always shown for named
    /// actors
    #[arg(long, conflicts_with = "rejected")]
    pub plan: bool,
    /// Answer with JSON
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub connection: Connection,
}

/// What a plan may do.
#[derive(Debug, Clone, Copy, Default, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum ScopeArgument {
    /// Delete and generate images
    #[default]
    All,
    /// Only delete
    DeleteOnly,
    /// Only generate images
    GenerateOnly,
}

impl From<ScopeArgument> for Scope {
    fn from(scope: ScopeArgument) -> Self {
        match scope {
            ScopeArgument::All => Self::All,
            ScopeArgument::DeleteOnly => Self::DeleteOnly,
            ScopeArgument::GenerateOnly => Self::GenerateOnly,
        }
    }
}

/// The emulator looks for itself by IPv4, so no other address will do.
fn ipv4_address(text: &str) -> Result<Ipv4Addr, String> {
    text.parse().map_err(|_| "the stack listens on an IPv4 address, such as 127.0.0.1 or 172.17.0.1".to_owned())
}
