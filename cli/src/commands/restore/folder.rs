//! `--data DIR`: images put back in a folder that `balancer local` has left, without any stack.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::Context;
use balancer::domain::actor::ActorId;
use balancer::domain::manifest::{Image, Manifest};
use balancer::json;
use balancer::restore::RestoreError;

use super::{Restored, Wanted, wanted};
use crate::local::data_folder::ActorFolder;
use crate::local::{lock, salvage_trash, write_whole};

/// Moves images back among the others and enters them in `manifest.json`.
pub fn restore(data: &Path, actor: &ActorId, files: &[String], pin: bool) -> anyhow::Result<Restored> {
    let folder = ActorFolder::find(data, actor)?;
    let _lock = lock(data)?;
    let mut manifest = read(&folder)?;
    let mut restored = Restored::default();
    for wanted in wanted(actor, &manifest.trash.clone(), files, &mut restored.problems)? {
        match move_back(&folder, &manifest, &wanted)? {
            Ok(()) => {
                enter(&mut manifest, &wanted, pin);
                // After each file, so that whatever is cut off, what was done is written down.
                write_whole(&folder.manifest(), &serde_json::to_vec_pretty(&manifest)?)?;
                restored.done.push(wanted);
            }
            Err(problem) => restored.fail(wanted.file, problem),
        }
    }
    Ok(restored)
}

fn read(folder: &ActorFolder) -> anyhow::Result<Manifest> {
    let path = folder.manifest();
    let text = fs::read(&path).with_context(|| {
        format!("{} can't be read; `balancer local` writes it when it has balanced the folder", path.display())
    })?;
    let mut manifest = json::read(&text).with_context(|| format!("{} is not a manifest", path.display()))?;
    salvage_trash(&mut manifest, folder);
    Ok(manifest)
}

/// The inner error says what keeps this one image away.
fn move_back(folder: &ActorFolder, manifest: &Manifest, wanted: &Wanted) -> anyhow::Result<Result<(), RestoreError>> {
    let filename = &wanted.file;
    let place = folder.image(filename);
    let trash = folder.trash_path(&wanted.trashed.plan_id, filename);
    Ok(match (bytes(&trash)?, bytes(&place)?) {
        (Some(_), None) => {
            fs::create_dir_all(folder.training_data())?;
            fs::rename(&trash, &place).with_context(|| format!("{} can't be moved back", trash.display()))?;
            Ok(())
        }
        (Some(trashed), Some(there)) if trashed == there => Ok(fs::remove_file(&trash)?),
        (Some(_), Some(_)) => Err(RestoreError::Occupied { filename: filename.clone() }),
        // An earlier attempt was cut off between moving the file and writing it down.
        (None, Some(_)) if !manifest.images.contains_key(filename) => Ok(()),
        (None, _) => Err(RestoreError::Gone { filename: filename.clone() }),
    })
}

fn bytes(path: &PathBuf) -> anyhow::Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("{} can't be read", path.display())),
    }
}

fn enter(manifest: &mut Manifest, Wanted { file, trashed }: &Wanted, pin: bool) {
    manifest.images.insert(file.clone(), Image { pinned: pin, ..trashed.image.clone() });
    manifest.total_images = manifest.images.values().filter(|image| image.unusable.is_none()).count() as u64;
    if let Some(entries) = manifest.trash.get_mut(file) {
        entries.retain(|entry| entry.plan_id != trashed.plan_id);
    }
    manifest.trash.retain(|_, entries| !entries.is_empty());
}
