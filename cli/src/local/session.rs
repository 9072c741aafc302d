//! One run of the embedded stack over a data folder.

use std::collections::BTreeMap;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use balancer::adapters::bucket::Bucket;
use balancer::adapters::queues::{Queue, Queues};
use balancer::adapters::store::Store;
use balancer::config::QueueUrls;
use balancer::domain::actor::ActorId;
use balancer::functions::s3_client;
use balancer::keys::Keys;
use balancer::messages::{Cause, EvaluationCommand, Mode};
use local_stack::{Account, Binaries, EmulatorOptions, LocalStack, StackOptions};
use std::time::Duration;

use super::data_folder::{self, ActorFolder};
use super::proposal::ActorProposal;
use super::providers::ProviderArguments;
use super::report::Report;
use super::running::RunningStack;
use super::upload::Destination;
use super::{leave, settle, watch};
use crate::outcome::{Outcome, remark};
use crate::progress::{Progress, Waiting};
use crate::target::{CapArguments, TargetArguments};

/// The same template that is deployed.
pub(super) const TEMPLATE: &str = include_str!("../../../template.yaml");

pub(super) const STACK_NAME: &str = "balancer";
pub(super) const KEY_PREFIX: &str = "system_actors";

/// Uploads to this machine are done in a moment, so the functions need not wait long for the last one.
const QUIET_SECONDS: u32 = 2;

/// What to do with which folder.
pub struct Options {
    pub data: PathBuf,
    pub actors: Vec<ActorId>,
    pub watch: bool,
    pub dry_run: bool,
    pub port: Option<u16>,
    pub logs: Option<PathBuf>,
    pub providers: ProviderArguments,
    pub target: TargetArguments,
    pub cap: CapArguments,
}

/// How a run ended.
pub enum Ending {
    /// Every actor is settled.
    Settled(Report),
    /// Only asked what would be done.
    Proposed(Vec<ActorProposal>),
    /// Stopped by Ctrl-C or a signal; the folder is as the bucket was.
    Interrupted,
}

/// A stack with the clients to talk to it.
struct Session {
    stack: LocalStack,
    destination: Destination,
    queues: Queues,
    folders: Vec<ActorFolder>,
}

/// Starts the stack, uploads the folder, waits until every actor is settled and leaves the folder as the bucket is.
/// Nothing that was started outlives this, however it ends.
///
/// # Errors
/// If the folder can't be used or the stack fails.
pub async fn run(options: Options) -> anyhow::Result<Ending> {
    let data = options
        .data
        .canonicalize()
        .with_context(|| format!("the data folder {} can't be read", options.data.display()))?;
    let folders = data_folder::actors(&data, &options.actors)?;
    let _lock = lock(&data)?;
    let session = tokio::select! {
        session = Session::start(&options, data, folders) => session?,
        () = interruption() => return Ok(Ending::Interrupted),
    };
    let worked = tokio::select! {
        worked = session.work(&options) => worked,
        () = interruption() => Ok(Ending::Interrupted),
    };
    let left = if options.dry_run { Ok(()) } else { session.leave_folders().await };
    session.stack.stop().await?;
    left?;
    worked
}

impl Session {
    async fn start(options: &Options, data: PathBuf, folders: Vec<ActorFolder>) -> anyhow::Result<Self> {
        let waiting = Waiting::start("building the functions, if they have changed");
        let binaries = Binaries::locate().await?;
        waiting.finish();
        let stack = LocalStack::start(
            EmulatorOptions { port: options.port, log_dir: options.logs.clone(), ..EmulatorOptions::default() },
            StackOptions {
                template: TEMPLATE.to_owned(),
                binaries,
                parameters: parameters(options, data)?,
                account: Account::default(),
                name: STACK_NAME.to_owned(),
            },
        )
        .await?;
        let sdk = stack.sdk_config();
        let outputs = stack.outputs();
        let urls = QueueUrls {
            evaluation: outputs.evaluation_queue_url.clone(),
            deletion: outputs.deletion_queue_url.clone(),
            generation: outputs.generation_queue_url.clone(),
        };
        let destination = Destination {
            bucket: Bucket::new(s3_client(sdk), &outputs.bucket),
            store: Store::new(aws_sdk_dynamodb::Client::new(sdk), &outputs.table),
            keys: Keys::new(KEY_PREFIX),
        };
        let queues = Queues::new(aws_sdk_sqs::Client::new(sdk), urls);
        Ok(Self { destination, queues, folders, stack })
    }

