//! Uploads a folder to the bucket.

use std::path::Path;

use aws::exchange;
use aws::stack::Services;
use domain::actor::ActorId;
use domain::files::{IMAGE_EXTENSIONS, content_type};
use domain::keys::Keys;

use super::actor_files::{ActorFiles, BaseImage};
use super::data_folder::{ActorFolder, lossy_name};
use super::examined::Examined;
use crate::outcome::remark;

/// Reads an actor's folder, and changes nothing. The run skips an actor whose folder is unusable.
pub async fn examine(services: &Services, folder: &ActorFolder) -> anyhow::Result<Examined<ActorFiles>> {
    let actor = &folder.actor;
    let examined = ActorFiles::read(folder);
    let has_manifest = examined.as_ref().is_ok_and(|files| files.manifest.is_some());
    if has_manifest && services.store.actor(actor).await?.is_some() {
        // The stack's records would replace the manifest at the end of the run.
        let manifest = folder.manifest();
        return Ok(Examined::Unusable(format!(
            "{} was added too late: the stack already has records of {actor}. End this run and start another.",
            manifest.display()
        )));
    }
    Ok(examined.into())
}

/// Imports the manifest and uploads everything else of an actor, the images last because their arrival triggers the
/// evaluation. Reports unreadable images. Returns the number of uploaded images.
pub async fn upload_actor(services: &Services, folder: &ActorFolder, files: ActorFiles) -> anyhow::Result<usize> {
    let actor = &folder.actor;
    if let Some(manifest) = files.manifest {
        exchange::import(&services.store, actor, manifest).await?;
    }
    services.store.raise_last_number(actor, files.last_number).await?;
    for (name, bytes) in files.own_files {
        upload_file(services, actor, name, bytes).await?;
    }
    if let Some(base_image) = files.base_image {
        upload_base_image(services, actor, base_image).await?;
    }
    let mut uploaded = 0;
    for image in &files.contents.images {
        match std::fs::read(&image.path) {
            Ok(bytes) => {
                upload_file(services, actor, &image.name, bytes).await?;
                uploaded += 1;
            }
            Err(error) => report_unreadable(&image.path, &error),
        }
    }
    Ok(uploaded)
}

pub async fn upload_file(services: &Services, actor: &ActorId, filename: &str, bytes: Vec<u8>) -> anyhow::Result<()> {
    services.bucket.put(&services.keys.image(actor, filename), bytes, content_type(filename)).await?;
    Ok(())
}

/// Uploads the base image and removes those with other endings, which the functions could find first.
pub async fn upload_base_image(services: &Services, actor: &ActorId, image: BaseImage) -> anyhow::Result<()> {
    let ending = image.ending();
    let key = base_image_key(&services.keys, actor, &ending);
    services.bucket.put(&key, image.bytes, content_type(&lossy_name(&image.path))).await?;
    for other in IMAGE_EXTENSIONS.into_iter().filter(|other| *other != ending) {
        services.bucket.delete(&base_image_key(&services.keys, actor, other)).await?;
    }
    Ok(())
}

/// The key of a base image with this ending.
pub fn base_image_key(keys: &Keys, actor: &ActorId, ending: &str) -> String {
    format!("{}{ending}", keys.base_image_stem(actor))
}

/// Reports that the run skips a file because it can't be read.
pub fn report_unreadable(path: &Path, problem: impl std::fmt::Display) {
    remark(format!("skipped {}: it can't be read: {problem}", path.display()));
}
