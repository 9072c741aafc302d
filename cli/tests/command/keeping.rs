//! `manifest.json` during a run: no kind of exit loses a record.

use std::collections::BTreeSet;
use std::fs;

use aws::store::actors::ActorRecord;
use domain::manifest::Image;
use jiff::Timestamp;
use serde_json::Value;
use tokio::runtime::Runtime;

use crate::support::actors::Actor;
use crate::support::background::{Background, wait_until};
use crate::support::run::{Ran, balancer};
use crate::support::stack::Place;

fn watch(place: &Place) -> Background {
    let mut command = place.local_in_background();
    command.arg("--watch");
    let mut watching = Background::start(command);
    watching.wait_for("Ctrl-C ends it");
    watching
}

fn kill(mut watching: Background, place: &Place) {
    assert!(watching.kill());
    drop(watching);
    wait_until(|| place.processes().is_empty(), || format!("the end of {:#?}", place.processes()));
}

fn balancer_at(place: &Place, arguments: &[&str]) -> Ran {
    Ran::of(place.balancer().args(arguments)).done()
}

fn names(of: &Value) -> BTreeSet<String> {
    of.as_object().map(|entries| entries.keys().cloned().collect()).unwrap_or_default()
}

fn pinned(manifest: &Value) -> BTreeSet<String> {
    let is_pinned = |name: &String| manifest["images"][name]["pinned"] == true;
    names(&manifest["images"]).into_iter().filter(is_pinned).collect()
}

#[test]
fn killed_watch_loses_no_pin_prompt_or_trash() {
    let place = Place::new();
    let actor = Actor::unbalanced(&place.data(), "the hero");
    let originals = actor.files();
    let watching = watch(&place);
    let [kept, gone] = [0, 1].map(|at| actor.files().intersection(&originals).nth(at).unwrap().clone());
    balancer_at(&place, &["pin", "the hero", &kept]);
    assert_eq!(pinned(&actor.manifest()), BTreeSet::from([kept.clone()]), "`pin` writes the manifest before it exits");
    balancer_at(&place, &["send", "deletion", "the hero", &gone]);
    // The next generated image replaces it.
    let is_replaced = || actor.trash().contains(&gone) && actor.files().len() == 6;
    wait_until(is_replaced, || watching.output());
    let is_kept = || {
        let manifest = actor.manifest();
        names(&manifest["images"]) == actor.files() && names(&manifest["trash"]) == actor.trash()
    };
    wait_until(is_kept, || actor.manifest().to_string());
    kill(watching, &place);

    let manifest = actor.manifest();
    for name in actor.files().difference(&originals) {
        assert!(manifest["images"][name]["prompt"].is_string(), "{name} has no prompt: {manifest:#}");
    }
    assert_eq!(manifest["trash"][&gone][0]["reason"], "Deleted on manual request.");
    let data = place.data();
    let restored = Ran::of(balancer().args(["restore", "the hero", &gone, "--data"]).arg(&data)).done();
    assert!(
        restored
            .answer
            .contains(&format!("Restored and pinned {gone} (it was deleted because: Deleted on manual request.)"))
    );

    Ran::of(&mut place.local()).done();
    actor.agrees_with_its_manifest();
    assert_eq!(pinned(&actor.manifest()), BTreeSet::from([kept, gone]));
}

#[test]
fn deletions_of_a_killed_run_can_be_restored() {
    let place = Place::new();
    let actor = Actor::unbalanced(&place.data(), "hero");
    let mut running = Background::start(place.local_in_background());
    wait_until(|| !actor.trash().is_empty(), || running.output());
    // At this moment the deletion may not be recorded yet.
    assert!(running.kill());
    drop(running);
    wait_until(|| place.processes().is_empty(), || format!("the end of {:#?}", place.processes()));
    let trash: Vec<String> = actor.trash().into_iter().collect();
    let mut restore = balancer();
    restore.args(["restore", "hero", "--data"]).arg(place.data()).args(&trash);
    Ran::of(&mut restore).done();
    let (left, files) = (actor.trash(), actor.files());
    assert!(trash.iter().all(|name| files.contains(name) && !left.contains(name)), "{trash:?}: {left:?}");
}

#[test]
fn balanced_folder_is_not_written_again() {
    let place = Place::new();
    let actor = Actor::balanced(&place.data(), "hero");
    let mut watching = watch(&place);
    let written = || fs::metadata(actor.dir.join("manifest.json")).unwrap().modified().unwrap();
    let before = written();
    // Another evaluation changes only its own time.
    let dry_run = balancer_at(&place, &["send", "evaluation", "hero", "--dry-run"]);
    assert!(dry_run.answer.contains("nothing to do"), "{dry_run:#?}");
    assert_eq!(written(), before);
    watching.signal("TERM");
    assert_eq!(watching.end(), Some(130), "{}", watching.output());
    assert_eq!(written(), before);
}

/// Adds an actor with one image to the running stack, as any client of the stack can.
fn add_beside_run(place: &Place, actor: &str, filename: &str) {
    let (actor, image) = (actor.parse().unwrap(), Image { etag: Some("1".to_owned()), ..Image::default() });
    let record = ActorRecord { created_at: Some(Timestamp::now()), ..ActorRecord::default() };
    Runtime::new().unwrap().block_on(async {
        let store = place.services().store;
        assert!(store.import_actor(&actor, &record).await.unwrap());
        store.import_image(&actor, filename, &image).await.unwrap();
    });
}

#[test]
fn pin_keeps_a_manifest_that_was_not_imported() {
    let place = Place::new();
    Actor::balanced(&place.data(), "hero");
    let other = Actor::balanced(&place.data(), "other");
    let mut command = place.local_in_background();
    command.args(["--watch", "--actor", "hero"]);
    let mut watching = Background::start(command);
    watching.wait_for("Ctrl-C ends it");
    add_beside_run(&place, "other", "other_2.jpg");
    let path = other.dir.join("manifest.json");
    let own = r#"{ "actor_id": "other", "images": { "other_1.jpg": { "index": 1, "pinned": true } } }"#;
    assert!(domain::json::read::<domain::manifest::Manifest>(own.as_bytes()).is_ok());
    let unreadable = "{";
    for content in [own, unreadable] {
        fs::write(&path, content).unwrap();
        balancer_at(&place, &["pin", "other", "other_2.jpg"]);
        assert_eq!(fs::read_to_string(&path).unwrap(), content);
    }
    fs::remove_file(&path).unwrap();
    balancer_at(&place, &["pin", "other", "other_2.jpg"]);
    assert_eq!(
        pinned(&other.manifest()),
        BTreeSet::from(["other_2.jpg".to_owned()]),
        "without a file, the manifest is written"
    );
}
