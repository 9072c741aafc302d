//! The trash of a folder: images and sidecars move there and back across file systems and links.

use std::collections::BTreeSet;
use std::fs::{self, File, FileTimes};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use assert_cmd::Command;
use serde_json::json;

use crate::support::actors::{Actor, snapshot};
use crate::support::background::Background;
use crate::support::elsewhere::elsewhere;
use crate::support::run::{Ran, balancer};
use crate::support::stack::Place;

/// Puts a caption, and a trainer's cache, beside each image of a set.
fn caption(actor: &Actor) {
    for name in actor.files() {
        let stem = name.strip_suffix(".jpg").unwrap();
        actor.put(&format!("{stem}.txt"), format!("caption of {name}").as_bytes());
        actor.put(&format!("{stem}_0512x0768_flux.npz"), b"latents");
    }
}

/// The sidecars that [`caption`] puts beside an image.
fn sidecars(image: &str) -> [String; 2] {
    let stem = image.strip_suffix(".jpg").unwrap();
    [format!("{stem}.txt"), format!("{stem}_0512x0768_flux.npz")]
}

/// Asserts that each sidecar lies beside its image. Returns the images of `before` that are in the trash.
fn assert_sidecars_with_their_images(actor: &Actor, before: &BTreeSet<String>) -> BTreeSet<String> {
    let (set, trash) = (actor.files(), actor.trash());
    for image in before {
        for sidecar in sidecars(image) {
            assert_eq!(
                (set.contains(&sidecar), trash.contains(&sidecar)),
                (set.contains(image), trash.contains(image))
            );
        }
    }
    before.intersection(&trash).cloned().collect()
}

fn restore_in_folder(place: &Place) -> Command {
    let mut command = balancer();
    command.args(["restore", "hero", "--data"]).arg(place.data());
    command
}

/// Moves a folder and leaves a link to it.
fn replace_by_link(folder: &Path, by: &Path) {
    fs::create_dir(by).unwrap();
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), by.join(entry.file_name())).unwrap();
    }
    fs::remove_dir_all(folder).unwrap();
    symlink(by, folder).unwrap();
}

#[test]
fn set_on_another_disk_is_balanced_and_restored() {
    let place = Place::new();
    let actor = Actor::unbalanced(&place.data(), "hero");
    let (before, other) = (actor.files(), elsewhere(&place.data()));
    caption(&actor);
    replace_by_link(&actor.training_data(), &other.path().join("images"));
    let modified = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    for name in &before {
        let file = File::open(actor.training_data().join(name)).unwrap();
        file.set_times(FileTimes::new().set_modified(modified)).unwrap();
    }
    let all = snapshot(&actor.training_data());

    let ran = Ran::of(place.local().arg("--json")).done();
    assert_eq!(ran.last_line()["actors"][0]["status"], "balanced", "{ran:#?}");
    let gone = assert_sidecars_with_their_images(&actor, &before);
    assert!(gone.len() >= 2, "{gone:?}");

    restore_in_folder(&place).args(&gone).assert().success();
    assert!(assert_sidecars_with_their_images(&actor, &before).is_empty());
    for (path, bytes) in all {
        assert!(fs::read(&path).unwrap() == bytes, "{}", path.display());
    }
    for name in &gone {
        assert_eq!(actor.training_data().join(name).metadata().unwrap().modified().unwrap(), modified, "{name}");
    }
    let is_partial = |path: &PathBuf| path.to_string_lossy().ends_with(handlers::moving::PARTIAL);
    assert!(!snapshot(other.path()).keys().any(is_partial));
}

#[test]
fn linked_images_move_and_return_as_links() {
    let place = Place::new();
    let actor = Actor::unbalanced(&place.data(), "hero");
    let (before, pool) = (actor.files(), place.data().parent().unwrap().join("pool"));
    fs::create_dir(&pool).unwrap();
    for name in &before {
        fs::rename(actor.training_data().join(name), pool.join(name)).unwrap();
        symlink(Path::new("../../../pool").join(name), actor.training_data().join(name)).unwrap();
    }
    let originals = snapshot(&pool);

    Ran::of(&mut place.local()).done();
    let gone: BTreeSet<String> = before.intersection(&actor.trash()).cloned().collect();
    assert!(gone.len() >= 2, "{gone:?}");
    let in_trash = snapshot(&actor.dir.join("trash"));
    for name in &gone {
        let (path, bytes) = in_trash.iter().find(|(path, _)| path.ends_with(name)).unwrap();
        assert!(path.is_symlink() && *bytes == originals[&pool.join(name)], "{}", path.display());
    }
    restore_in_folder(&place).args(&gone).assert().success();
    for name in &gone {
        let target = fs::read_link(actor.training_data().join(name)).unwrap();
        assert_eq!(target, Path::new("../../../pool").join(name));
    }
    assert!(snapshot(&pool) == originals, "the targets of the links are unchanged");
}

