//! What a change in the folder means, and what is to be done about it. What the functions have put into the folder, or
//! taken out of it, themselves is no news.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use aws::queues::Queue;
use domain::actor::ActorId;
use domain::files::is_image_name;
use domain::messages::{DeletionMessage, Mode, new_request_id};
use handlers::names_on_disk::composed_name;

use super::actor_files::BaseImage;
use super::actors::{Actors, Uploaded};
use super::data_folder::{ACTOR_FILE, ActorFolder, lossy_name, read_if_there};
use super::folder_watcher::FolderWatcher;
use super::missing_images::contents_or_reason;
use super::upload::{base_image_key, report_unreadable, upload_actor_file, upload_base_image, upload_image};
use crate::folder::Contents;
use crate::outcome::remark;

/// Takes up what has changed. Returns the actors that something has happened to.
///
/// # Errors
/// If the stack fails.
pub async fn apply_changes(
    actors: &mut Actors,
    watcher: &FolderWatcher,
    changed: &BTreeSet<PathBuf>,
) -> anyhow::Result<BTreeSet<ActorId>> {
    let mut by_actor: BTreeMap<ActorId, (ActorFolder, BTreeSet<PathBuf>)> = BTreeMap::new();
    for path in changed {
        if let Some(folder) = watcher.actor_of(path) {
            by_actor.entry(folder.actor.clone()).or_insert_with(|| (folder, BTreeSet::new())).1.insert(path.clone());
        }
    }
    let mut happened = BTreeSet::new();
    for (actor, (folder, paths)) in by_actor {
        let has_news = if actors.contains(&actor) {
            apply_file_changes(actors, &folder, paths).await?
        } else {
            add_actor(actors, &folder).await?
        };
        if has_news {
            happened.insert(actor);
        }
    }
    Ok(happened)
}

/// Somebody new, or somebody who was left alone until something in the folder was mended.
async fn add_actor(actors: &mut Actors, folder: &ActorFolder) -> anyhow::Result<bool> {
    let holds_nothing =
        |contents: &Contents| contents.images.is_empty() && matches!(folder.obstacle(contents), Ok(None));
    if folder.contents().is_ok_and(|contents| holds_nothing(&contents)) && matches!(folder.base_image(), Ok(None)) {
        // Somebody is still at it.
        return Ok(false);
    }
    match actors.add(folder).await? {
        Uploaded::Complete { images, needs_request, is_suspended } => {
            remark(format!("found the actor {} with {images} images", folder.actor));
            if needs_request {
                actors.request_first_evaluation(&folder.actor, is_suspended).await?;
            }
            Ok(true)
        }
        Uploaded::Skipped => Ok(true),
        Uploaded::StillSkipped => Ok(false),
    }
}

async fn apply_file_changes(
    actors: &mut Actors,
    folder: &ActorFolder,
    mut paths: BTreeSet<PathBuf>,
) -> anyhow::Result<bool> {
    let (training_data, base_images) = (folder.training_data(), folder.base_images());
    let contents = match contents_or_reason(&actors.services, folder).await? {
        Ok(contents) => contents,
        Err(reason) => {
            actors.hold(&folder.actor, reason);
            return Ok(false);
        }
    };
    if actors.release(&folder.actor) {
        // Changes since then have not been processed.
        paths.extend([training_data.clone(), base_images.clone()]);
    }
    contents.remarks(folder.actor.as_str()).into_iter().for_each(|line| actors.remark_once(line));
    let mut has_news = false;
    for (filename, path) in changed_images(&paths, folder, &contents) {
        has_news |= apply_image_change(actors, folder, &filename, &path).await?;
    }
    let lies_in = |path: &Path, dir: &Path| path == dir || path.parent() == Some(dir);
    let mut must_ask = false;
    if paths.iter().any(|path| lies_in(path, &base_images)) {
        must_ask |= apply_base_image_change(actors, folder).await?;
    }
    if paths.iter().any(|path| *path == training_data || lossy_name(path) == ACTOR_FILE) {
        must_ask |= apply_actor_file_change(actors, folder).await?;
    }
    if must_ask {
        // No function hears of these files by itself.
        actors.request_evaluation(&folder.actor, Mode::Execute).await?;
    }
    Ok(has_news || must_ask)
}

