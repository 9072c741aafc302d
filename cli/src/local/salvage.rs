//! Differences between the folder and its `manifest.json` that a killed run has left.

use std::collections::BTreeSet;
use std::fs::{self, DirEntry};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use domain::files::is_image_name;
use domain::manifest::{Image, Manifest};
use domain::numbering::number_of;
use domain::trash::TrashRecord;
use handlers::moving::PARTIAL;
use jiff::Timestamp;

use super::data_folder::ActorFolder;

/// The reason of an image in the trash without a record.
const UNRECORDED: &str = "Deleted by a run that was killed before it recorded the reason.";

/// Reconciles a manifest with the folder if a killed run has completed one step and not the next: images that were
/// never placed, deletions that had not moved their file yet, and files in the trash without a record.
pub fn salvage(manifest: &mut Manifest, folder: &ActorFolder) {
    forget_unplaced(manifest, folder);
    forget_undone_deletions(manifest, folder);
    record_trash(manifest, folder);
}

/// Removes images that have a number and were never placed. Their numbers are free again.
pub fn forget_unplaced(manifest: &mut Manifest, folder: &ActorFolder) {
    let is_unplaced = |filename: &str, image: &Image| {
        image.etag.is_none() && image.plan_id.is_some() && !folder.image(filename).exists()
    };
    let mut free = BTreeSet::new();
    manifest.images.retain(|filename, image| {
        let stays = !is_unplaced(filename, image);
        if !stays {
            free.insert(image.index);
        }
        stays
    });
    while free.remove(&manifest.last_number) {
        manifest.last_number -= 1;
    }
    manifest.total_images = manifest.images.values().filter(|image| image.unusable.is_none()).count() as u64;
}

fn forget_undone_deletions(manifest: &mut Manifest, folder: &ActorFolder) {
    for (filename, entries) in &mut manifest.trash {
        let is_still_there = folder.image(filename).exists();
        entries.retain(|trashed| !is_still_there || folder.trash_path(&trashed.plan_id, filename).exists());
    }
    manifest.trash.retain(|_, entries| !entries.is_empty());
}

/// Records the files that a killed run moved to the trash without a record, so that they can be restored.
pub fn record_trash(manifest: &mut Manifest, folder: &ActorFolder) {
    for plan in entries(&folder.trash()) {
        let plan_id = plan.file_name().to_string_lossy().into_owned();
        for file in entries(&plan.path()) {
            let Ok(filename) = file.file_name().into_string() else { continue };
            let is_recorded = |entries: &Vec<TrashRecord>| entries.iter().any(|trashed| trashed.plan_id == plan_id);
            if !is_image_name(&filename) || manifest.trash.get(&filename).is_some_and(is_recorded) {
                continue;
            }
            let known = manifest.images.get(&filename).filter(|_| !folder.image(&filename).exists());
            let image = known.cloned().unwrap_or_else(|| Image { index: number_of(&filename), ..Image::default() });
            let trashed = TrashRecord {
                plan_id: plan_id.clone(),
                deleted_at: moved_at(&file),
                reason: UNRECORDED.to_owned(),
                image: Image { pinned: false, ..image },
                sidecars: Vec::new(),
            };
            manifest.trash.entry(filename).or_default().push(trashed);
        }
    }
}

/// Removes the temporary files that a killed run has left. The caller must hold the lock of the data folder, so that no
/// other run is writing them.
pub fn remove_partial_files(folder: &ActorFolder) {
    let plans = entries(&folder.trash()).map(|plan| plan.path());
    for dir in plans.chain([folder.training_data(), folder.dir.clone()]) {
        for file in entries(&dir).filter(|file| is_partial(&file.file_name().to_string_lossy())) {
            // A file that can't be removed does no harm.
            drop(fs::remove_file(file.path()));
        }
    }
}

