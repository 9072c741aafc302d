//! Leaving the folder as the bucket is.

use std::collections::BTreeSet;
use std::fs::{self, Permissions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use anyhow::Context;
use balancer::domain::manifest::Manifest;
use balancer::exchange;
use balancer::keys::is_image_name;

use super::belongings;
use super::data_folder::{ActorFolder, name_of};
use super::upload::Destination;
use crate::outcome::remark;

/// Brings an actor's folder into agreement with the bucket and writes its `manifest.json`. The functions have
/// written most of it already; what they were kept from is made good here.
///
/// # Errors
/// If the stack can't be asked, or a file can't be written.
pub async fn leave(destination: &Destination, folder: &ActorFolder) -> anyhow::Result<()> {
    let training_data = destination.keys.training_data(&folder.actor);
    let mut in_bucket = BTreeSet::new();
    for object in destination.bucket.list(&training_data).await? {
        let Some(filename) = object.key.strip_prefix(&training_data).filter(|name| is_image_name(name)) else {
            continue;
        };
        let path = folder.training_data().join(filename);
        if !path.is_file()
            && let Some(object) = destination.bucket.get(&object.key).await?
        {
            write_whole(&path, &object.bytes)?;
        }
        in_bucket.insert(filename.to_owned());
    }
    for path in folder.images()? {
        // What can't be read has been said to be left alone.
        if !in_bucket.contains(&name_of(&path)) && belongings::open(&path).is_ok() {
            remark(format!("{} is in the folder only", path.display()));
        }
    }
    if let Some(manifest) = exchange::export(&destination.store, &folder.actor).await? {
        leave_trash(destination, folder, &manifest).await?;
        if !is_written(&folder.manifest(), &manifest) {
            write_whole(&folder.manifest(), &serde_json::to_vec_pretty(&manifest)?)?;
        }
    }
    Ok(())
}

/// What lies in the trash of the bucket only would be gone with the stack.
async fn leave_trash(destination: &Destination, folder: &ActorFolder, manifest: &Manifest) -> anyhow::Result<()> {
    for (filename, entries) in &manifest.trash {
        for trashed in entries {
            let path = folder.dir.join("trash").join(&trashed.plan_id).join(filename);
            let key = destination.keys.trash(&folder.actor, &trashed.plan_id, filename);
            if !path.is_file()
                && let Some(object) = destination.bucket.get(&key).await?
            {
                // What could not be moved there lies among the images still.
                if let Err(problem) = write_whole(&path, &object.bytes) {
                    remark(format!("{filename} can't be kept in the trash: {problem:#}"));
                }
            }
        }
    }
    Ok(())
}

/// Whether this manifest lies there already, but for the moment at which it was last looked at.
fn is_written(path: &Path, manifest: &Manifest) -> bool {
    let written = fs::read(path).ok().and_then(|text| serde_json::from_slice::<Manifest>(&text).ok());
    written.is_some_and(|written| Manifest { updated_at: manifest.updated_at.clone(), ..written } == *manifest)
}

/// Writes a file so that a reader sees it whole or not at all.
pub fn write_whole(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let dir = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(dir).with_context(|| format!("{} can't be created", dir.display()))?;
    // Whoever may read the folder may read the file: the user's mask decides, not the temporary file's secrecy.
    let permissions = Permissions::from_mode(0o666);
    let mut file = tempfile::Builder::new().permissions(permissions).tempfile_in(dir)?;
    file.write_all(bytes)?;
    file.persist(path).with_context(|| format!("{} can't be written", path.display()))?;
    Ok(())
}
