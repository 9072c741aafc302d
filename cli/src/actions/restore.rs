//! Restores deleted images.

mod in_folder;

use std::collections::BTreeMap;

use anyhow::bail;
use aws::stack::Services;
use domain::actor::ActorId;
use domain::trash::TrashRecord;
use handlers::Clock;
use handlers::restore::Restoration;
use serde_json::{Value, json};

use super::notice::leave_notice;
use super::problem::{Problem, as_known};
use crate::connection::Connected;
use crate::sets::Sets;

/// An actor's trash records by file name, the oldest first.
type Trash = BTreeMap<String, Vec<TrashRecord>>;

/// An image to restore.
#[derive(Debug, Clone)]
pub struct RestoredImage {
    pub file: String,
    pub trashed: TrashRecord,
}

/// Which deleted images to restore.
#[derive(Debug, Clone, Copy)]
pub enum Wanted<'a> {
    /// The newest deletion of each of these files.
    Files(&'a [String]),
    /// Everything that the latest plan or manual request has deleted.
    Latest,
    /// These deletions: the id of the plan or manual request, and the file.
    Deletions(&'a [(String, String)]),
}

/// The result of a restoration.
#[derive(Debug, Default)]
pub struct Restored {
    pub done: Vec<RestoredImage>,
    pub problems: Vec<Problem>,
}

/// Restores deleted images. `pin` protects them from the next evaluation.
pub async fn restore(sets: &Sets, actor: &ActorId, wanted: Wanted<'_>, pin: bool) -> anyhow::Result<Restored> {
    let restored = match sets {
        Sets::InStack(stack) => in_stack(stack, actor, wanted, pin).await?,
        Sets::InFolder(folder) => in_folder::restore(&folder.data, actor, wanted, pin)?,
    };
    let names: Vec<String> = restored.done.iter().map(|wanted| wanted.file.clone()).collect();
    leave_notice(sets, actor, if pin { "restored and pinned" } else { "restored" }, &names).await;
    Ok(restored)
}

async fn in_stack(connected: &Connected, actor: &ActorId, wanted: Wanted<'_>, pin: bool) -> anyhow::Result<Restored> {
    connected.actor(actor).await?;
    let Connected { services: Services { bucket, store, keys, .. }, local, .. } = connected;
    let clock = Clock::system();
    let restoration = Restoration { bucket, store, local, keys, pin, clock: &clock };
    let mut restored = Restored::default();
    for wanted in find_wanted(actor, &store.trash(actor).await?, wanted, &mut restored.problems)? {
        match restoration.restore(actor, &wanted.file, &wanted.trashed).await {
            Ok(left) => {
                restored.done.push(wanted);
                left.into_iter().for_each(|sidecar| restored.leave(sidecar));
            }
            Err(error) if error.is_of_one_file() => restored.fail(wanted.file, error),
            Err(error) => return Err(error.into()),
        }
        connected.keep_manifest(actor).await;
    }
    Ok(restored)
}

impl Restored {
    fn fail(&mut self, file: String, problem: impl ToString) {
        self.problems.push(Problem { file, sentence: problem.to_string() });
    }

    /// Reports that a sidecar could not be restored with its image.
    fn leave(&mut self, sidecar: String) {
        let problem =
            format!("{sidecar} stays in the trash: another file has its name; rename or delete that one first");
        self.fail(sidecar, problem);
    }
}

/// The wanted records of the trash.
fn find_wanted(
    actor: &ActorId,
    trash: &Trash,
    wanted: Wanted<'_>,
    problems: &mut Vec<Problem>,
) -> anyhow::Result<Vec<RestoredImage>> {
    match wanted {
        Wanted::Latest => latest(actor, trash),
        Wanted::Files(files) => Ok(newest(actor, trash, files, problems)),
        Wanted::Deletions(deletions) => Ok(exactly(actor, trash, deletions, problems)),
    }
}

fn exactly(
    actor: &ActorId,
    trash: &Trash,
    deletions: &[(String, String)],
    problems: &mut Vec<Problem>,
) -> Vec<RestoredImage> {
    let mut wanted = Vec::new();
    for (plan_id, file) in deletions {
        let mut records = trash.get(file).into_iter().flatten();
        match records.find(|trashed| trashed.plan_id == *plan_id) {
            Some(trashed) => wanted.push(RestoredImage::new(file, trashed)),
            None => problems.push(Problem::no_longer_in_trash(actor, file.clone())),
        }
    }
    wanted
}

fn newest(actor: &ActorId, trash: &Trash, files: &[String], problems: &mut Vec<Problem>) -> Vec<RestoredImage> {
    let mut wanted = Vec::new();
    for file in files {
        let known = as_known(file, trash.keys());
        match known.and_then(|known| Some((known, trash.get(known)?.last()?))) {
            Some((known, trashed)) => wanted.push(RestoredImage::new(known, trashed)),
            None => problems.push(Problem {
                file: file.clone(),
                sentence: format!("the trash of {actor} holds no {file}; it holds {}", names(trash)),
            }),
        }
    }
    wanted
}

fn latest(actor: &ActorId, trash: &Trash) -> anyhow::Result<Vec<RestoredImage>> {
    let Some(latest) = trash.values().flatten().max_by_key(|trashed| trashed.deleted_at) else {
        bail!("the trash of {actor} is empty: there is nothing to restore");
    };
    let of_plan = trash.iter().flat_map(|(file, entries)| entries.iter().map(move |trashed| (file, trashed)));
    let of_plan = of_plan.filter(|(_, trashed)| trashed.plan_id == latest.plan_id);
    Ok(of_plan.map(|(file, trashed)| RestoredImage::new(file, trashed)).collect())
}

fn names(trash: &Trash) -> String {
    const MOST: usize = 20;
    let names: Vec<_> = trash.keys().take(MOST).map(String::as_str).collect();
    match trash.len() {
        0 => "nothing".to_owned(),
        all if all > MOST => format!("{} and {} more", names.join(", "), all - MOST),
        _ => names.join(", "),
    }
}

impl RestoredImage {
    fn new(file: &str, trashed: &TrashRecord) -> Self {
        Self { file: file.to_owned(), trashed: trashed.clone() }
    }

    /// The JSON of the `restore` command.
    pub fn in_json(&self) -> Value {
        let TrashRecord { plan_id, deleted_at, reason, .. } = &self.trashed;
        json!({ "file": self.file, "plan_id": plan_id, "deleted_at": deleted_at, "reason": reason })
    }
}
