//! Unreadable and invalid files are named; the run skips what depends on them and continues with the others.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use serde_json::json;

use crate::support::actors::{Actor, snapshot};
use crate::support::run::Ran;
use crate::support::stack::Place;

/// A link without a target, as to an unmounted disk.
fn dangling(at: &Path) {
    symlink("/no/such/disk/file", at).unwrap();
}

/// Every name in a folder, including dangling links.
fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Runs the command on a broken actor and an intact one. Asserts that it names the broken one and leaves it unchanged,
/// and balances the intact one.
fn assert_only_intact_balanced(place: &Place, broken: &Actor, words: &[&str]) -> Ran {
    let whole = Actor::unbalanced(&place.data(), "whole");
    let before = (names(&broken.dir), names(&broken.training_data()));
    let ran = Ran::of(place.local().arg("--json")).failed(3, words);
    let actors = &ran.last_line()["actors"];
    assert_eq!((&actors[0]["actor_id"], &actors[0]["status"]), (&json!(broken.id), &json!("needs_attention")));
    assert_eq!((&actors[1]["actor_id"], &actors[1]["status"]), (&json!("whole"), &json!("balanced")));
    whole.agrees_with_its_manifest();
    assert_eq!((names(&broken.dir), names(&broken.training_data())), before);
    ran
}

#[test]
fn unreadable_image_is_named_and_others_balanced() {
    let place = Place::new();
    let actor = Actor::unbalanced(&place.data(), "hero");
    let (link, folder) = (actor.training_data().join("hero_20.jpg"), actor.training_data().join("hero_21.jpg"));
    dangling(&link);
    fs::create_dir(&folder).unwrap();
    let ran = Ran::of(place.local().arg("--json")).done();
    for path in [&link, &folder] {
        let line = format!("skipped {}: it can't be read: ", path.display());
        assert_eq!(ran.remarks.matches(&line).count(), 1, "{ran:#?}");
        assert_eq!(ran.remarks.matches(path.to_str().unwrap()).count(), 1, "{ran:#?}");
    }
    assert_eq!(ran.last_line()["actors"][0]["total"], 6);
    assert!(link.is_symlink() && folder.is_dir(), "both are unchanged");
    let made = actor.manifest()["last_number"].as_u64().unwrap();
    assert!(made >= 22, "a new image has the number {made}, which is taken");
}

#[test]
fn generated_set_beside_unreadable_image_is_evaluated() {
    let place = Place::new();
    let actor = Actor::nothing(&place.data(), "hero").with_base();
    Ran::of(&mut place.local()).done();
    let link = actor.training_data().join("own.jpg");
    dangling(&link);
    // No upload of the other images, which are all generated, leads to an evaluation.
    fs::remove_file(actor.training_data().join(actor.files().first().unwrap())).unwrap();
    let ran = Ran::of(place.local().arg("--json")).done();
    let result = &ran.last_line()["actors"][0];
    assert_eq!((&result["status"], &result["total"]), (&json!("balanced"), &json!(6)), "{ran:#?}");
    assert_eq!(actor.files().len(), 7, "six images, and the link");
    assert!(link.is_symlink());
}

#[test]
fn entirely_unreadable_set_is_not_regenerated() {
    let place = Place::new();
    let actor = Actor::nothing(&place.data(), "hero").with_base();
    for number in 1..=3 {
        dangling(&actor.training_data().join(format!("hero_{number}.jpg")));
    }
    assert_only_intact_balanced(&place, &actor, &["hero_1.jpg", "2 other images"]);
}

#[test]
fn unreadable_base_image_skips_its_actor() {
    let place = Place::new();
    let actor = Actor::without_base(&place.data(), "hero");
    let base = actor.dir.join("base_image/portrait.png");
    fs::create_dir(base.parent().unwrap()).unwrap();
    dangling(&base);
    assert_only_intact_balanced(&place, &actor, &["skipped hero", base.to_str().unwrap(), "Repair it"]);
}

#[test]
fn unreadable_actor_file_skips_its_actor() {
    let place = Place::new();
    let actor = Actor::unbalanced(&place.data(), "hero");
    let file = actor.dir.join("actor.json");
    fs::create_dir(&file).unwrap();
    assert_only_intact_balanced(&place, &actor, &["skipped hero", file.to_str().unwrap(), "Repair it"]);
}

#[test]
fn invalid_manifest_skips_its_actor() {
    let place = Place::new();
    let actor = Actor::unbalanced(&place.data(), "hero");
    let manifest = actor.dir.join("manifest.json");
    fs::write(&manifest, "{\n  \"actor_id\": \"hero\",\n  \"images\": {\n}").unwrap();
    let before = snapshot(&actor.dir);
    let words = ["skipped hero", manifest.to_str().unwrap(), "line 4", "Repair it, or move it away"];
    assert_only_intact_balanced(&place, &actor, &words);
    assert_eq!(snapshot(&actor.dir), before);
}

#[test]
fn unreadable_manifest_skips_its_actor() {
    let place = Place::new();
    let actor = Actor::unbalanced(&place.data(), "hero");
    let manifest = actor.dir.join("manifest.json");
    dangling(&manifest);
    let proposed = Ran::of(place.local().arg("--dry-run")).failed(3, &[manifest.to_str().unwrap()]);
    assert!(proposed.answer.contains("hero: needs attention: "), "{proposed:#?}");
    assert_only_intact_balanced(&place, &actor, &["skipped hero", manifest.to_str().unwrap(), "Repair it"]);
    assert!(manifest.is_symlink() && actor.trash().is_empty());
}
