//! One run of the local stack on a data folder.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use aws::stack::Services;
use domain::actor::ActorId;
use domain::messages::Mode;
use local_stack::{Account, EmulatorOptions, LocalStack, StackOptions};

use super::actors::{Actors, Uploaded};
use super::circumstances::Settings;
use super::data_folder::{self, ActorFolder};
use super::drain::drain;
use super::folder_watcher::FolderWatcher;
use super::functions;
use super::prompts;
use super::providers::{ProviderArguments, Providers};
use super::registry::{Registration, RunningStack};
use super::report::{Report, Undo};
use super::salvage::remove_partial_files;
use super::show::show;
pub(super) use super::signals::interruption;
use super::starting::Starting;
use super::state_folder::{Remains, StateFolder};
use super::wait;
use super::watch::watch;
use crate::answers::Actor;
use crate::dashboard;
use crate::outcome::{Conflict, Outcome, remark};
use crate::progress::Progress;
use crate::target::{CapArguments, SettingsArguments};

/// The same template that is deployed.
pub(super) const TEMPLATE: &str = include_str!("../../../template.yaml");

pub(super) const STACK_NAME: &str = "balancer";
pub(super) const KEY_PREFIX: &str = "system_actors";

/// Uploads to this machine are fast, so the functions need not wait long for the last one.
const QUIET_SECONDS: u32 = 2;

/// How long the work on an actor makes no progress before a sweep resumes it. A function that was killed before its first
/// heartbeat leaves its messages invisible for the whole visibility timeout.
const STALLED_AFTER_SECONDS: u32 = 30;

/// How often, and after which time each, a short edit tries again to lock a folder: 3 seconds in all.
const EDIT_ATTEMPTS: u32 = 30;
const EDIT_RETRY: Duration = Duration::from_millis(100);

pub struct Options {
    pub data: PathBuf,
    pub actors: Vec<ActorId>,
    pub watch: bool,
    /// Whether the run serves a dashboard.
    pub dashboard: bool,
    pub dry_run: bool,
    /// Whether the next run continues this one if it is killed.
    pub resumable: bool,
    /// Whether to retry sets that an earlier run has suspended, even if nothing has changed.
    pub retry: bool,
    /// Whether each report of a watch is a line of JSON.
    pub json: bool,
    pub port: Option<u16>,
    pub logs: Option<PathBuf>,
    /// The stack's own prompts.
    pub prompts: Option<PathBuf>,
    pub providers: ProviderArguments,
    pub settings: SettingsArguments,
    pub cap: CapArguments,
}

/// How a run ended.
pub enum Ending {
    /// Every actor is settled.
    Settled(Report),
    /// A dry run.
    Proposed(Vec<Actor>),
    /// Stopped by Ctrl-C or a signal; the folder agrees with the bucket.
    Interrupted,
}

/// A stack and the actors it works on.
struct Session {
    stack: LocalStack,
    actors: Actors,
}

/// Starts the stack, uploads the folder, waits until every actor is settled, and brings the folder into agreement with
/// the bucket. No process outlives the run.
pub async fn run(options: Options) -> anyhow::Result<Ending> {
    let providers = options.providers.read(options.dry_run)?;
    let data = options
        .data
        .canonicalize()
        .with_context(|| format!("the data folder {} can't be read", options.data.display()))?;
    let folders = data_folder::actors(&data, &options.actors)?;
    if options.dry_run {
        options.providers.check_dry_run(&folders)?;
        options.providers.check_format_for_free().await?;
    } else {
        options.providers.check_model().await?;
    }
    let prompts = prompts::checked(options.prompts.as_deref(), &options.settings.settings())?;
    let dashboard =
        if options.dashboard { Some(dashboard::Listener::bind(dashboard::Options::default()).await?) } else { None };
    let _lock = lock(&data)?;
    let starting = if options.dry_run { None } else { Starting::announce(&data) };
    if !options.dry_run {
        folders.iter().for_each(remove_partial_files);
    }
    // A dry run writes nothing.
    let state = if options.resumable && !options.dry_run { StateFolder::open(&data) } else { None };
    let mut session = tokio::select! {
        session = Session::start(&options, &data, providers, prompts, state.as_ref()) => session?,
        () = interruption() => return Ok(Ending::Interrupted),
    };
    let registration = session.register(&options, &data);
    drop(starting);
    let keeper = Arc::clone(&session.actors.keeper);
    let keeping = async { if options.dry_run { std::future::pending().await } else { keeper.run().await } };
    let showing = show(dashboard, RunningStack::of(&session.stack, Some(data.clone()), true));
    let worked = tokio::select! {
        worked = session.work(&options, &data, &folders) => worked,
        never = showing => match never {},
        never = keeping => match never {},
        () = interruption() => Ok(Ending::Interrupted),
    };
    let is_interrupted = matches!(worked, Ok(Ending::Interrupted));
    if is_interrupted && !options.dry_run {
        session.finish_work().await;
    }
    let left = if options.dry_run { Ok(()) } else { session.actors.keeper.sync_back(&session.actors.services).await };
    drop(registration);
    // The folder may lack something that only the state has.
    let has_left = |state: &StateFolder| session.actors.left().any(|actor| is_interrupted || state.has_folder(actor));
    let is_incomplete = left.is_err() || worked.is_err() || state.as_ref().is_some_and(has_left);
    let remains = match &state {
        Some(state) if !is_incomplete => state.remains(&session.actors.services.store, &session.actors.ids()).await,
        _ => Ok(Remains::Everything),
    };
    session.stack.stop().await?;
    if let Some(state) = state {
        state.close(&remains.unwrap_or(Remains::Everything));
    }
    left?;
    worked
}

