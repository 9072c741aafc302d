//! Numbers that differ if an actor has changed, read more cheaply than the actor.

use std::collections::BTreeMap;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use aws::store::actors::ActorRecord;
use domain::actor::ActorId;
use serde::Serialize;

use super::shelf::Scope;
use crate::connection::Connected;
use crate::local::data_folder::{ActorFolder, Survey};
use crate::sets::Sets;

/// The stamp of each actor of the scope that exists.
pub async fn stamps(sets: &Sets, scope: &Scope) -> anyhow::Result<BTreeMap<ActorId, u64>> {
    match sets {
        Sets::InFolder(folder) => {
            let data = folder.data.clone();
            tokio::task::spawn_blocking(move || of_folder(&data)).await?
        }
        Sets::InStack(stack) if stack.stack.endpoint.is_some() => Ok(stack.services.store.revisions().await?),
        Sets::InStack(stack) => of_records(stack, scope).await,
    }
}

fn of_folder(data: &Path) -> anyhow::Result<BTreeMap<ActorId, u64>> {
    Ok(Survey::of(data)?.folders.into_iter().map(|folder| (folder.actor.clone(), of_files(&folder))).collect())
}

/// Of the names, sizes and modification times of an actor's files.
fn of_files(folder: &ActorFolder) -> u64 {
    let mut hasher = DefaultHasher::new();
    for dir in [folder.dir.clone(), folder.training_data(), folder.dir.join("base_image"), folder.trash()] {
        files_of(&dir).hash(&mut hasher);
    }
    hasher.finish()
}

type FileVersion = (PathBuf, u64, Option<SystemTime>);

/// A file that vanishes meanwhile counts as absent.
fn files_of(dir: &Path) -> Vec<FileVersion> {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    let version = |path: PathBuf| fs::metadata(&path).ok().map(|it| (path, it.len(), it.modified().ok()));
    let mut files: Vec<FileVersion> = entries.filter_map(|entry| version(entry.path())).collect();
    files.sort();
    files
}

/// Of an actor's record and its active plan, which counts the progress of the work. A change that only concerns an
/// image, such as a pin by another program, shows when the page is opened again.
async fn of_records(stack: &Connected, scope: &Scope) -> anyhow::Result<BTreeMap<ActorId, u64>> {
    let store = &stack.services.store;
    let mut records: BTreeMap<ActorId, ActorRecord> = BTreeMap::new();
    match scope {
        Scope::All => records = store.actors().await?,
        Scope::Only(actors) => {
            for actor in actors {
                records.extend(store.actor(actor).await?.map(|record| (actor.clone(), record)));
            }
        }
    }
    let mut stamps = BTreeMap::new();
    for (actor, record) in records {
        let plan = match &record.active_plan {
            Some(plan_id) => store.plan(&actor, plan_id).await?,
            None => None,
        };
        stamps.insert(actor, of_value(&(record, plan))?);
    }
    Ok(stamps)
}

fn of_value(value: &impl Serialize) -> anyhow::Result<u64> {
    let mut hasher = DefaultHasher::new();
    serde_json::to_vec(value)?.hash(&mut hasher);
    Ok(hasher.finish())
}
