//! Brings the folder into agreement with the bucket at the end of a run.

use std::collections::BTreeSet;

use anyhow::bail;
use aws::stack::Services;
use domain::files::{composed, is_image_name};
use domain::manifest::Manifest;

use super::actor_files;
use super::circumstances::Circumstances;
use super::data_folder::{ActorFolder, is_there};
use super::manifest_file;
use super::missing_images;
use super::salvage::forget_unplaced;
use crate::atomic_file::write_atomically;
use crate::outcome::remark;

/// Writes the images that the folder lacks, and the actor's `manifest.json`. The functions have written most of them
/// already.
pub async fn sync_back(
    services: &Services,
    folder: &ActorFolder,
    circumstances: &mut Circumstances,
) -> anyhow::Result<()> {
    if !folder.dir.is_dir() {
        bail!("the folder is gone, so nothing was written there");
    }
    // Nothing may be written in place of an unmounted disk.
    if let Some(vanished) = missing_images::vanished(services, folder).await? {
        bail!("{vanished}, so nothing was written there");
    }
    let training_data = services.keys.training_data(&folder.actor);
    let mut in_bucket = BTreeSet::new();
    for object in services.bucket.list(&training_data).await? {
        let filename = object.key.strip_prefix(&training_data);
        let Some(filename) = filename.filter(|name| is_image_name(name) && !name.contains('/')) else {
            continue;
        };
        let path = folder.image(filename);
        // A link to an unreachable disk stays unchanged.
        if !is_there(&path)
            && let Some(object) = services.bucket.get(&object.key).await?
        {
            write_atomically(&path, &object.bytes)?;
        }
        in_bucket.insert(composed(filename));
    }
    for image in folder.images()? {
        // The run has reported unreadable files before.
        if !in_bucket.contains(&image.name) && actor_files::open(&image.path).is_ok() {
            remark(format!("{} is in the folder, but not in the bucket", image.path.display()));
        }
    }
    let _lock = manifest_file::lock(&folder.dir).await;
    if let Some(mut manifest) = manifest_file::export(&services.store, folder, circumstances).await? {
        sync_trash_back(services, folder, &manifest).await?;
        forget_unplaced(&mut manifest, folder);
        manifest_file::write(folder, &manifest)?;
    }
    Ok(())
}

/// Copies the bucket's trash, which ends with the stack.
async fn sync_trash_back(services: &Services, folder: &ActorFolder, manifest: &Manifest) -> anyhow::Result<()> {
    for (filename, entries) in &manifest.trash {
        for trashed in entries {
            let path = folder.trash_path(&trashed.plan_id, filename);
            let key = services.keys.trash(&folder.actor, &trashed.plan_id, filename);
            if !path.is_file()
                && let Some(object) = services.bucket.get(&key).await?
            {
                // If the handler could not move it there, the image is still in the set's folder.
                if let Err(problem) = write_atomically(&path, &object.bytes) {
                    remark(format!("{filename} can't be kept in the trash: {problem:#}"));
                }
            }
        }
    }
    Ok(())
}