impl Session {
    async fn start(
        options: &Options,
        data: &Path,
        providers: Providers,
        prompts: Option<Vec<u8>>,
        state: Option<&StateFolder>,
    ) -> anyhow::Result<Self> {
        let binaries = functions::binaries().await?;
        let parameters = parameters(options, data, providers.parameters);
        let settings = Settings::of(&parameters, prompts.as_deref(), options.settings.settings());
        let stack = LocalStack::start(
            EmulatorOptions {
                port: options.port,
                log_dir: options.logs.clone(),
                state_dir: state.map(|state| state.path().to_owned()),
                ..EmulatorOptions::default()
            },
            StackOptions {
                template: TEMPLATE.to_owned(),
                binaries,
                parameters,
                key_files: providers.key_files,
                account: Account::default(),
                name: STACK_NAME.to_owned(),
            },
        )
        .await?;
        let services = stack.outputs().stack.services(stack.sdk_config());
        let left = match state {
            Some(state) => state.take_over(&services.store).await?,
            None => BTreeSet::new(),
        };
        prompts::put(&services, prompts).await?;
        Ok(Self { actors: Actors::new(services, settings, options.retry, left), stack })
    }

    async fn work(&mut self, options: &Options, data: &Path, folders: &[ActorFolder]) -> anyhow::Result<Ending> {
        // The watcher starts before the upload, so that it misses no change.
        let watcher = options.watch.then(|| FolderWatcher::on(data, &options.actors)).transpose()?;
        let without_upload_event = self.upload(folders).await?;
        if options.dry_run {
            return self.dry_run(options, folders).await;
        }
        for (actor, is_suspended) in &without_upload_event {
            self.actors.request_first_evaluation(actor, *is_suspended).await?;
        }
        let all: Vec<ActorId> = folders.iter().map(|folder| folder.actor.clone()).collect();
        let report = self.actors.wait_and_report(&all).await?;
        let Some(watcher) = watcher else { return Ok(Ending::Settled(report)) };
        report.print(options.json, Undo::InStack)?;
        remark(format!("watching {}; the stack answers at {}; Ctrl-C ends it", data.display(), self.stack.endpoint()));
        match watch(&mut self.actors, watcher, options.json).await? {}
    }

    /// Uploads every actor. Returns the actors whose uploads trigger no evaluation, because they have no images or only
    /// generated ones, and whether they are suspended. The run must request their evaluation.
    async fn upload(&mut self, folders: &[ActorFolder]) -> anyhow::Result<Vec<(ActorId, bool)>> {
        let progress = Progress::start("uploading actors", folders.len() as u64);
        let mut without_upload_event = Vec::new();
        for folder in folders {
            if let Uploaded::Complete { needs_request: true, is_suspended, .. } = self.actors.add(folder).await? {
                without_upload_event.push((folder.actor.clone(), is_suspended));
            }
            progress.step();
        }
        progress.finish();
        Ok(without_upload_event)
    }

    async fn dry_run(&self, options: &Options, folders: &[ActorFolder]) -> anyhow::Result<Ending> {
        let terms = options.providers.terms(options.cap.max_deleted_percent)?;
        let actors = self.actors.ids();
        for actor in &actors {
            self.actors.request_evaluation(actor, Mode::DryRun).await?;
        }
        let (settings, Services { store, queues, .. }) = (options.settings.settings(), &self.actors.services);
        let mut proposals = wait::dry_runs(store, queues, &actors, &settings, &terms).await?;
        let skipped = self.actors.skipped.iter();
        proposals.extend(skipped.map(|(actor, reason)| Actor::skipped(actor, reason)));
        proposals.sort_by(|one, other| one.actor_id.cmp(&other.actor_id));
        for proposal in &mut proposals {
            if let Some(folder) = folders.iter().find(|folder| folder.actor == proposal.actor_id) {
                name_place_of_base_image(proposal, folder);
            }
        }
        Ok(Ending::Proposed(proposals))
    }

