//! Brings the folder into agreement with the bucket at the end of a run.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use anyhow::{Context, bail};
use aws::stack::Services;
use domain::files::{composed, is_image_name};
use domain::manifest::Manifest;
use handlers::moving::temporary_file;

use super::actor_files;
use super::circumstances::Circumstances;
use super::data_folder::{ActorFolder, is_there};
use super::manifest_file;
use super::missing_images;
use super::salvage::forget_unplaced;
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
    if let Some(mut manifest) = manifest_file::export(&services.store, folder, Some(circumstances)).await? {
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

/// Writes a file as [`replace`] does, and creates its folder if necessary.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let dir = dir_of(path);
    fs::create_dir_all(dir).with_context(|| format!("{} can't be created", dir.display()))?;
    replace(path, bytes)
}

/// Writes a file so that a reader sees it completely or not at all, even if the program or the machine stops meanwhile.
/// If the name is a link, the link's target is written.
pub fn replace(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let place = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    write_temporary_file(&place, dir_of(&place), bytes).with_context(|| format!("{} can't be written", path.display()))
}

fn dir_of(path: &Path) -> &Path {
    path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn write_temporary_file(path: &Path, dir: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = temporary_file(dir)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    // Not every file system can sync a folder; in that case the old name may reappear after a power cut.
    let _ = File::open(dir).and_then(|dir| dir.sync_all());
    Ok(())
}
