//! Keeps `manifest.json` of every actor up to date while a run lasts, so that whatever ends it loses nothing, and says what
//! is deleted as it happens.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::time::{Duration, Instant};

use balancer::adapters::store::Store;
use balancer::domain::actor::ActorId;
use balancer::domain::manifest::Manifest;
use tokio::sync::Mutex;

use super::circumstances::Circumstances;
use super::data_folder::ActorFolder;
use super::manifest_file;
use crate::outcome::remark;

/// How often the table is looked at.
const PAUSE: Duration = Duration::from_millis(400);

/// With many actors a look takes longer. At most one part in so many of the time is spent on looking.
const SHARE: u32 = 10;

/// Keeps the manifests of a run.
pub struct Keeper {
    store: Store,
    circumstances: Circumstances,
    kept: Mutex<BTreeMap<ActorId, Kept>>,
}

/// One actor's manifest.
struct Kept {
    folder: ActorFolder,
    /// What the table knew when it was last written.
    revision: Option<u64>,
    /// The deletions that have been told, or are of earlier runs: file and plan.
    told: BTreeSet<(String, String)>,
    /// Whether it has been said that it can't be written.
    has_complained: bool,
}

impl Keeper {
    /// Keeps nothing yet.
    pub fn new(store: Store, circumstances: Circumstances) -> Self {
        Self { store, circumstances, kept: Mutex::default() }
    }

    /// The settings that the sets are balanced by.
    pub fn circumstances(&self) -> &Circumstances {
        &self.circumstances
    }

    /// Keeps an actor's manifest from now on. `earlier` is the one that its folder holds.
    pub async fn add(&self, folder: &ActorFolder, earlier: Option<&Manifest>) {
        let told = earlier.into_iter().flat_map(deletions).map(|(file, plan, _)| (file, plan)).collect();
        let kept = Kept { folder: folder.clone(), revision: None, told, has_complained: false };
        self.kept.lock().await.insert(folder.actor.clone(), kept);
    }

    /// Looks again and again, for ever. What fails is tried again at the next look.
    pub async fn keep(&self) -> Infallible {
        loop {
            let began = Instant::now();
            // The run itself fails where the stack does.
            drop(self.look().await);
            tokio::time::sleep(PAUSE.max(began.elapsed() * SHARE)).await;
        }
    }

    /// Writes the manifest of every actor that has changed, and says what was deleted.
    ///
    /// # Errors
    /// If the table can't be read.
    pub async fn look(&self) -> anyhow::Result<()> {
        let mut kept = self.kept.lock().await;
        let revisions = self.store.revisions().await?;
        for (actor, kept) in kept.iter_mut() {
            let revision = revisions.get(actor).copied();
            // Where the folder is gone, nothing is to be written in its place.
            if revision.is_none() || kept.revision == revision || !kept.folder.dir.is_dir() {
                continue;
            }
            match manifest_file::save(&self.store, &kept.folder, Some(&self.circumstances)).await {
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