    /// Waits until the work in progress has ended, or the user presses Ctrl-C again. A failure here has the same effect
    /// as a kill: the folder keeps the present state.
    async fn finish_work(&self) {
        let actors = self.actors.ids();
        tokio::select! {
            drained = drain(&self.actors.services, &actors) => drop(drained),
            never = self.actors.keeper.run() => match never {},
            // Another SIGTERM or SIGHUP does not count: a terminal that closes sends two, and a system that shuts down
            // several.
            _ = tokio::signal::ctrl_c() => {}
        }
    }

    /// Registers the stack, so that `balancer status` and the similar commands find it from the first round on. A
    /// failure does not stop the run. A dry run is not registered, because it would lose a pin, for example.
    fn register(&self, options: &Options, data: &Path) -> Option<Registration> {
        if options.dry_run {
            return None;
        }
        let registration = RunningStack::of(&self.stack, Some(data.to_owned()), true).register();
        registration
            .inspect_err(|problem| remark(format!("`balancer status` will not find this stack: {problem:#}")))
            .ok()
    }
}

/// Reports where to put a missing base image: the functions of a dry run don't know the folder.
fn name_place_of_base_image(actor: &mut Actor, folder: &ActorFolder) {
    let obstacle = actor.dry_run.as_mut().and_then(|plan| plan.obstacle.as_mut());
    let is_missing = folder.base_image().is_ok_and(|image| image.is_none());
    if let (Some(obstacle), true) = (obstacle, is_missing) {
        *obstacle = format!(
            "There is no base image of {}: put one into {}. Until then nothing is deleted and nothing generated.",
            folder.actor,
            folder.base_images().display()
        );
    }
}

fn parameters(options: &Options, data: &Path, providers: Vec<(&'static str, String)>) -> BTreeMap<String, String> {
    // A dry run writes nothing to the folder, and its uploads must not trigger evaluations.
    let (local_data_dir, automatic) =
        if options.dry_run { (String::new(), "DISABLED") } else { (data.display().to_string(), "ENABLED") };
    let own = [
        ("Architecture", "x86_64".to_owned()),
        ("KeyPrefix", KEY_PREFIX.to_owned()),
        ("AutomaticBalancing", automatic.to_owned()),
        ("QuietSeconds", QUIET_SECONDS.to_string()),
        ("StalledAfterSeconds", STALLED_AFTER_SECONDS.to_string()),
        ("MaxDeletedPercent", options.cap.max_deleted_percent.to_string()),
        ("LocalDataDir", local_data_dir),
    ];
    let of_target = options.settings.of_stack().map(|(parameter, _, value)| (parameter, value));
    own.into_iter().chain(of_target).chain(providers).map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Locks the folder until the result is dropped: two stacks would overwrite each other's files.
pub fn lock(data: &Path) -> anyhow::Result<File> {
    let folder = File::open(data).with_context(|| format!("the data folder {} can't be read", data.display()))?;
    match folder.try_lock() {
        Ok(()) => Ok(folder),
        Err(TryLockError::WouldBlock) => {
            let sentence =
                format!("another `balancer local` or command uses {}; wait for it, or stop it", data.display());
            bail!(Conflict(sentence))
        }
        Err(TryLockError::Error(error)) => {
            Err(error).with_context(|| format!("the data folder {} can't be locked", data.display()))
        }
    }
}

/// The same for a short edit, which waits a little for another one.
pub fn lock_for_edit(data: &Path) -> anyhow::Result<File> {
    for _ in 0..EDIT_ATTEMPTS {
        if let Ok(locked) = lock(data) {
            return Ok(locked);
        }
        std::thread::sleep(EDIT_RETRY);
    }
    lock(data)
}

impl From<&Ending> for Outcome {
    fn from(ending: &Ending) -> Self {
        match ending {
            Ending::Settled(report) => report.outcome(),
            Ending::Proposed(proposals) => {
                let is_stuck = proposals.iter().any(|actor| actor.outcome_of_dry_run() == Self::NeedsAttention);
                if is_stuck { Self::NeedsAttention } else { Self::Done }
            }
            Ending::Interrupted => Self::Interrupted,
        }
    }
}
