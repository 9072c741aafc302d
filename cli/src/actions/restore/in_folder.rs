//! Restores images in a folder without a running stack.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use anyhow::Context;
use domain::actor::ActorId;
use domain::files::composed;
use domain::json;
use domain::manifest::{Image, Manifest};
use domain::sidecars::returning_with;
use handlers::moving::{Moved, move_new};
use handlers::restore::RestoreError;

use super::{Restored, RestoredImage, Wanted, find_wanted};
use crate::atomic_file::write_atomically;
use crate::local::data_folder::ActorFolder;
use crate::local::{lock_for_edit, record_trash};

/// Moves images from the trash back into the set, and records them in `manifest.json`.
pub fn restore(data: &Path, actor: &ActorId, wanted: Wanted<'_>, pin: bool) -> anyhow::Result<Restored> {
    let folder = ActorFolder::find(data, actor)?;
    let _lock = lock_for_edit(data)?;
    let mut manifest = read(&folder)?;
    let mut restored = Restored::default();
    for wanted in find_wanted(actor, &manifest.trash.clone(), wanted, &mut restored.problems)? {
        match move_back(&folder, &manifest, &wanted)? {
            None => {
                let left = move_sidecars_back(&folder, &wanted)?;
                record(&mut manifest, &wanted, pin);
                // After each file, so that an interruption loses no record.
                write_atomically(&folder.manifest(), &serde_json::to_vec_pretty(&manifest)?)?;
                restored.done.push(wanted);
                left.into_iter().for_each(|sidecar| restored.leave(sidecar));
            }
            Some(problem) => restored.fail(wanted.file, problem),
        }
    }
    Ok(restored)
}

fn read(folder: &ActorFolder) -> anyhow::Result<Manifest> {
    let path = folder.manifest();
    let text =
        fs::read(&path).with_context(|| format!("{} can't be read; `balancer local` writes it", path.display()))?;
    let mut manifest = json::read(&text).with_context(|| format!("{} is not a manifest", path.display()))?;
    record_trash(&mut manifest, folder);
    Ok(manifest)
}

/// Returns the reason why this image can't be restored; `None` if it was moved.
fn move_back(
    folder: &ActorFolder,
    manifest: &Manifest,
    wanted: &RestoredImage,
) -> anyhow::Result<Option<RestoreError>> {
    let filename = &wanted.file;
    let place = folder.image(filename);
    Ok(match moved(&folder.trash_path(&wanted.trashed.plan_id, filename), &place)? {
        Moved::Done => None,
        Moved::Occupied => Some(RestoreError::Occupied { filename: filename.clone() }),
        // An earlier attempt was interrupted after it had moved the file.
        Moved::Missing if place.is_file() && !manifest.images.contains_key(filename) => None,
        Moved::Missing => Some(RestoreError::Gone { filename: filename.clone() }),
    })
}

/// Returns the paths of the sidecars that stay, because other files have their names.
fn move_sidecars_back(folder: &ActorFolder, wanted: &RestoredImage) -> anyhow::Result<Vec<String>> {
    let trash = folder.trash_path(&wanted.trashed.plan_id, "");
    let names = names_in(&trash)?;
    let mut left = Vec::new();
    for sidecar in returning_with(&wanted.file, &names.iter().map(String::as_str).collect::<Vec<_>>()) {
        let from = folder.trash_path(&wanted.trashed.plan_id, sidecar);
        if moved(&from, &folder.image(sidecar))? == Moved::Occupied {
            left.push(from.display().to_string());
        }
    }
    Ok(left)
}

fn moved(from: &Path, to: &Path) -> anyhow::Result<Moved> {
    move_new(from, to).with_context(|| format!("{} can't be moved to {}", from.display(), to.display()))
}

fn names_in(dir: &Path) -> anyhow::Result<Vec<String>> {
    let entries = match fs::read_dir(dir) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.with_context(|| format!("{} can't be read", dir.display()))?,
    };
    let mut names = Vec::new();
    for entry in entries {
        names.extend(entry?.file_name().to_str().map(composed));
    }
    Ok(names)
}

fn record(manifest: &mut Manifest, RestoredImage { file, trashed }: &RestoredImage, pin: bool) {
    manifest.images.insert(file.clone(), Image { pinned: pin, ..trashed.image.clone() });
    manifest.total_images = manifest.images.values().filter(|image| image.unusable.is_none()).count() as u64;
    if let Some(entries) = manifest.trash.get_mut(file) {
        entries.retain(|entry| entry.plan_id != trashed.plan_id);
    }
    manifest.trash.retain(|_, entries| !entries.is_empty());
}