    async fn work(&self, options: &Options) -> anyhow::Result<Ending> {
        let without_images = self.upload().await?;
        if options.dry_run {
            return self.dry_run().await;
        }
        for actor in without_images {
            self.ask(actor, Mode::Execute).await?;
        }
        let actors = self.actors();
        settle::settle(&self.destination.store, &self.queues, &actors).await?;
        if options.watch {
            let _announced = self.announcement(&options.data)?;
            watch::watch(&self.destination, &self.queues, &self.folders).await?;
        }
        Ok(Ending::Settled(Report::of(&self.destination.store, &actors).await?))
    }

    /// Uploads every actor. Returns those without any image: nothing of theirs lands that could be noticed, so somebody
    /// must ask about them.
    async fn upload(&self) -> anyhow::Result<Vec<ActorId>> {
        let progress = Progress::start("uploading actors", self.folders.len() as u64);
        let mut without_images = Vec::new();
        for folder in &self.folders {
            if self.destination.upload(folder).await? == 0 {
                remark(format!(
                    "{} holds no images; put png, jpg, jpeg or webp files there, unless all are to be made from the base image",
                    folder.training_data().display()
                ));
                without_images.push(folder.actor.clone());
            }
            progress.step();
        }
        progress.finish();
        Ok(without_images)
    }

    async fn ask(&self, actor: ActorId, mode: Mode) -> anyhow::Result<()> {
        let mut command = EvaluationCommand::because(actor, Cause::ByHand);
        command.mode = mode;
        Ok(self.queues.send(Queue::Evaluation, &command, Duration::ZERO).await?)
    }

    async fn dry_run(&self) -> anyhow::Result<Ending> {
        let actors = self.actors();
        for actor in &actors {
            self.ask(actor.clone(), Mode::DryRun).await?;
        }
        Ok(Ending::Proposed(settle::dry_runs(&self.destination.store, &self.queues, &actors).await?))
    }

    fn announcement(&self, data: &Path) -> anyhow::Result<super::running::Announced> {
        let announced = RunningStack::of(&self.stack, Some(data.canonicalize()?)).announce()?;
        remark(format!("watching {}; the stack answers at {}; Ctrl-C ends it", data.display(), self.stack.endpoint()));
        Ok(announced)
    }

    async fn leave_folders(&self) -> anyhow::Result<()> {
        for folder in &self.folders {
            leave::leave(&self.destination, folder).await?;
        }
        Ok(())
    }

    fn actors(&self) -> Vec<ActorId> {
        self.folders.iter().map(|folder| folder.actor.clone()).collect()
    }
}

fn parameters(options: &Options, data: PathBuf) -> anyhow::Result<BTreeMap<String, String>> {
    // A dry run writes nothing beside the bucket, and its uploads must not set anything going.
    let (local_data_dir, automatic) =
        if options.dry_run { (String::new(), "DISABLED") } else { (data.display().to_string(), "ENABLED") };
    let own = [
        ("Architecture", "x86_64".to_owned()),
        ("KeyPrefix", KEY_PREFIX.to_owned()),
        ("AutomaticBalancing", automatic.to_owned()),
        ("QuietSeconds", QUIET_SECONDS.to_string()),
        ("TargetTotal", options.target.target_total.to_string()),
        ("TargetShares", options.target.target_shares.to_string()),
        ("MaxDeletedPercent", options.cap.max_deleted_percent.to_string()),
        ("QualityFloor", options.target.quality_floor.to_string()),
        ("LocalDataDir", local_data_dir),
    ];
    let all = own.into_iter().chain(options.providers.parameters()?);
    Ok(all.map(|(name, value)| (name.to_owned(), value)).collect())
}

/// Keeps others off the folder until the result is dropped: two stacks would write over one another's files.
pub fn lock(data: &Path) -> anyhow::Result<File> {
    let folder = File::open(data).with_context(|| format!("the data folder {} can't be read", data.display()))?;
    match folder.try_lock() {
        Ok(()) => Ok(folder),
        Err(TryLockError::WouldBlock) => {
            bail!("another `balancer local` is at work on {}; wait for it, or stop it", data.display())
        }
        Err(TryLockError::Error(error)) => {
            Err(error).with_context(|| format!("the data folder {} can't be locked", data.display()))
        }
    }
}

/// Ends when somebody presses Ctrl-C or sends SIGTERM.
pub(super) async fn interruption() {
    let terminated = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => drop(signal.recv().await),
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminated => {}
    }
}

impl From<&Ending> for Outcome {
    fn from(ending: &Ending) -> Self {
        match ending {
            Ending::Settled(report) => report.outcome(),
            Ending::Proposed(proposals) if proposals.iter().any(|actor| actor.proposal.is_none()) => {
                Self::NeedsAttention
            }
            Ending::Proposed(_) => Self::Done,
            Ending::Interrupted => Self::Interrupted,
        }
    }
}
