//! What a change in the folder means, and what is to be done about it. What the functions have put into the folder, or
//! taken out of it, themselves is no news.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use balancer::adapters::queues::Queue;
use balancer::domain::actor::ActorId;
use balancer::keys::is_image_name;
use balancer::messages::{DeletionMessage, Mode, new_request_id};

use super::belongings::BaseImage;
use super::data_folder::{ACTOR_FILE, ActorFolder, name_of, read_if_there};
use super::folder_watcher::FolderWatcher;
use super::roster::{Roster, Taken};
use super::upload::leave_alone;
use crate::outcome::remark;
use crate::pictures::files_in;

/// Takes up what has changed. Returns the actors that something has happened to.
///
/// # Errors
/// If the stack fails.
pub async fn take_up(
    roster: &mut Roster,
    watcher: &FolderWatcher,
    changed: &BTreeSet<PathBuf>,
) -> anyhow::Result<BTreeSet<ActorId>> {
    let mut by_actor: BTreeMap<ActorId, (ActorFolder, Vec<&Path>)> = BTreeMap::new();
    for path in changed {
        if let Some(folder) = watcher.actor_of(path) {
            by_actor.entry(folder.actor.clone()).or_insert_with(|| (folder, Vec::new())).1.push(path);
        }
    }
    let mut happened = BTreeSet::new();
    for (actor, (folder, paths)) in by_actor {
        let has_news = if roster.knows(&actor) {
            take_up_files(roster, &folder, &paths).await?
        } else {
            take_up_actor(roster, &folder).await?
        };
        if has_news {
            happened.insert(actor);
        }
    }
    Ok(happened)
}

/// Somebody new, or somebody who was left alone until something in the folder was mended.
async fn take_up_actor(roster: &mut Roster, folder: &ActorFolder) -> anyhow::Result<bool> {
    let has_no_images = folder.images().is_ok_and(|images| images.is_empty());
    if has_no_images && folder.base_image().is_ok_and(|image| image.is_none()) {
        // Somebody is still at it.
        return Ok(false);
    }
    match roster.take(folder).await? {
        Taken::Up { images, is_given_up } => {
            remark(format!("found the actor {} with {images} images", folder.actor));
            if images == 0 {
                roster.ask_first(&folder.actor, is_given_up).await?;
            }
            Ok(true)
        }
        Taken::LeftAlone => Ok(true),
        Taken::StillLeftAlone => Ok(false),
    }
}

async fn take_up_files(roster: &Roster, folder: &ActorFolder, paths: &[&Path]) -> anyhow::Result<bool> {
    let (training_data, base_images) = (folder.training_data(), folder.base_images());
    let mut has_news = false;
    for path in images_among(paths, &training_data) {
        has_news |= take_up_image(roster, folder, &path).await?;
    }
    let lies_in = |path: &Path, dir: &Path| path == dir || path.parent() == Some(dir);
    let mut must_ask = false;
    if paths.iter().any(|path| lies_in(path, &base_images)) {
        must_ask |= take_up_base_image(roster, folder).await?;
    }
    if paths.iter().any(|path| **path == training_data || name_of(path) == ACTOR_FILE) {
        must_ask |= take_up_actor_file(roster, folder).await?;
    }
    if must_ask {
        // No function hears of these files by itself.
        roster.ask(&folder.actor, Mode::Execute).await?;
    }
    Ok(has_news || must_ask)
}

/// The images that have changed, or lie in a folder that has come as a whole.
fn images_among(paths: &[&Path], training_data: &Path) -> BTreeSet<PathBuf> {
    let mut images: BTreeSet<PathBuf> =
        paths.iter().filter(|path| path.parent() == Some(training_data)).map(|path| path.to_path_buf()).collect();
    if paths.contains(&training_data) {
        images.extend(files_in(training_data).unwrap_or_default());
    }
    images.retain(|path| is_image_name(&name_of(path)) && !name_of(path).starts_with('.'));
    images
}

async fn take_up_image(roster: &Roster, folder: &ActorFolder, path: &Path) -> anyhow::Result<bool> {
    let (actor, filename) = (&folder.actor, name_of(path));
    let destination = &roster.destination;
    let here = match read_if_there(path) {
        Ok(here) => here,
        // Neither there nor gone: nothing is safe to conclude.
        Err(problem) => {
            leave_alone(path, problem.root_cause());
            return Ok(false);
        }
    };
    let stored = destination.bucket.get(&destination.keys.image(actor, &filename)).await?;
    match (here, stored) {
        (Some(bytes), stored) if stored.as_ref().is_none_or(|object| object.bytes != bytes) => {
            remark(format!("found {}", path.display()));
            destination.upload_image(actor, &filename, bytes).await?;
        }
        (None, Some(_)) => {
            remark(format!("missing {}; it goes to the trash of the bucket", path.display()));
            let message = DeletionMessage::ByHand {
                actor_id: actor.clone(),
                filenames: vec![filename],
                request_id: Some(new_request_id()),
            };
            roster.queues.send(Queue::Deletion, &message, Duration::ZERO).await?;
        }
        _ => return Ok(false),
    }
    Ok(true)
}

/// A base image that is gone changes nothing until there is another: the one in the bucket still serves.
async fn take_up_base_image(roster: &Roster, folder: &ActorFolder) -> anyhow::Result<bool> {
    let destination = &roster.destination;
    let image = match BaseImage::of(folder) {
        Ok(Some(image)) => image,
        Ok(None) => return Ok(false),
        Err(problem) => {
            remark(format!("left alone {problem:#}"));
            return Ok(false);
        }
    };
    let stored = destination.bucket.get(&destination.base_image_key(&folder.actor, &image.ending())).await?;
    if stored.is_some_and(|object| object.bytes == image.bytes) {
        return Ok(false);
    }
    remark(format!("found {}", image.path.display()));
    destination.upload_base_image(&folder.actor, image).await?;
    Ok(true)
}

async fn take_up_actor_file(roster: &Roster, folder: &ActorFolder) -> anyhow::Result<bool> {
    let destination = &roster.destination;
    let path = folder.actor_file();
    let here = match path.as_deref().map(read_if_there).transpose() {
        Ok(here) => here.flatten(),
        Err(problem) => {
            remark(format!("left alone {problem:#}"));
            return Ok(false);
        }
    };
    let key = destination.keys.image(&folder.actor, ACTOR_FILE);
    let stored = destination.bucket.get(&key).await?.map(|object| object.bytes);
    if here == stored {
        return Ok(false);
    }
    match (path, here) {
        (Some(path), Some(bytes)) => {
            remark(format!("found {}", path.display()));
            destination.upload_actor_file(&folder.actor, bytes).await?;
        }
        _ => {
            remark(format!("missing the {ACTOR_FILE} of {}; what else is known says who it is", folder.actor));
            destination.bucket.delete(&key).await?;
        }
    }
    Ok(true)
}
