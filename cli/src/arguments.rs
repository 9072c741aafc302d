//! The command line.

mod export;
mod help;
mod pages;
mod prompts;
mod stack;

use std::net::Ipv4Addr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use domain::actor::ActorId;
use domain::planner::Scope;

use crate::export::ExportFormat;
use crate::local::{ProviderArguments, Vision};
use crate::target::{CapArguments, SettingsArguments, TargetArguments};
pub use export::{ExportSets, TrainingArguments};
use help::{ENVIRONMENT, EXAMPLES, EXAMPLES_OF_LOCAL};
pub use pages::{Dashboard, Report};
pub use prompts::{Check, Export, List, Prompts, PromptsCommand};
pub use stack::{
    Approve, Caption, Connection, Drain, Env, Evaluate, OfActor, Pause, Pin, QueueArgument, Redrive, Restore, Send,
    SendMessage, Status,
};

/// Keep character-LoRA image sets balanced (by default 65 % photorealistic, 20 % black-and-white, 15 % colour)
#[derive(Debug, Parser)]
#[command(name = "balancer", version, after_help = EXAMPLES)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Try it: balance a sample actor (free, offline, half a minute)
    Demo(Demo),
    /// Balance a folder of actors on this machine
    Local(Box<Local>),
    /// Check this machine, a folder, a stack and the models
    Doctor(Doctor),
    /// Import manifests, captioned folders, or what lies in a bucket
    Import(Import),
    /// Assess every image in a folder: kind, quality, flags
    Assess(Assess),
    /// Draw the numbered grid of a folder
    Grid(Grid),
    /// Show what would be deleted and generated, from `assess --json`
    Plan(Plan),
    /// List, check or export prompts
    Prompts(Prompts),
    /// Ask a running stack to evaluate, delete or generate
    Send(Send),
    /// Evaluate the actors whose plans are stuck
    Evaluate(Evaluate),
    /// Show every actor's status and cost
    Status(Status),
    /// List the images of a set: kind, quality, flags, size, origin, pin
    Images(OfActor),
    /// List the deleted images that can be restored
    Trash(OfActor),
    /// List what was deleted and generated, plan by plan
    History(OfActor),
    /// Write a file that shows the sets, for a browser or a mail
    Report(Report),
    /// Show the sets in a browser
    Dashboard(Dashboard),
    /// Protect images from being deleted
    Pin(Pin),
    /// Remove that protection
    Unpin(Pin),
    /// Show the captions of an actor's images, or set one
    Caption(Caption),
    /// Export sets for a trainer: images, captions and its configuration
    Export(ExportSets),
    /// Approve a plan that is on hold because it deletes too much
    Approve(Approve),
    /// Restore deleted images from the trash
    Restore(Restore),
    /// Retry messages that failed five times
    Redrive(Redrive),
    /// Stop the functions of a stack; messages wait in their queues
    Pause(Pause),
    /// Start the functions of a paused stack again
    Resume(Pause),
    /// Wait until no message and no plan of a stack is left
    Drain(Drain),
    /// Print the variables with which AWS tools reach the stack on this machine
    Env(Env),
    /// Print the completions for a shell
    Completions(Completions),
}

#[derive(Debug, Args)]
#[command(after_help = help::EXAMPLES_OF_COMPLETIONS)]
pub struct Completions {
    /// The shell
    pub shell: clap_complete::Shell,
}

#[derive(Debug, Args)]
pub struct Demo {
    /// Folder for the sample actor; reused if it exists
    #[arg(long, default_value = "balancer-demo")]
    pub dir: PathBuf,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// Port of the local stack on 127.0.0.1 [default: any free one]
    #[arg(long)]
    pub port: Option<u16>,
    /// Your own prompts; `balancer prompts export` writes the built-in ones as a beginning
    #[arg(long, value_name = "FILE")]
    pub prompts: Option<PathBuf>,
    #[command(flatten)]
    pub cap: CapArguments,
}

