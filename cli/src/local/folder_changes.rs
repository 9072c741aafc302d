//! Applies changes in the folder to the stack, except for those that the functions made themselves.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use aws::queues::Queue;
use domain::actor::ActorId;
use domain::files::{images_in_words, is_image_name};
use domain::messages::{DeletionMessage, Mode, new_request_id};
use handlers::names_on_disk::composed_name;

use super::actor_files::BaseImage;
use super::actors::{Actors, Uploaded};
use super::data_folder::{ActorFolder, OWN_FILES, lossy_name, read_if_there};
use super::examined::Examined;
use super::folder_watcher::FolderWatcher;
use super::missing_images::contents_unless_vanished;
use super::upload::{base_image_key, report_unreadable, upload_base_image, upload_file};
use crate::folder::Contents;
use crate::outcome::remark;

/// Applies the changes of these paths. Returns the actors that they affect.
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
    let mut affected = BTreeSet::new();
    for (actor, (folder, paths)) in by_actor {
        let is_changed = if actors.contains(&actor) {
            apply_file_changes(actors, &folder, paths).await?
        } else {
            add_actor(actors, &folder).await?
        };
        if is_changed {
            affected.insert(actor);
        }
    }
    Ok(affected)
}

/// Adds an actor that is new, or that the run has skipped until now.
async fn add_actor(actors: &mut Actors, folder: &ActorFolder) -> anyhow::Result<bool> {
    let is_empty = |contents: &Contents| contents.images.is_empty() && matches!(folder.obstacle(contents), Ok(None));
    if folder.contents().is_ok_and(|contents| is_empty(&contents)) && matches!(folder.base_image(), Ok(None)) {
        // The folder is still being filled.
        return Ok(false);
    }
    match actors.add(folder).await? {
        Uploaded::Complete { images, needs_request, is_suspended } => {
            remark(format!("found the actor {} with {}", folder.actor, images_in_words(images)));
            if needs_request {
                actors.request_first_evaluation(&folder.actor, is_suspended).await?;
            }
            Ok(true)
        }
        Uploaded::Resumed | Uploaded::Skipped => Ok(true),
        Uploaded::StillSkipped => Ok(false),
    }
}

/// Applies the changes of these paths of an added actor. Returns whether they affect its set.
pub async fn apply_file_changes(
    actors: &mut Actors,
    folder: &ActorFolder,
    mut paths: BTreeSet<PathBuf>,
) -> anyhow::Result<bool> {
    let (training_data, base_images) = (folder.training_data(), folder.base_images());
    let contents = match contents_unless_vanished(&actors.services, folder).await? {
        Examined::Usable(contents) => contents,
        Examined::Unusable(reason) => {
            actors.hold(&folder.actor, reason);
            return Ok(false);
        }
    };
    if actors.release(&folder.actor) {
        // Changes since then have not been processed.
        paths.extend([training_data.clone(), base_images.clone()]);
    }
    contents.remarks(folder.actor.as_str()).into_iter().for_each(|line| actors.remark_once(line));
    let mut is_changed = false;
    for (filename, path) in changed_images(&paths, folder, &contents) {
        is_changed |= apply_image_change(actors, folder, &filename, &path).await?;
    }
    let lies_in = |path: &Path, dir: &Path| path == dir || path.parent() == Some(dir);
    let mut has_event = true;
    if paths.iter().any(|path| lies_in(path, &base_images)) && apply_base_image_change(actors, folder).await? {
        (is_changed, has_event) = (true, false);
    }
    for name in OWN_FILES {
        if !paths.iter().any(|path| *path == training_data || lossy_name(path) == name) {
            continue;
        }
        let had_images = !actors.services.store.images(&folder.actor).await?.is_empty();
        let change = apply_own_file_change(actors, folder, name).await?;
        is_changed |= change != OwnFileChange::None;
        has_event &= match change {
            OwnFileChange::None => true,
            // The function ignores the event as long as the actor has no images.
            OwnFileChange::Uploaded => had_images,
            OwnFileChange::Removed => false,
        };
    }
    if !has_event {
        // No event reports a base image, or that a file was removed.
        actors.request_evaluation(&folder.actor, Mode::Execute).await?;
    }
    Ok(is_changed)
}

/// The images that have changed or belong to a newly added folder: names, with the present or former paths.
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
        // An unreadable file is neither changed nor gone.
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
            upload_file(&actors.services, actor, filename, bytes).await?;
        }
        (None, Some(_)) => {
            remark(format!("removed {}; the bucket's copy goes to the trash", path.display()));
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

/// A removed base image changes nothing until there is another: the functions use the one in the bucket.
async fn apply_base_image_change(actors: &Actors, folder: &ActorFolder) -> anyhow::Result<bool> {
    let services = &actors.services;
    let image = match BaseImage::of(folder) {
        Ok(Some(image)) => image,
        Ok(None) => return Ok(false),
        Err(problem) => {
            remark(format!("skipped {problem:#}"));
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

/// What has become of one of an actor's [`OWN_FILES`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OwnFileChange {
    None,
    Uploaded,
    Removed,
}

async fn apply_own_file_change(
    actors: &Actors,
    folder: &ActorFolder,
    name: &'static str,
) -> anyhow::Result<OwnFileChange> {
    let services = &actors.services;
    let path = folder.own_file(name);
    let here = match path.as_deref().map(read_if_there).transpose() {
        Ok(here) => here.flatten(),
        Err(problem) => {
            remark(format!("skipped {problem:#}"));
            return Ok(OwnFileChange::None);
        }
    };
    let key = services.keys.image(&folder.actor, name);
    let stored = services.bucket.get(&key).await?.map(|object| object.bytes);
    if here == stored {
        return Ok(OwnFileChange::None);
    }
    actors
        .keeper
        .change_circumstances(&folder.actor, |circumstances| circumstances.set_own_file(name, here.as_deref()))
        .await;
    match (path, here) {
        (Some(path), Some(bytes)) => {
            remark(format!("found {}", path.display()));
            upload_file(services, &folder.actor, name, bytes).await?;
            Ok(OwnFileChange::Uploaded)
        }
        _ => {
            remark(format!("removed the {name} of {}", folder.actor));
            services.bucket.delete(&key).await?;
            Ok(OwnFileChange::Removed)
        }
    }
}