/// Whether a file has the name of a temporary file of a run: `.`, six letters or digits, and [`PARTIAL`].
fn is_partial(name: &str) -> bool {
    let random = name.strip_prefix('.').and_then(|name| name.strip_suffix(PARTIAL));
    random.is_some_and(|random| random.len() == 6 && random.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

/// The entries of a folder; none if the folder doesn't exist. Later steps report unreadable folders.
fn entries(dir: &Path) -> impl Iterator<Item = DirEntry> + use<> {
    fs::read_dir(dir).into_iter().flatten().flatten()
}

/// When a file was moved to its path. Its modification time does not show this, because a move keeps it.
fn moved_at(file: &DirEntry) -> Timestamp {
    let changed = file.metadata().ok().and_then(|metadata| Timestamp::from_second(metadata.ctime()).ok());
    changed.unwrap_or(Timestamp::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tempfile::TempDir;

    use super::*;

    fn folder() -> (TempDir, ActorFolder) {
        let data = tempfile::tempdir().unwrap();
        let folder = ActorFolder { actor: "hero".parse().unwrap(), dir: data.path().join("hero") };
        for dir in [folder.training_data(), folder.trash().join("p")] {
            fs::create_dir_all(dir).unwrap();
        }
        (data, folder)
    }

    fn manifest(value: serde_json::Value) -> Manifest {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn image_never_placed_returns_its_number() {
        let (_data, folder) = folder();
        fs::write(folder.training_data().join("hero_3.jpg"), "here").unwrap();
        let image = |index: u64| json!({ "index": index, "plan_id": "p", "prompt": "a beach" });
        let mut manifest = manifest(json!({
            "actor_id": "hero",
            "last_number": 5,
            "images": {
                "hero_1.jpg": { "index": 1 },
                "hero_3.jpg": image(3),
                "hero_4.jpg": image(4),
                "hero_5.jpg": image(5),
            },
        }));
        salvage(&mut manifest, &folder);
        assert_eq!(manifest.images.keys().collect::<Vec<_>>(), ["hero_1.jpg", "hero_3.jpg"]);
        assert_eq!((manifest.last_number, manifest.total_images), (3, 2));
        assert_eq!(manifest.images["hero_3.jpg"].prompt.as_deref(), Some("a beach"));
    }

    #[test]
    fn deletion_that_moved_nothing_is_dropped() {
        let (_data, folder) = folder();
        for file in [folder.training_data().join("a.jpg"), folder.training_data().join("b.jpg")] {
            fs::write(file, "here").unwrap();
        }
        fs::write(folder.trash_path("p", "b.jpg"), "an older one").unwrap();
        let trashed = |reason: &str| json!([{ "plan_id": "p", "deleted_at": "2026-01-01T00:00:00Z", "reason": reason, "image": {} }]);
        let mut manifest = manifest(json!({
            "actor_id": "hero",
            "trash": { "a.jpg": trashed("one"), "b.jpg": trashed("two"), "elsewhere.jpg": trashed("three") },
        }));
        salvage(&mut manifest, &folder);
        assert_eq!(manifest.trash.keys().collect::<Vec<_>>(), ["b.jpg", "elsewhere.jpg"]);
        assert_eq!(manifest.trash["b.jpg"].len(), 1);
    }

    #[test]
    fn unrecorded_file_in_the_trash_can_be_restored() {
        let (_data, folder) = folder();
        for name in ["hero_7.jpg", "hero_7.txt"] {
            fs::write(folder.trash_path("p", name), "moved").unwrap();
        }
        let known = json!({ "index": 7, "prompt": "a beach", "pinned": true });
        let mut manifest = manifest(json!({ "actor_id": "hero", "images": { "hero_7.jpg": known } }));
        salvage(&mut manifest, &folder);
        assert_eq!(manifest.trash.keys().collect::<Vec<_>>(), ["hero_7.jpg"]);
        let trashed = &manifest.trash["hero_7.jpg"][0];
        assert_eq!((trashed.plan_id.as_str(), trashed.image.prompt.as_deref()), ("p", Some("a beach")));
        assert!(!trashed.image.pinned && trashed.deleted_at > Timestamp::UNIX_EPOCH, "{trashed:?}");
    }

    #[test]
    fn partial_copies_of_a_killed_run_are_removed() {
        let (_data, folder) = folder();
        let (set, trash) = (folder.training_data(), folder.trash().join("p"));
        let partial = [set.join(".aB3x9Z.balancer-part"), trash.join(".000000.balancer-part")];
        let others = [
            set.join("film.mkv.part"),
            set.join(".aB3x9Z.part"),
            set.join(".download.balancer-part"),
            trash.join(".aB3x9Z.jpg"),
        ];
        for file in partial.iter().chain(&others) {
            fs::write(file, "half").unwrap();
        }
        remove_partial_files(&folder);
        assert!(partial.iter().all(|file| !file.exists()) && others.iter().all(|file| file.exists()));
    }
}
