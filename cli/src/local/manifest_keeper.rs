//! Keeps the `manifest.json` of every actor up to date during a run, so that no kind of exit loses data, and reports
//! deletions as they happen.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::time::{Duration, Instant};

use aws::stack::Services;
use aws::store::Store;
use domain::actor::ActorId;
use domain::manifest::Manifest;
use handlers::Clock;
use tokio::sync::Mutex;

use super::actor_files::ActorFiles;
use super::circumstances::{Circumstances, Settings};
use super::data_folder::ActorFolder;
use super::manifest_file;
use super::sync_back::sync_back;
use crate::outcome::remark;

/// The interval at which the table is polled.
const POLL: Duration = Duration::from_millis(400);

/// The inverse of the largest share of time that polling may take. With many actors a poll takes longer.
const POLLING_SHARE: u32 = 10;

pub struct ManifestKeeper {
    store: Store,
    settings: Settings,
    kept: Mutex<BTreeMap<ActorId, KeptManifest>>,
}

/// One actor's manifest.
struct KeptManifest {
    folder: ActorFolder,
    circumstances: Circumstances,
    /// The state of the table when the manifest was last written.
    revision: Option<u64>,
    /// The deletions that were reported, or belong to earlier runs: file and plan.
    reported: BTreeSet<(String, String)>,
    /// Whether the failure to write it was reported.
    failure_reported: bool,
}

impl ManifestKeeper {
    pub fn new(store: Store, settings: Settings) -> Self {
        Self { store, settings, kept: Mutex::default() }
    }

    /// The circumstances of an actor whose files the run has read.
    pub fn circumstances(&self, files: &ActorFiles) -> Circumstances {
        Circumstances::new(&self.settings, files, Clock::system())
    }

    /// Keeps an actor's manifest from now on. `earlier` is the manifest in the actor's folder.
    pub async fn add(&self, folder: &ActorFolder, earlier: Option<&Manifest>, circumstances: Circumstances) {
        let reported = earlier.into_iter().flat_map(deletions).map(|(file, plan, _)| (file, plan)).collect();
        let kept =
            KeptManifest { folder: folder.clone(), circumstances, revision: None, reported, failure_reported: false };
        self.kept.lock().await.insert(folder.actor.clone(), kept);
    }

    /// Changes the circumstances of an actor whose manifest is kept.
    pub async fn change_circumstances(&self, actor: &ActorId, change: impl FnOnce(&mut Circumstances)) {
        if let Some(kept) = self.kept.lock().await.get_mut(actor) {
            change(&mut kept.circumstances);
        }
    }

    /// Brings every folder into agreement with the bucket. A failure with one folder does not affect the others; the
    /// first failure is returned.
    pub async fn sync_back(&self, services: &Services) -> anyhow::Result<()> {
        // Reports the last deletions.
        let mut result = self.update().await;
        for kept in self.kept.lock().await.values_mut() {
            if let Err(problem) = sync_back(services, &kept.folder, &mut kept.circumstances).await {
                remark(format!("{} differs from the bucket: {problem:#}", kept.folder.dir.display()));
                result = result.and(Err(problem));
            }
        }
        result
    }

    /// Updates the manifests for ever. Each poll retries what has failed before.
    pub async fn run(&self) -> Infallible {
        loop {
            let began = Instant::now();
            // If the stack has failed, the run itself fails.
            drop(self.update().await);
            tokio::time::sleep(POLL.max(began.elapsed() * POLLING_SHARE)).await;
        }
    }

    /// Writes the manifest of every actor that has changed, and reports its deletions.
    pub async fn update(&self) -> anyhow::Result<()> {
        let mut kept = self.kept.lock().await;
        let revisions = self.store.revisions().await?;
        for (actor, kept) in kept.iter_mut() {
            let revision = revisions.get(actor).copied();
            // If the folder is gone, the keeper must write nothing in its place.
            if revision.is_none() || kept.revision == revision || !kept.folder.dir.is_dir() {
                continue;
            }
            kept.report_notices(&self.store).await;
            match manifest_file::save(&self.store, &kept.folder, &mut kept.circumstances).await {
                Ok(manifest) => {
                    manifest.iter().for_each(|manifest| kept.report_deletions(manifest));
                    kept.revision = revision;
                    kept.failure_reported = false;
                }
                Err(problem) => kept.report_failure(&problem),
            }
        }
        Ok(())
    }
}

impl KeptManifest {
    fn report_deletions(&mut self, manifest: &Manifest) {
        for (file, plan, reason) in deletions(manifest) {
            let begun = manifest.images.get(&file).and_then(|image| image.deleting.as_ref());
            if begun != Some(&plan) && self.reported.insert((file.clone(), plan)) {
                remark(format!("{}: deleted {file}: {reason}", self.folder.actor));
            }
        }
    }

    /// Prints what commands and pages have done.
    async fn report_notices(&self, store: &Store) {
        // A failure here recurs with the manifest, which reports it.
        for notice in store.take_notices(&self.folder.actor).await.unwrap_or_default() {
            remark(format!("{}: {}", self.folder.actor, notice.text));
        }
    }

    fn report_failure(&mut self, problem: &anyhow::Error) {
        if !self.failure_reported {
            remark(format!("{}: its manifest is not up to date: {problem:#}", self.folder.actor));
            self.failure_reported = true;
        }
    }
}

/// Every deletion: file, plan and reason.
fn deletions(manifest: &Manifest) -> impl Iterator<Item = (String, String, &str)> {
    let entries = manifest.trash.iter().flat_map(|(file, entries)| entries.iter().map(move |trashed| (file, trashed)));
    entries.map(|(file, trashed)| (file.clone(), trashed.plan_id.clone(), trashed.reason.as_str()))
}
