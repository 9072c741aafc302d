//! Actors of a killed run. The table has their records and the bucket their objects, while the user may have changed
//! their folders since.

use std::collections::BTreeSet;
use std::path::PathBuf;

use aws::stack::Services;
use aws::store::Store;
use domain::actor::ActorId;
use domain::files::is_image_name;
use domain::manifest::{Image, Manifest};

use super::actor_files::ActorFiles;
use super::actors::{Actors, Uploaded};
use super::circumstances::Circumstances;
use super::data_folder::{ActorFolder, OWN_FILES, is_there};
use super::examined::Examined;
use super::folder_changes::apply_file_changes;
use super::manifest_file;
use super::missing_images::contents_unless_vanished;
use super::resume::resume;

/// Reads an actor's folder, and changes nothing. The run skips an actor whose folder is unusable, and keeps its records.
pub async fn examine(services: &Services, folder: &ActorFolder) -> anyhow::Result<Examined<ActorFiles>> {
    Ok(match contents_unless_vanished(services, folder).await? {
        Examined::Usable(_) => ActorFiles::read(folder).into(),
        Examined::Unusable(reason) => Examined::Unusable(reason),
    })
}

/// Adds an actor: applies the changes of its folder since the run was killed, and resumes its work.
pub async fn add(
    actors: &mut Actors,
    folder: &ActorFolder,
    files: ActorFiles,
    mut circumstances: Circumstances,
) -> anyhow::Result<Uploaded> {
    let (services, actor) = (actors.services.clone(), &folder.actor);
    circumstances.recall(files.manifest.as_ref().and_then(|manifest| manifest.balancing.as_ref()));
    let records = manifest_file::export(&services.store, folder, &mut circumstances).await?;
    let suspension = records.and_then(|records| records.balancing);
    let is_suspended =
        !actors.retries() && suspension.is_some_and(|suspension| circumstances.are_those_of(&suspension));
    actors.keep(folder, files.manifest.as_ref(), circumstances).await;
    let in_bucket = images_in_bucket(&services, actor).await?;
    if let Some(manifest) = &files.manifest {
        import_restored(&services.store, folder, manifest, &in_bucket).await?;
    }
    services.store.raise_last_number(actor, files.last_number).await?;
    let here = files.contents.images.into_iter().map(|image| image.name);
    let paths = paths_to_compare(&services.store, folder, in_bucket.into_iter().chain(here).collect()).await?;
    apply_file_changes(actors, folder, paths).await?;
    resume(actors, actor, is_suspended).await?;
    Ok(Uploaded::Resumed)
}

async fn images_in_bucket(services: &Services, actor: &ActorId) -> anyhow::Result<BTreeSet<String>> {
    let prefix = services.keys.training_data(actor);
    let listed = services.bucket.list(&prefix).await?.into_iter();
    let names = listed.filter_map(|object| object.key.strip_prefix(&prefix).map(str::to_owned));
    Ok(names.filter(|name| is_image_name(name) && !name.contains('/')).collect())
}

/// Records the images that `balancer restore --data` has moved back from the trash since the run was killed. The
/// manifest shows them; but it may also be a little older than the records, so the file must be there, and the object
/// must have been deleted.
async fn import_restored(
    store: &Store,
    folder: &ActorFolder,
    manifest: &Manifest,
    in_bucket: &BTreeSet<String>,
) -> anyhow::Result<()> {
    let actor = &folder.actor;
    let (images, trash) = (store.images(actor).await?, store.trash(actor).await?);
    for (filename, image) in manifest.images.iter().filter(|(filename, _)| is_there(&folder.image(filename))) {
        let known = images.get(filename);
        if known.is_some_and(|known| known.deleting.is_none()) {
            if image.pinned {
                store.set_pinned(actor, filename, true).await?;
            }
            continue;
        }
        let is_in_trash = |plan_id: &String| {
            manifest.trash.get(filename).is_some_and(|entries| entries.iter().any(|entry| entry.plan_id == *plan_id))
        };
        let restored = trash.get(filename).into_iter().flatten().map(|entry| &entry.plan_id);
        let restored: Vec<_> = restored.filter(|plan_id| !is_in_trash(plan_id)).collect();
        if !restored.is_empty() && !in_bucket.contains(filename) {
            store.import_image(actor, filename, &Image { deleting: None, ..image.clone() }).await?;
            for plan_id in restored {
                store.forget_trashed(actor, filename, plan_id).await?;
            }
        }
    }
    Ok(())
}

/// The paths at which the folder and the bucket must agree, except for images that unfinished work is about to place or
/// to delete.
async fn paths_to_compare(
    store: &Store,
    folder: &ActorFolder,
    mut names: BTreeSet<String>,
) -> anyhow::Result<BTreeSet<PathBuf>> {
    for (filename, image) in store.images(&folder.actor).await? {
        let is_unplaced = image.plan_id.is_some() && image.etag.is_none();
        if image.deleting.is_some() || is_unplaced {
            names.remove(&filename);
        }
    }
    let images = names.iter().map(|name| folder.image(name));
    let own_files = OWN_FILES.map(|name| folder.training_data().join(name));
    Ok(images.chain(own_files).chain([folder.base_images()]).collect())
}
