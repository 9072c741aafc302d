//! `--watch`: applies changes in the folder.

use std::convert::Infallible;

use domain::actor::ActorId;

use super::actors::Actors;
use super::folder_changes::apply_changes;
use super::folder_watcher::{COPIED, FolderWatcher};
use super::report::Undo;

/// Applies changes in the folders, and prints a report each time all affected actors are settled, for ever.
pub async fn watch(actors: &mut Actors, mut watcher: FolderWatcher, json: bool) -> anyhow::Result<Infallible> {
    loop {
        let changed = watcher.changes().await;
        let changed_actors: Vec<ActorId> = apply_changes(actors, &watcher, &changed).await?.into_iter().collect();
        if !changed_actors.is_empty() {
            // The upload's event needs a moment to reach the queue.
            tokio::time::sleep(COPIED).await;
            actors.wait_and_report(&changed_actors).await?.print(json, Undo::InStack)?;
        }
    }
}