#[derive(Debug, Args)]
#[command(after_help = format!("{EXAMPLES_OF_LOCAL}\n\n{ENVIRONMENT}"))]
pub struct Local {
    /// Folder with one subfolder for each actor: ID/training_data and ID/base_image
    #[arg(long, value_name = "DIR", required_unless_present_any = ["serve", "from"])]
    pub data: Option<PathBuf>,
    /// Begin with one picture: make an actor with this base image, unless it exists, and balance it. Its id is that of
    /// --actor, or the picture's name; --data is `images` unless given
    #[arg(long, value_name = "FILE", conflicts_with_all = ["serve", "dry_run"])]
    pub from: Option<PathBuf>,
    /// Balance only this actor (repeatable)
    #[arg(long = "actor", value_name = "ID")]
    pub actors: Vec<ActorId>,
    /// Keep running and rebalance when files change; stop with Ctrl-C
    #[arg(long, conflicts_with = "dry_run")]
    pub watch: bool,
    /// Show what would change, and what it would cost; change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Retry suspended sets even if nothing has changed
    #[arg(long)]
    pub retry: bool,
    /// Show the sets in a browser too, as `balancer dashboard` does
    #[arg(long, requires = "watch")]
    pub dashboard: bool,
    /// Write a file that shows the sets at the end of the run, as `balancer report` does
    #[arg(long, value_name = "FILE", conflicts_with = "dry_run")]
    pub report: Option<PathBuf>,
    /// Print JSON; with --watch, one line for each report
    #[arg(long)]
    pub json: bool,
    /// Your own prompts; an actor's `prompts.toml` beside its images comes before them
    #[arg(long, value_name = "FILE")]
    pub prompts: Option<PathBuf>,
    #[command(flatten)]
    pub providers: ProviderArguments,
    #[command(flatten)]
    pub settings: SettingsArguments,
    #[command(flatten)]
    pub cap: CapArguments,
    /// Export the balanced actors for this trainer at the end
    #[arg(long, help_heading = "Export", value_enum, value_name = "FORMAT", requires = "output", conflicts_with_all = ["watch", "dry_run", "serve"])]
    pub export: Option<ExportFormat>,
    /// New folder to export to, or a file that ends in .zip
    #[arg(short, long, help_heading = "Export", value_name = "DIR-OR-ZIP", requires = "export")]
    pub output: Option<PathBuf>,
    #[command(flatten)]
    pub training: TrainingArguments,
    /// Run only the local stack, for `sam local invoke`; DIR is copied into it and not changed
    #[arg(long, help_heading = "`sam` and debugging", conflicts_with_all = ["watch", "dry_run", "retry", "report", "json", "vision", "generator", "aspect_ratio", "megapixels"])]
    pub serve: bool,
    /// Address for --serve to listen on (Docker on Linux: 172.17.0.1)
    #[arg(long, help_heading = "`sam` and debugging", requires = "serve", value_name = "ADDRESS", default_value = "127.0.0.1", value_parser = ipv4_address)]
    pub host: Ipv4Addr,
    /// Where --serve writes the variables for `sam local invoke --env-vars`
    #[arg(
        long,
        help_heading = "`sam` and debugging",
        requires = "serve",
        value_name = "FILE",
        default_value = "env.json"
    )]
    pub env_vars: PathBuf,
    /// Where --serve writes sample events for the first actor
    #[arg(
        long,
        help_heading = "`sam` and debugging",
        requires = "serve",
        value_name = "DIR",
        default_value = "events"
    )]
    pub events: PathBuf,
    /// Port of the local stack [default: any free one; 4566 with --serve]
    #[arg(long, help_heading = "`sam` and debugging")]
    pub port: Option<u16>,
    /// Write logs to this folder
    #[arg(long, help_heading = "`sam` and debugging", value_name = "DIR")]
    pub logs: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(after_help = help::EXAMPLES_OF_IMPORT)]
pub struct Import {
    /// Manifests (.json) or a folder of them; folders such as `10_ohwx woman`, or the folder above them; a dataset file
    /// of kohya (.toml); a folder of images
    #[arg(value_name = "SOURCE", required_unless_present = "bucket")]
    pub sources: Vec<PathBuf>,
    /// The actor of the images [default: the words of the folder's name, as in ohwx_woman]
    #[arg(long, value_name = "ID")]
    pub actor: Option<ActorId>,
    /// Where the images of manifests are, besides the manifests' own folder
    #[arg(long, value_name = "DIR")]
    pub images: Option<PathBuf>,
    /// Request an evaluation of every actor that has images in the stack's bucket and no record
    #[arg(long, conflicts_with_all = ["sources", "actor", "images"])]
    pub bucket: bool,
    /// Show what would be imported; change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Print JSON, with the keys of images that lie only in S3
    #[arg(long)]
    pub json: bool,
    /// Data folder to import into [default: that of the stack that runs on this machine]
    #[arg(long, value_name = "DIR", conflicts_with = "stack")]
    pub data: Option<PathBuf>,
    /// Stack in AWS to import into
    #[arg(long, value_name = "NAME")]
    pub stack: Option<String>,
}

#[derive(Debug, Args)]
#[command(after_help = ENVIRONMENT)]
pub struct Doctor {
    /// Check this data folder too
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Check a stack in AWS, and the credentials for it
    #[arg(long, value_name = "NAME")]
    pub stack: Option<String>,
    #[command(flatten)]
    pub providers: ProviderArguments,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct Assess {
    /// Folder with images
    pub dir: PathBuf,
    /// Base image with which `--vision openai` compares the images
    #[arg(long, value_name = "FILE")]
    pub base: Option<PathBuf>,
    /// Model that assesses the images; `openai` costs money and needs OPENAI_API_KEY
    #[arg(long, value_enum, default_value_t)]
    pub vision: Vision,
    /// Assess with the embedded model too, and show both beside each other
    #[arg(long)]
    pub compare: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub settings: SettingsArguments,
}

#[derive(Debug, Args)]
pub struct Grid {
    /// Folder with images
    pub dir: PathBuf,
    /// Picture to write (.png, .jpg, .webp); further pages become FILE-2, FILE-3 …
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
    /// Shuffle the images with this seed
    #[arg(long, default_value = "grid")]
    pub seed: String,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct Plan {
    /// Output of `balancer assess --json`, or - for standard input
    #[arg(long, value_name = "FILE")]
    pub assessments: PathBuf,
    /// Limit the plan
    #[arg(long, value_enum, default_value_t)]
    pub scope: ScopeArgument,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub target: TargetArguments,
}

/// What a plan may do.
#[derive(Debug, Clone, Copy, Default, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum ScopeArgument {
    /// Delete and generate
    #[default]
    All,
    /// Only delete
    #[value(alias = "delete-only")]
    DeleteOnly,
    /// Only generate
    #[value(alias = "generate-only")]
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

/// The emulator checks its own address by IPv4.
fn ipv4_address(text: &str) -> Result<Ipv4Addr, String> {
    text.parse().map_err(|_| "the stack listens on an IPv4 address, such as 127.0.0.1 or 172.17.0.1".to_owned())
}