#[test]
fn captions_return_with_a_running_stack() {
    let place = Place::new();
    let actor = Actor::unbalanced(&place.data(), "hero");
    let before = actor.files();
    caption(&actor);
    let mut command = place.local_in_background();
    command.arg("--watch");
    let mut watching = Background::start(command);
    watching.wait_for("Ctrl-C ends it");
    let gone = assert_sidecars_with_their_images(&actor, &before);
    let one = gone.first().unwrap();
    let [text, _] = sidecars(one);
    // Another caption has been written meanwhile.
    actor.put(&text, b"another");

    let pinned = Ran::of(place.balancer().args(["pin", "hero", one]));
    pinned.failed(1, &["is in the trash", "balancer restore hero"]);
    let restored = Ran::of(place.balancer().args(["restore", "hero", one, "--json"]));
    assert_eq!(restored.json()["restored"][0]["file"], json!(one), "{restored:#?}");
    let trash = restored.json()["problems"][0]["file"].as_str().map(PathBuf::from).unwrap();
    restored.failed(1, &["stays in the trash: another file has its name", "1 file is unchanged"]);
    assert_eq!(fs::read_to_string(&trash).unwrap(), format!("caption of {one}"));
    assert_eq!(fs::read(actor.training_data().join(&text)).unwrap(), b"another");
    assert!(actor.files().is_superset(&sidecars(one).into()), "{:?}", actor.files());
    watching.signal("INT");
    assert_eq!(watching.end(), Some(130), "{}", watching.output());
}

/// An actor with one image in the trash, a caption beside it, and a manifest that records this.
fn with_one_in_the_trash(place: &Place) -> (Actor, PathBuf) {
    let actor = Actor::nothing(&place.data(), "hero");
    let trashed = json!({ "plan_id": "p", "deleted_at": "2026-01-01T00:00:00Z", "reason": "Surplus.", "image": {} });
    let manifest = json!({ "actor_id": "hero", "trash": { "hero_1.jpg": [trashed] } });
    fs::write(actor.dir.join("manifest.json"), manifest.to_string()).unwrap();
    let trash = actor.dir.join("trash/p");
    fs::create_dir_all(&trash).unwrap();
    fs::write(trash.join("hero_1.jpg"), vec![7; 500_000]).unwrap();
    fs::write(trash.join("hero_1.txt"), "caption").unwrap();
    (actor, trash)
}

#[test]
fn full_disk_loses_nothing() {
    let place = Place::new();
    let (actor, trash) = with_one_in_the_trash(&place);
    let other = elsewhere(&place.data());
    replace_by_link(&actor.training_data(), &other.path().join("images"));
    let before = snapshot(&place.data());
    // A limit on the size of files makes the copy fail in the middle, as a full disk does.
    let mut limited = Command::new("sh");
    limited.args(["-c", "trap '' XFSZ; ulimit -f 64; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_balancer")]);
    let ran = Ran::of(limited.args(["restore", "hero", "--data"]).arg(place.data()));
    ran.failed(1, &["can't be moved to", trash.join("hero_1.jpg").to_str().unwrap()]);
    assert!(snapshot(&place.data()) == before && actor.files().is_empty(), "{:?}", actor.files());

    restore_in_folder(&place).assert().success();
    assert_eq!(actor.files(), BTreeSet::from(["hero_1.jpg".to_owned(), "hero_1.txt".to_owned()]));
    assert!(fs::read_dir(trash).unwrap().next().is_none());
}

#[test]
fn caption_whose_name_is_taken_stays_in_the_trash() {
    let place = Place::new();
    let (actor, trash) = with_one_in_the_trash(&place);
    actor.put("hero_1.txt", b"another");
    let kept = trash.join("hero_1.txt");
    Ran::of(&mut restore_in_folder(&place)).failed(1, &[kept.to_str().unwrap(), "stays in the trash"]);
    assert_eq!((fs::read(kept).unwrap(), actor.trash().len()), (b"caption".to_vec(), 1));
    assert!(actor.manifest()["images"].get("hero_1.jpg").is_some());
    assert_eq!(fs::read(actor.training_data().join("hero_1.txt")).unwrap(), b"another");
}
