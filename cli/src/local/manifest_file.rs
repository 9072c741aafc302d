//! `manifest.json`: the table's records of an actor, exported into the actor's folder.

use std::fs::{self, File};
use std::path::Path;

use aws::exchange;
use aws::store::Store;
use domain::manifest::Manifest;
use domain::settings::Settings;

use super::actor_files::ActorFiles;
use super::circumstances::Circumstances;
use super::data_folder::ActorFolder;
use crate::atomic_file::write_atomically;

/// Writes the table's records of an actor, unless the file is up to date. Returns the manifest; `None` if the table has
/// no such actor.
pub async fn save(
    store: &Store,
    folder: &ActorFolder,
    circumstances: &mut Circumstances,
) -> anyhow::Result<Option<Manifest>> {
    let _lock = lock(&folder.dir).await;
    let Some(manifest) = export(store, folder, circumstances).await? else { return Ok(None) };
    write(folder, &manifest)?;
    Ok(Some(manifest))
}

/// The same for a command beside the run, under the settings of its stack. The file stays unchanged if the run skips the
/// actor or has not imported the file, which then has pins, prompts and trash records that the table lacks.
pub async fn save_beside_run(store: &Store, folder: &ActorFolder, settings: &Settings) -> anyhow::Result<()> {
    let _lock = lock(&folder.dir).await;
    let Some(manifest) = exchange::export(store, &folder.actor, settings).await? else { return Ok(()) };
    let Ok(files) = ActorFiles::read(folder) else { return Ok(()) };
    if files.manifest.is_none_or(|own| own.created_at == manifest.created_at) {
        write(folder, &manifest)?;
    }
    Ok(())
}

/// The table's records of an actor, with the circumstances of a suspended set.
pub async fn export(
    store: &Store,
    folder: &ActorFolder,
    circumstances: &mut Circumstances,
) -> anyhow::Result<Option<Manifest>> {
    let manifest = exchange::export(store, &folder.actor, &circumstances.of_stack).await?;
    Ok(manifest.map(|mut manifest| {
        manifest.balancing.iter_mut().for_each(|suspension| circumstances.complete(suspension));
        manifest
    }))
}

/// Writes a manifest, unless the file has the same content.
pub fn write(folder: &ActorFolder, manifest: &Manifest) -> anyhow::Result<()> {
    if is_written(&folder.manifest(), manifest) {
        return Ok(());
    }
    write_atomically(&folder.manifest(), &serde_json::to_vec_pretty(manifest)?)
}

/// Whether the file contains this manifest, apart from the time of its last evaluation.
fn is_written(path: &Path, manifest: &Manifest) -> bool {
    let written = fs::read(path).ok().and_then(|text| domain::json::read::<Manifest>(&text).ok());
    written.is_some_and(|written| Manifest { updated_at: manifest.updated_at.clone(), ..written } == *manifest)
}

/// Locks this actor's manifest for writing until the result is dropped: `balancer pin` writes it beside a watch, and
/// neither may replace a newer version. A file system without locks offers no such protection.
pub async fn lock(dir: &Path) -> Option<File> {
    let dir = dir.to_owned();
    let wait = move || {
        let folder = File::open(dir).ok()?;
        folder.lock().ok()?;
        Some(folder)
    };
    tokio::task::spawn_blocking(wait).await.ok().flatten()
}
