//! Edits of images in a data folder on which no stack runs: of their records in `manifest.json`, which the next
//! `balancer local` imports.

use anyhow::bail;
use domain::actor::ActorId;
use domain::files::composed;
use domain::manifest::{Image, Manifest, timestamp_text};
use domain::numbering::number_of;
use handlers::Clock;
use local_stack::has_state;

use super::edit::Edited;
use super::problem::{Problem, as_known};
use crate::atomic_file::write_atomically;
use crate::local::data_folder::{ActorFolder, STATE_FOLDER};
use crate::local::{lock_for_edit, record_trash};
use crate::outcome::Conflict;
use crate::sets::{InFolder, manifest_of};

/// Pins or unpins images.
pub fn set_pinned(folder: &InFolder, actor: &ActorId, files: &[String], pinned: bool) -> anyhow::Result<Edited> {
    edit(folder, actor, files, |image| image.pinned = pinned)
}

/// Sets or removes the user's caption of an image.
pub fn set_caption(folder: &InFolder, actor: &ActorId, file: &str, text: Option<&str>) -> anyhow::Result<Edited> {
    edit(folder, actor, &[file.to_owned()], |image| image.caption = text.map(str::to_owned))
}

/// A killed run has left newer records than the manifest's. The next run goes on from those, and would lose the edit.
fn refuse_if_unfinished(folder: &InFolder) -> anyhow::Result<()> {
    let data = folder.data.display();
    if has_state(&folder.data.join(STATE_FOLDER)) {
        bail!(Conflict(format!(
            "a run on {data} was killed before its end; finish it with `balancer local --data {data}`, then repeat this"
        )));
    }
    Ok(())
}

fn edit(folder: &InFolder, actor: &ActorId, files: &[String], change: impl Fn(&mut Image)) -> anyhow::Result<Edited> {
    let actor_folder = folder.folder(actor)?;
    let _lock = lock_for_edit(&folder.data)?;
    refuse_if_unfinished(folder)?;
    let mut manifest = manifest_of(&actor_folder)?;
    record_trash(&mut manifest, &actor_folder);
    let present: Vec<String> = actor_folder.images()?.into_iter().map(|image| image.name).collect();
    let mut edited = Edited::default();
    for file in files {
        match as_known(file, present.iter()) {
            Some(name) => {
                change(record_of(&mut manifest, name));
                edited.done.push(name.clone());
            }
            None => edited.problems.push(absent(actor, &manifest, file)),
        }
    }
    if !edited.done.is_empty() {
        save(&actor_folder, &mut manifest)?;
    }
    Ok(edited)
}

fn record_of<'a>(manifest: &'a mut Manifest, name: &str) -> &'a mut Image {
    let new = || Image { index: number_of(name), ..Image::default() };
    manifest.images.entry(name.to_owned()).or_insert_with(new)
}

fn absent(actor: &ActorId, manifest: &Manifest, file: &str) -> Problem {
    match as_known(file, manifest.trash.keys()) {
        Some(trashed) => Problem::in_trash(actor, trashed.clone()),
        None => Problem::unknown(actor, composed(file)),
    }
}

fn save(folder: &ActorFolder, manifest: &mut Manifest) -> anyhow::Result<()> {
    manifest.created_at.get_or_insert_with(|| timestamp_text(Clock::system().now()));
    manifest.total_images = manifest.images.values().filter(|image| image.unusable.is_none()).count() as u64;
    write_atomically(&folder.manifest(), &serde_json::to_vec_pretty(manifest)?)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn folder() -> (tempfile::TempDir, InFolder, ActorId) {
        let data = tempfile::tempdir().unwrap();
        let dir = data.path().join("hero").join("training_data");
        fs::create_dir_all(&dir).unwrap();
        fs::write(dir.join("hero_1.jpg"), "image").unwrap();
        let folder = InFolder::open(data.path()).unwrap();
        (data, folder, "hero".parse().unwrap())
    }

    #[test]
    fn folder_without_a_manifest_keeps_a_pin() {
        let (_data, folder, hero) = folder();
        let files = ["hero_1.jpg".to_owned(), "hero_2.jpg".to_owned()];
        let edited = set_pinned(&folder, &hero, &files, true).unwrap();
        assert_eq!(edited.done, ["hero_1.jpg"]);
        assert!(edited.problems[0].sentence.contains("has no image hero_2.jpg"), "{edited:?}");
        let image = &folder.actor(&hero).unwrap().manifest.images["hero_1.jpg"];
        assert!(image.pinned && image.index == 1);
        set_pinned(&folder, &hero, &files[..1], false).unwrap();
        assert!(!folder.actor(&hero).unwrap().manifest.images["hero_1.jpg"].pinned);
    }

    #[test]
    fn caption_in_a_folder_is_set_and_removed() {
        let (_data, folder, hero) = folder();
        let caption = || folder.actor(&hero).unwrap().manifest.images["hero_1.jpg"].caption.clone();
        set_caption(&folder, &hero, "hero_1.jpg", Some("by the sea")).unwrap();
        assert_eq!(caption().as_deref(), Some("by the sea"));
        set_caption(&folder, &hero, "hero_1.jpg", None).unwrap();
        assert_eq!(caption(), None);
    }

    #[test]
    fn unreadable_manifest_stays_as_it_is() {
        let (data, folder, hero) = folder();
        let path = data.path().join("hero").join("manifest.json");
        fs::write(&path, "{").unwrap();
        let error = set_pinned(&folder, &hero, &["hero_1.jpg".to_owned()], true).unwrap_err().to_string();
        assert!(error.contains("manifest.json is not a manifest"), "{error}");
        assert_eq!(fs::read_to_string(path).unwrap(), "{");
    }
}
