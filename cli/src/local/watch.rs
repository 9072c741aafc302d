//! `--watch`: images dropped into the folder are taken up.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use balancer::adapters::queues::{Queue, Queues};
use balancer::domain::actor::ActorId;
use balancer::keys::is_image_name;
use balancer::messages::DeletionMessage;
use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::mpsc;

use super::data_folder::{ActorFolder, name_of};
use super::report::Report;
use super::settle;
use super::upload::Destination;
use crate::outcome::{answer, remark};

/// How long nothing must change before files count as completely copied.
const COPIED: Duration = Duration::from_millis(500);

/// Takes up images as they are dropped into the folders, for ever.
///
/// # Errors
/// If a folder can't be watched or the stack fails.
pub async fn watch(destination: &Destination, queues: &Queues, folders: &[ActorFolder]) -> anyhow::Result<()> {
    let (sender, mut dropped) = mpsc::unbounded_channel();
    let _watcher = watcher(folders, sender)?;
    while let Some(first) = dropped.recv().await {
        let mut paths = BTreeSet::from([first]);
        while let Ok(Some(path)) = tokio::time::timeout(COPIED, dropped.recv()).await {
            paths.insert(path);
        }
        let actors = take_up(destination, queues, folders, &paths).await?;
        if !actors.is_empty() {
            // The upload's event needs a moment to reach the queue.
            tokio::time::sleep(COPIED).await;
            settle::settle(&destination.store, queues, &actors).await?;
            answer(Report::of(&destination.store, &actors).await?.in_words());
        }
    }
    Ok(())
}

fn watcher(folders: &[ActorFolder], sender: mpsc::UnboundedSender<PathBuf>) -> anyhow::Result<RecommendedWatcher> {
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        let Ok(event) = event else { return };
        if matches!(event.kind, EventKind::Create(_) | EventKind::Modify(_) | EventKind::Remove(_)) {
            // Nobody listens any more once the watch has ended.
            event.paths.into_iter().for_each(|path| drop(sender.send(path)));
        }
    })?;
    for folder in folders {
        let dir = folder.training_data();
        std::fs::create_dir_all(&dir)?;
        watcher
            .watch(&dir, RecursiveMode::NonRecursive)
            .with_context(|| format!("the folder {} can't be watched", dir.display()))?;
    }
    Ok(watcher)
}

/// What has happened to a file, as far as the bucket doesn't know it yet. What the functions have put into the
/// folder, or taken out of it, themselves is no news.
enum News {
    /// It is new or different.
    Upload,
    /// It is gone.
    Deletion,
    /// The bucket has the same.
    None,
}

/// Uploads what is new or different, and has deleted what is gone.
async fn take_up(
    destination: &Destination,
    queues: &Queues,
    folders: &[ActorFolder],
    paths: &BTreeSet<PathBuf>,
) -> anyhow::Result<Vec<ActorId>> {
    let mut actors = BTreeSet::new();
    for path in paths.iter().filter(|path| is_image_name(&name_of(path)) && !name_of(path).starts_with('.')) {
        let Some(folder) = folders.iter().find(|folder| path.parent() == Some(&folder.training_data())) else {
            continue;
        };
        match news(destination, folder, path).await? {
            News::None => continue,
            News::Upload => {
                remark(format!("found {}", path.display()));
                destination.upload_image(folder, path).await?;
            }
            News::Deletion => {
                remark(format!("missing {}; it goes to the trash of the bucket", path.display()));
                let actor_id = folder.actor.clone();
                let message = DeletionMessage::ByHand { actor_id, filenames: vec![name_of(path)] };
                queues.send(Queue::Deletion, &message, Duration::ZERO).await?;
            }
        }
        actors.insert(folder.actor.clone());
    }
    Ok(actors.into_iter().collect())
}

async fn news(destination: &Destination, folder: &ActorFolder, path: &Path) -> anyhow::Result<News> {
    let stored = destination.bucket.get(&destination.keys.image(&folder.actor, &name_of(path))).await?;
    let here = match std::fs::read(path) {
        Ok(bytes) => Some(bytes),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        // Neither there nor gone: nothing is safe to conclude.
        Err(_) => return Ok(News::None),
    };
    Ok(match (here, stored) {
        (Some(bytes), stored) if stored.as_ref().is_none_or(|object| object.bytes != bytes) => News::Upload,
        (None, Some(_)) => News::Deletion,
        _ => News::None,
    })
}
