//! Files that can't be read or understood: each is named, what depends on it is left alone, and the others go on.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use serde_json::json;

use crate::support::actors::{Actor, snapshot};
use crate::support::run::Ran;
use crate::support::stack::Place;

/// A link that leads nowhere, as to a disk that isn't there.
fn dangling(at: &Path) {
    symlink("/no/such/disk/file", at).unwrap();
}

/// Every name below a folder, links that lead nowhere included.
fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Runs over a broken actor beside a whole one: the broken one is named and left as it is, the whole one balanced.
fn the_other_is_balanced(place: &Place, broken: &Actor, words: &[&str]) -> Ran {
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
fn an_image_that_cannot_be_read_is_named_and_the_others_are_balanced_without_it() {
    let place = Place::new();
    let actor = Actor::unbalanced(&place.data(), "somebody");
    let (link, folder) = (actor.training_data().join("somebody_20.jpg"), actor.training_data().join("somebody_21.jpg"));
    dangling(&link);
    fs::create_dir(&folder).unwrap();
    let ran = Ran::of(place.local().arg("--json")).done();
    for path in [&link, &folder] {
        let said = format!("left alone {}: it can't be read: ", path.display());
        assert_eq!(ran.remarks.matches(&said).count(), 1, "{ran:#?}");
        assert_eq!(ran.remarks.matches(path.to_str().unwrap()).count(), 1, "{ran:#?}");
    }
    assert_eq!(ran.last_line()["actors"][0]["total"], 6);
    assert!(link.is_symlink() && folder.is_dir(), "they are as they were");
    let made = actor.manifest()["last_number"].as_u64().unwrap();
    assert!(made >= 22, "a new image has the number {made}, which is taken");
}

#[test]
fn a_set_of_which_nothing_can_be_read_is_not_made_anew() {
    let place = Place::new();
    let actor = Actor::nothing(&place.data(), "somebody").with_base();
    for number in 1..=3 {
        dangling(&actor.training_data().join(format!("somebody_{number}.jpg")));
    }
    the_other_is_balanced(&place, &actor, &["somebody_1.jpg", "2 other images"]);
}

#[test]
fn an_actor_whose_base_image_cannot_be_read_is_named_and_the_others_go_on() {
    let place = Place::new();
    let actor = Actor::without_base(&place.data(), "somebody");
    let base = actor.dir.join("base_image/portrait.png");
    fs::create_dir(base.parent().unwrap()).unwrap();
    dangling(&base);
    the_other_is_balanced(&place, &actor, &["left alone somebody", base.to_str().unwrap(), "Mend it"]);
}

#[test]
fn an_actor_whose_actor_file_cannot_be_read_is_named_and_the_others_go_on() {
    let place = Place::new();
    let actor = Actor::unbalanced(&place.data(), "somebody");
    let file = actor.dir.join("actor.json");
    fs::create_dir(&file).unwrap();
    the_other_is_balanced(&place, &actor, &["left alone somebody", file.to_str().unwrap(), "Mend it"]);
}

#[test]
fn an_actor_whose_manifest_cannot_be_understood_is_left_alone_with_file_line_and_remedy() {
    let place = Place::new();
    let actor = Actor::unbalanced(&place.data(), "somebody");
    let manifest = actor.dir.join("manifest.json");
    fs::write(&manifest, "{\n  \"actor_id\": \"somebody\",\n  \"images\": {\n}").unwrap();
    let before = snapshot(&actor.dir);
    let words = ["left alone somebody", manifest.to_str().unwrap(), "line 4", "Mend it, or move it away"];
    the_other_is_balanced(&place, &actor, &words);
    assert_eq!(snapshot(&actor.dir), before);
}

#[test]
fn an_actor_whose_manifest_cannot_be_read_is_left_alone_even_by_a_dry_run() {
    let place = Place::new();
    let actor = Actor::unbalanced(&place.data(), "somebody");
    let manifest = actor.dir.join("manifest.json");
    dangling(&manifest);
    let proposed = Ran::of(place.local().arg("--dry-run")).failed(3, &[manifest.to_str().unwrap()]);
    assert!(proposed.answer.contains("somebody: needs attention: "), "{proposed:#?}");
    the_other_is_balanced(&place, &actor, &["left alone somebody", manifest.to_str().unwrap(), "Mend it"]);
    assert!(manifest.is_symlink() && actor.trash().is_empty());
}
