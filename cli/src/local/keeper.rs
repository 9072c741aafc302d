//! Keeps the `manifest.json` of every actor up to date during a run, so that no kind of exit loses data, and reports
//! deletions as they happen.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::time::{Duration, Instant};

use aws::store::Store;
use domain::actor::ActorId;
use domain::manifest::Manifest;
use handlers::Clock;
use tokio::sync::Mutex;

use super::belongings::Belongings;
use super::circumstances::{Circumstances, Settings};
use super::data_folder::ActorFolder;
use super::leave::leave;
use super::manifest_file;
use super::upload::Destination;
use crate::outcome::remark;

/// The interval at which the table is polled.
const PAUSE: Duration = Duration::from_millis(400);

/// With many actors a poll takes longer. Polling uses at most one part in this many of the time.
const SHARE: u32 = 10;

/// Keeps the manifests of a run.
pub struct Keeper {
    store: Store,
    settings: Settings,
    kept: Mutex<BTreeMap<ActorId, Kept>>,
}

/// One actor's manifest.
struct Kept {
    folder: ActorFolder,
    circumstances: Circumstances,
    /// The state of the table when the manifest was last written.
    revision: Option<u64>,
    /// The deletions that were reported, or belong to earlier runs: file and plan.
    told: BTreeSet<(String, String)>,
    /// Whether the failure to write it was reported.
    has_complained: bool,
}

impl Keeper {
    /// A keeper without manifests.
    pub fn new(store: Store, settings: Settings) -> Self {
        Self { store, settings, kept: Mutex::default() }
    }

    /// The circumstances of an actor whose files the run has read.
    pub fn circumstances(&self, files: &Belongings) -> Circumstances {
        Circumstances::new(&self.settings, files, Clock::system())
    }

    /// Keeps an actor's manifest from now on. `earlier` is the manifest in the actor's folder.
    pub async fn add(&self, folder: &ActorFolder, earlier: Option<&Manifest>, circumstances: Circumstances) {
        let told = earlier.into_iter().flat_map(deletions).map(|(file, plan, _)| (file, plan)).collect();
        let kept = Kept { folder: folder.clone(), circumstances, revision: None, told, has_complained: false };
        self.kept.lock().await.insert(folder.actor.clone(), kept);
    }

    /// Changes the circumstances of an actor whose manifest is kept.
    pub async fn change(&self, actor: &ActorId, change: impl FnOnce(&mut Circumstances)) {
        if let Some(kept) = self.kept.lock().await.get_mut(actor) {
            change(&mut kept.circumstances);
        }
    }

    /// Brings every folder into agreement with the bucket. A failure with one folder does not affect the others.
    ///
    /// # Errors
    /// The first failure.
    pub async fn leave(&self, destination: &Destination) -> anyhow::Result<()> {
        // Reports the last deletions.
        let mut result = self.look().await;
        for kept in self.kept.lock().await.values_mut() {
            if let Err(problem) = leave(destination, &kept.folder, &mut kept.circumstances).await {
                remark(format!("{} is not as the bucket is: {problem:#}", kept.folder.dir.display()));
                result = result.and(Err(problem));
            }
        }
        result
    }

    /// Polls for ever. The next poll retries what has failed.
    pub async fn keep(&self) -> Infallible {
        loop {
            let began = Instant::now();
            // If the stack has failed, the run itself fails.
            drop(self.look().await);
            tokio::time::sleep(PAUSE.max(began.elapsed() * SHARE)).await;
        }
    }

    /// Writes the manifest of every actor that has changed, and reports its deletions.
    ///
    /// # Errors
    /// If the table can't be read.
    pub async fn look(&self) -> anyhow::Result<()> {
        let mut kept = self.kept.lock().await;
        let revisions = self.store.revisions().await?;
        for (actor, kept) in kept.iter_mut() {
            let revision = revisions.get(actor).copied();
            // If the folder is gone, the keeper must write nothing in its place.
            if revision.is_none() || kept.revision == revision || !kept.folder.dir.is_dir() {
                continue;
            }
            match manifest_file::save(&self.store, &kept.folder, &mut kept.circumstances).await {
                Ok(manifest) => {
                    manifest.iter().for_each(|manifest| kept.tell(manifest));
                    kept.revision = revision;
                    kept.has_complained = false;
                }
                Err(problem) => kept.complain(&problem),
            }
        }
        Ok(())
    }
}

impl Kept {
    fn tell(&mut self, manifest: &Manifest) {
        for (file, plan, reason) in deletions(manifest) {
            let begun = manifest.images.get(&file).and_then(|image| image.deleting.as_ref());
            if begun != Some(&plan) && self.told.insert((file.clone(), plan)) {
                remark(format!("{}: deleted {file}: {reason}", self.folder.actor));
            }
        }
    }

    fn complain(&mut self, problem: &anyhow::Error) {
        if !self.has_complained {
            remark(format!("{}: its manifest is not up to date: {problem:#}", self.folder.actor));
            self.has_complained = true;
        }
    }
}

/// Every deletion: file, plan and reason.
fn deletions(manifest: &Manifest) -> impl Iterator<Item = (String, String, &str)> {
    let entries = manifest.trash.iter().flat_map(|(file, entries)| entries.iter().map(move |trashed| (file, trashed)));
    entries.map(|(file, trashed)| (file.clone(), trashed.plan_id.clone(), trashed.reason.as_str()))
}
