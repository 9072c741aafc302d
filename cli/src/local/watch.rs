//! `--watch`: what is dropped into the folder is taken up.

use std::convert::Infallible;

use domain::actor::ActorId;

use super::folder_watcher::{COPIED, FolderWatcher};
use super::news::take_up;
use super::report::Undo;
use super::roster::Roster;

/// Takes up what changes in the folders, and reports each time everything is settled again, for ever.
///
/// # Errors
/// If the stack fails.
pub async fn watch(roster: &mut Roster, mut watcher: FolderWatcher, json: bool) -> anyhow::Result<Infallible> {
    loop {
        let changed = watcher.changes().await;
        let actors: Vec<ActorId> = take_up(roster, &watcher, &changed).await?.into_iter().collect();
        if !actors.is_empty() {
            // The upload's event needs a moment to reach the queue.
            tokio::time::sleep(COPIED).await;
            roster.settled(&actors).await?.say(json, Undo::InStack)?;
        }
    }
}
