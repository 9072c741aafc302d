//! The arguments of `balancer export`, and of exports by other commands.

use std::path::PathBuf;

use clap::Args;
use domain::actor::ActorId;

use super::Connection;
use crate::export::{ExportFormat, Request, Settings, resolution};

const EXPORT_EXAMPLES: &str = "\
Examples:
  balancer export hero --data images --format kohya -o hero-kohya
  balancer export --data images --format ai-toolkit -o sets.zip --resolution 768
  balancer export hero --stack balancer-prod --format replicate -o hero.zip

Nothing is overwritten: the output must be new or empty, unless --replace names
an untouched earlier export of one of the actors.";

/// How often an epoch shows each image, unless the user asks for another number.
const REPEATS: u32 = 10;

/// The resolution of SDXL and FLUX, in pixels.
const RESOLUTION: u32 = 1024;

#[derive(Debug, Args)]
#[command(after_help = EXPORT_EXAMPLES)]
pub struct ExportSets {
    /// Only these actors [default: all]
    #[arg(value_name = "ACTOR")]
    pub actors: Vec<ActorId>,
    /// Trainer or tool that reads the export
    #[arg(long, value_enum)]
    pub format: ExportFormat,
    /// New folder to write, or a file that ends in .zip
    #[arg(short, long, value_name = "DIR-OR-ZIP")]
    pub output: PathBuf,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub training: TrainingArguments,
    #[command(flatten)]
    pub connection: Connection,
}

/// How the exported sets are to be trained.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Export")]
pub struct TrainingArguments {
    /// Word that stands for the character [default: that of actor.json, or an invented one]
    #[arg(long, value_name = "WORD")]
    pub trigger: Option<String>,
    /// Word for what the character is, such as woman [default: that of actor.json, or by the actor's sex and type]
    #[arg(long, value_name = "WORD")]
    pub class: Option<String>,
    /// How often an epoch shows each image [default: 10]
    #[arg(long, value_name = "TIMES", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub repeats: Option<u32>,
    /// Side of the square, in pixels, that the images are trained at [default: 1024]
    #[arg(long, value_name = "PIXELS", value_parser = resolution::parse)]
    pub resolution: Option<u32>,
    /// Export nothing if a set is not balanced, or an image is small, unreadable or without a caption
    #[arg(long)]
    pub strict: bool,
    /// Replace an earlier export of one of the actors, if nothing was added to it or changed
    #[arg(long)]
    pub replace: bool,
}

impl TrainingArguments {
    pub fn request(self, format: ExportFormat, output: PathBuf) -> Request {
        let settings =
            Settings { repeats: self.repeats.unwrap_or(REPEATS), resolution: self.resolution.unwrap_or(RESOLUTION) };
        let Self { trigger, class, strict, replace, .. } = self;
        Request { format, output, trigger, class, settings, strict, replace }
    }

    /// Whether all are left out.
    pub fn are_absent(&self) -> bool {
        let Self { trigger, class, repeats, resolution, strict, replace } = self;
        trigger.is_none() && class.is_none() && repeats.is_none() && resolution.is_none() && !strict && !replace
    }
}
