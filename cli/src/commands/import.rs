//! `balancer import SOURCE…`

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use domain::actor::ActorId;
use local_stack::has_state;
use serde_json::json;

use crate::arguments::{Connection, Import};
use crate::connection::Connected;
use crate::import::{ActorReport, Gathered, Gathering, IntoFolder, IntoStack, Problem, totals};
use crate::local::data_folder::STATE_FOLDER;
use crate::local::{RunningStack, lock};
use crate::outcome::{Outcome, SCHEMA, WrongUsage, answer, remark};

/// Imports the sources into a data folder or a stack.
pub async fn run(arguments: Import) -> anyhow::Result<Outcome> {
    if arguments.bucket {
        let stack = stack_of(&arguments).await?;
        let into = IntoStack { stack: &stack, dry_run: arguments.dry_run };
        let (reports, problems) = into.import_bucket().await?;
        return conclude(&arguments, &reports, &problems);
    }
    // The destination is found before the sources are read, which may take long.
    let destination = Destination::of(&arguments).await?;
    let gathering = Gathering { actor: arguments.actor.as_ref(), images: arguments.images.as_deref() };
    let Gathered { actors, problems } = gathering.read(&arguments.sources)?;
    let mut reports = Vec::new();
    match destination {
        Destination::Stack(stack) => {
            let into = IntoStack { stack: &stack, dry_run: arguments.dry_run };
            for (actor, found) in &actors {
                reports.push(into.import(actor, found).await?);
            }
        }
        Destination::Folder { data, running } => {
            let names: Vec<&ActorId> = actors.keys().collect();
            let kept_elsewhere = kept_elsewhere(&data, running.as_deref(), &names).await?;
            let _lock = match running {
                // The run holds the lock, and notices new files.
                Some(_) => None,
                None if arguments.dry_run && !data.exists() => None,
                None => {
                    fs::create_dir_all(&data).with_context(|| format!("{} can't be created", data.display()))?;
                    Some(lock(&data)?)
                }
            };
            let into = IntoFolder { data: &data, dry_run: arguments.dry_run, kept_elsewhere: &kept_elsewhere };
            reports.extend(actors.iter().map(|(actor, found)| into.import(actor, found)));
        }
    }
    conclude(&arguments, &reports, &problems)
}

/// Where the import goes.
enum Destination {
    Stack(Box<Connected>),
    Folder {
        data: PathBuf,
        /// The stack that runs on the folder.
        running: Option<Box<RunningStack>>,
    },
}

impl Destination {
    async fn of(arguments: &Import) -> anyhow::Result<Self> {
        if let Some(data) = &arguments.data {
            let data = data.canonicalize().unwrap_or_else(|_| data.clone());
            let running = if data.exists() { RunningStack::on(&data)?.map(Box::new) } else { None };
            return Ok(Self::Folder { data, running });
        }
        if arguments.stack.is_some() {
            return Ok(Self::Stack(Box::new(stack_of(arguments).await?)));
        }
        let running = RunningStack::find(None, &[]).map_err(|problem| {
            WrongUsage(format!("name the data folder with --data DIR, or a stack with --stack NAME ({problem})"))
        })?;
        match running.kept_data() {
            Some(data) => Ok(Self::Folder { data, running: Some(Box::new(running)) }),
            None => Ok(Self::Stack(Box::new(Connected::on_this_machine(running)))),
        }
    }
}

async fn stack_of(arguments: &Import) -> anyhow::Result<Connected> {
    let connection = Connection { stack: arguments.stack.clone(), data: arguments.data.clone() };
    Connected::to(&connection, &[]).await
}

/// The actors whose records are not in the folder's manifests: those that the running stack knows, and those that may
/// be in the state of a killed run.
async fn kept_elsewhere(
    data: &Path,
    running: Option<&RunningStack>,
    actors: &[&ActorId],
) -> anyhow::Result<BTreeSet<ActorId>> {
    let mut kept = BTreeSet::new();
    if let Some(running) = running {
        let stack = Connected::on_this_machine(running.clone());
        for actor in actors {
            if stack.services.store.actor(actor).await?.is_some() {
                kept.insert((*actor).clone());
            }
        }
    } else if has_state(&data.join(STATE_FOLDER)) {
        let has_folder = |actor: &&&ActorId| data.join(actor.as_str()).is_dir();
        kept.extend(actors.iter().filter(has_folder).map(|actor| (*actor).clone()));
    }
    Ok(kept)
}

fn conclude(arguments: &Import, reports: &[ActorReport], problems: &[Problem]) -> anyhow::Result<Outcome> {
    if arguments.json {
        answer(json!({ "schema": SCHEMA, "dry_run": arguments.dry_run, "actors": reports, "problems": problems }));
    } else {
        reports.iter().for_each(|report| answer(report.in_words()));
        answer(totals(reports, arguments.dry_run));
    }
    reports.iter().flat_map(ActorReport::remarks).for_each(remark);
    problems.iter().for_each(|problem| remark(format!("left {}: {}", problem.source, problem.sentence)));
    if reports.iter().any(|report| !report.only_in_s3.is_empty()) && !arguments.bucket {
        remark(MISSING_IMAGES);
    }
    let refused = reports.iter().map(|report| report.refused.len()).sum::<usize>();
    match refused + problems.len() {
        0 => Ok(Outcome::Done),
        1 => bail!("1 file or source was not imported"),
        many => bail!("{many} files or sources were not imported"),
    }
}

/// A run removes the records of images that are not there.
const MISSING_IMAGES: &str = "Fetch the images that lie only in S3 before the next run, which forgets the records of \
    missing images (their numbers stay used): for each actor, `aws s3 sync` from the named folder to \
    ID/training_data. If that is too late, import the manifests again afterwards. `--json` lists every key.";
