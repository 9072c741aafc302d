//! What can be typed to look after single images and plans.

use clap::{Args, ValueEnum};
use domain::actor::ActorId;

use super::Connection;

/// Files of an actor, for `pin` and `unpin`.
#[derive(Debug, Args)]
pub struct Pin {
    /// Whose images
    pub actor: ActorId,
    /// The images' file names, without a path
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<String>,
    /// Answer with JSON
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub connection: Connection,
}

#[derive(Debug, Args)]
pub struct Approve {
    /// Whose plan
    pub actor: ActorId,
    /// Answer with JSON
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub connection: Connection,
}

/// Without a running stack, --data names the folder of a finished `balancer local`.
#[derive(Debug, Args)]
pub struct Restore {
    /// Whose images
    pub actor: ActorId,
    /// The images' file names [default: everything that the latest plan or manual request deleted]
    #[arg(value_name = "FILE")]
    pub files: Vec<String>,
    /// Let the next evaluation delete them again: don't pin them
    #[arg(long)]
    pub no_pin: bool,
    /// Answer with JSON
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub connection: Connection,
}

#[derive(Debug, Args)]
pub struct Redrive {
    /// Whose messages [default: those of all three queues]
    #[arg(value_enum)]
    pub queue: Option<QueueArgument>,
    /// Answer with JSON
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub connection: Connection,
}

/// One of the three queues.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum QueueArgument {
    /// Uploads and requests to evaluate
    Evaluation,
    /// Images to delete
    Deletion,
    /// Images to generate
    Generation,
}