/// The images that have changed, or belong to a newly added folder: their names, with their present or former paths.
fn changed_images(paths: &BTreeSet<PathBuf>, folder: &ActorFolder, contents: &Contents) -> BTreeMap<String, PathBuf> {
    let training_data = folder.training_data();
    let inside = paths.iter().filter(|path| path.parent() == Some(&training_data));
    let names = inside.filter_map(|path| path.file_name().and_then(composed_name)).filter(|name| is_image_name(name));
    let mut images: BTreeMap<String, PathBuf> = names.map(|name| (name.clone(), folder.image(&name))).collect();
    if paths.contains(&training_data) {
        images.extend(contents.images.iter().map(|image| (image.name.clone(), image.path.clone())));
    }
    images
}

async fn apply_image_change(
    actors: &mut Actors,
    folder: &ActorFolder,
    filename: &str,
    path: &Path,
) -> anyhow::Result<bool> {
    let actor = &folder.actor;
    let here = match read_if_there(path) {
        Ok(here) => here,
        // Neither there nor gone: nothing is safe to conclude.
        Err(problem) => {
            report_unreadable(path, problem.root_cause());
            return Ok(false);
        }
    };
    let stored = actors.services.bucket.get(&actors.services.keys.image(actor, filename)).await?;
    match (here, stored) {
        (Some(bytes), stored) if stored.as_ref().is_none_or(|object| object.bytes != bytes) => {
            remark(format!("found {}", path.display()));
            let known = actors.services.store.actor(actor).await?.map_or(0, |record| record.last_number);
            actors.warn_if_numbers_leap(actor, [filename], known);
            upload_image(&actors.services, actor, filename, bytes).await?;
        }
        (None, Some(_)) => {
            remark(format!("missing {}; it goes to the trash of the bucket", path.display()));
            let message = DeletionMessage::Manual {
                actor_id: actor.clone(),
                filenames: vec![filename.to_owned()],
                request_id: Some(new_request_id()),
            };
            actors.services.queues.send(Queue::Deletion, &message, Duration::ZERO).await?;
        }
        _ => return Ok(false),
    }
    Ok(true)
}

/// A base image that is gone changes nothing until there is another: the one in the bucket still serves.
async fn apply_base_image_change(actors: &Actors, folder: &ActorFolder) -> anyhow::Result<bool> {
    let services = &actors.services;
    let image = match BaseImage::of(folder) {
        Ok(Some(image)) => image,
        Ok(None) => return Ok(false),
        Err(problem) => {
            remark(format!("left alone {problem:#}"));
            return Ok(false);
        }
    };
    let stored = services.bucket.get(&base_image_key(&services.keys, &folder.actor, &image.ending())).await?;
    if stored.is_some_and(|object| object.bytes == image.bytes) {
        return Ok(false);
    }
    remark(format!("found {}", image.path.display()));
    actors.keeper.change_circumstances(&folder.actor, |circumstances| circumstances.set_base_image(&image.bytes)).await;
    upload_base_image(services, &folder.actor, image).await?;
    Ok(true)
}

async fn apply_actor_file_change(actors: &Actors, folder: &ActorFolder) -> anyhow::Result<bool> {
    let services = &actors.services;
    let path = folder.actor_file();
    let here = match path.as_deref().map(read_if_there).transpose() {
        Ok(here) => here.flatten(),
        Err(problem) => {
            remark(format!("left alone {problem:#}"));
            return Ok(false);
        }
    };
    let key = services.keys.image(&folder.actor, ACTOR_FILE);
    let stored = services.bucket.get(&key).await?.map(|object| object.bytes);
    if here == stored {
        return Ok(false);
    }
    actors
        .keeper
        .change_circumstances(&folder.actor, |circumstances| circumstances.set_actor_file(here.as_deref()))
        .await;
    match (path, here) {
        (Some(path), Some(bytes)) => {
            remark(format!("found {}", path.display()));
            upload_actor_file(services, &folder.actor, bytes).await?;
        }
        _ => {
            remark(format!("missing the {ACTOR_FILE} of {}; what else is known says who it is", folder.actor));
            services.bucket.delete(&key).await?;
        }
    }
    Ok(true)
}
