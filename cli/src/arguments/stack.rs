//! The arguments of the commands for a running stack.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use domain::actor::ActorId;

use super::ScopeArgument;
use super::help::{EXAMPLES_OF_CAPTION, EXAMPLES_OF_PIN, EXAMPLES_OF_RESTORE, EXAMPLES_OF_SEND};

/// Selects a running stack.
#[derive(Debug, Args)]
#[command(next_help_heading = "Stack")]
pub struct Connection {
    /// Name of a stack in AWS [default: the one running on this machine]
    #[arg(long, global = true, value_name = "NAME")]
    pub stack: Option<String>,
    /// Folder of the intended `balancer local`, or of a finished one
    #[arg(long, global = true, value_name = "DIR", conflicts_with = "stack")]
    pub data: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct Env {
    /// Folder of the intended `balancer local`, if several are running
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES_OF_SEND)]
pub struct Send {
    /// Print JSON
    #[arg(long, global = true)]
    pub json: bool,
    #[command(subcommand)]
    pub message: SendMessage,
    #[command(flatten)]
    pub connection: Connection,
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
        /// Time to wait for the result of a dry run
        #[arg(long, requires = "dry_run", value_name = "SECONDS", default_value_t = 300)]
        timeout: u64,
        /// Limit the plan
        #[arg(long, value_enum, default_value_t)]
        scope: ScopeArgument,
        /// Supersede a plan that is already running
        #[arg(long)]
        force: bool,
    },
    /// Delete images (they go to the trash)
    Deletion {
        /// Actor ID
        actor: ActorId,
        /// File names, without a path
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
pub struct Evaluate {
    /// Evaluate every actor with a plan that makes no progress; this supersedes the plan
    #[arg(long, required = true)]
    pub stuck: bool,
    /// Time without any progress after which a plan counts as stuck
    #[arg(long, value_name = "MINUTES", default_value_t = 120)]
    pub after: u32,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub connection: Connection,
}

#[derive(Debug, Args)]
pub struct Status {
    /// Only these actors [default: all]
    pub actors: Vec<ActorId>,
    /// List rejected messages instead
    #[arg(long, alias = "refused", conflicts_with = "actors")]
    pub rejected: bool,
    /// Also show the current plan, the last dry run and the last deletions with their reasons; always shown for named
    /// actors
    #[arg(long, conflicts_with = "rejected")]
    pub plan: bool,
    /// Print JSON; amounts of money are in millionths of a dollar
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub connection: Connection,
}

/// An actor, for `images`, `trash` and `history`.
#[derive(Debug, Args)]
pub struct OfActor {
    /// Actor ID
    pub actor: ActorId,
    /// Print JSON; amounts of money are in millionths of a dollar
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub connection: Connection,
}

/// Files of an actor, for `pin` and `unpin`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES_OF_PIN)]
pub struct Pin {
    /// Actor ID
    pub actor: ActorId,
    /// File names; paths are fine too
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub connection: Connection,
}

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES_OF_CAPTION)]
pub struct Caption {
    /// Actor ID
    pub actor: ActorId,
    /// File name [default: all images]
    pub file: Option<String>,
    /// The caption that replaces the vision model's. A text file beside the image comes before it
    pub text: Option<String>,
    /// Remove your caption of FILE
    #[arg(long, requires = "file", conflicts_with = "text")]
    pub remove: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub connection: Connection,
}

#[derive(Debug, Args)]
pub struct Approve {
    /// Actor ID
    pub actor: ActorId,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub connection: Connection,
}

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES_OF_RESTORE)]
pub struct Restore {
    /// Actor ID
    pub actor: ActorId,
    /// File names [default: everything deleted last]
    #[arg(value_name = "FILE")]
    pub files: Vec<String>,
    /// Don't pin what is restored; the next evaluation may delete it again
    #[arg(long)]
    pub no_pin: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub connection: Connection,
}

#[derive(Debug, Args)]
pub struct Redrive {
    /// Queue to retry [default: all]
    #[arg(value_enum)]
    pub queue: Option<QueueArgument>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub connection: Connection,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum QueueArgument {
    /// Uploads and requests to evaluate
    Evaluation,
    /// Images to delete
    Deletion,
    /// Images to generate
    Generation,
}

/// The arguments of `pause` and `resume`. A local stack has no state to keep: `balancer local` stops with Ctrl-C, and
/// the next run continues.
#[derive(Debug, Args)]
pub struct Pause {
    /// Name of the stack in AWS
    #[arg(long, value_name = "NAME")]
    pub stack: String,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct Drain {
    /// Give up after this time [default: no limit]
    #[arg(long, value_name = "MINUTES")]
    pub timeout: Option<u64>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub connection: Connection,
}
