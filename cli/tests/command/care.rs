//! `pin`, `unpin`, `approve`, `restore` and `redrive`.

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::actors::Actor;
use crate::support::background::{Background, wait_until};
use crate::support::damaged::{png, red_and_blue};
use crate::support::run::{Ran, balancer};
use crate::support::stack::Place;

const PATIENCE: Duration = Duration::from_secs(60);

fn watch(place: &Place, options: &[&str]) -> Background {
    let mut command = place.local_in_background();
    command.arg("--watch").args(options);
    let mut watching = Background::start(command);
    watching.wait_for("Ctrl-C ends it");
    watching
}

fn balancer_at(place: &Place, arguments: &[&str]) -> Ran {
    Ran::of(place.balancer().args(arguments))
}

fn standing(place: &Place) -> Value {
    balancer_at(place, &["status", "--json"]).json()[0].clone()
}

fn end(mut watching: Background) {
    watching.signal("INT");
    assert_eq!(watching.end(), Some(130), "{}", watching.said());
}

fn pinned(actor: &Actor) -> BTreeSet<String> {
    let manifest = actor.manifest();
    let images = manifest["images"].as_object().unwrap();
    images.iter().filter(|(_, image)| image["pinned"] == true).map(|(name, _)| name.clone()).collect()
}

#[test]
fn images_come_back_from_the_trash_and_others_go_in_their_stead() {
    let place = Place::new();
    let actor = Actor::unbalanced(&place.data(), "some body");
    let watching = watch(&place, &[]);
    let trash = actor.trash();
    let two: Vec<&str> = trash.iter().take(2).map(String::as_str).collect();

    let restored = balancer_at(&place, &["restore", "some body", two[0], two[1], "--json"]).done().json();
    assert_eq!(restored["restored"].as_array().unwrap().len(), 2, "{restored}");
    // They count first among the best of their kind, so others go in their stead.
    let is_settled = || actor.files().len() == 6 && standing(&place)["status"] == "balanced";
    wait_until(PATIENCE, is_settled, || format!("six images, not {:?}", actor.files()));
    assert!(two.iter().all(|name| actor.files().contains(*name)), "{:?}", actor.files());
    let again = balancer_at(&place, &["restore", "some body", two[0]]);
    again.failed(1, &["the trash of some body holds no", "1 file was left as it is"]);
    assert!(!two.iter().any(|name| actor.trash().contains(*name)), "{:?}", actor.trash());

    balancer_at(&place, &["unpin", "some body", two[0]]).done();
    end(watching);
    actor.agrees_with_its_manifest();
    assert_eq!(pinned(&actor), BTreeSet::from([two[1].to_owned()]));
}

#[test]
fn a_name_taken_since_keeps_its_file_and_the_others_come_back() {
    let place = Place::new();
    let actor = Actor::unbalanced(&place.data(), "somebody");
    let mut watching = watch(&place, &[]);
    let trash = actor.trash();
    let two: Vec<&str> = trash.iter().take(2).map(String::as_str).collect();
    actor.put(two[0], &png(red_and_blue(120, 90)));
    watching.wait_for("found ");

    let ran = balancer_at(&place, &["restore", "somebody", two[0], two[1]]);
    ran.failed(1, &["another file is called", two[0], "1 file was left as it is"]);
    assert!(actor.files().contains(two[1]));
}

#[test]
fn a_folder_without_a_stack_gets_its_images_back_and_the_next_run_leaves_them() {
    let place = Place::new();
    let actor = Actor::unbalanced(&place.data(), "somebody");
    Ran::of(&mut place.local()).done();
    let trash = actor.trash();
    let data = place.data();
    let restore =
        |arguments: &[&str]| Ran::of(balancer().args(["restore", "--data"]).arg(&data).arg("somebody").args(arguments));

    let unknown = restore(&["nothing.jpg"]);
    unknown.failed(1, &["the trash of somebody holds no nothing.jpg", trash.first().unwrap()]);
    let answer = restore(&["--json"]).done().json();
    let back: BTreeSet<String> = answer["restored"].as_array().unwrap().iter().map(file_name).collect();
    assert!(!back.is_empty() && back.is_subset(&actor.files()), "{back:?}");
    assert_eq!(pinned(&actor), back);
    assert!(back.is_disjoint(&actor.trash()));
    actor.agrees_with_its_manifest();

    Ran::of(&mut place.local());
    assert!(back.is_subset(&actor.files()));
    assert_eq!(pinned(&actor), back);
    actor.agrees_with_its_manifest();
}

fn file_name(entry: &Value) -> String {
    entry["file"].as_str().unwrap().to_owned()
}

#[test]
fn a_folder_cut_off_between_the_file_and_the_manifest_is_restored_by_a_second_attempt() {
    let place = Place::new();
    let actor = Actor::nothing(&place.data(), "somebody");
    let image = json!({ "index": 1, "etag": "e", "quality": 7 });
    let trashed = json!({ "plan_id": "p", "deleted_at": "2026-01-01T00:00:00Z", "reason": "Surplus.", "image": image });
    let manifest = json!({ "actor_id": "somebody", "trash": { "somebody_1.jpg": [trashed] } });
    fs::write(actor.dir.join("manifest.json"), manifest.to_string()).unwrap();
    actor.put("somebody_1.jpg", &png(red_and_blue(120, 90)));
    let restore = || Ran::of(balancer().args(["restore", "somebody", "--data"]).arg(place.data()));

    restore().done();
    assert_eq!(pinned(&actor), BTreeSet::from(["somebody_1.jpg".to_owned()]));
    assert_eq!(actor.manifest()["images"]["somebody_1.jpg"]["quality"], 7);
    restore().failed(1, &["the trash of somebody is empty"]);
}

#[test]
fn whom_and_what_the_stack_does_not_know_is_named_with_the_remedy() {
    let place = Place::new();
    let actor = Actor::balanced(&place.data(), "somebody");
    let _watching = watch(&place, &[]);
    for arguments in [
        &["pin", "nobody", "x.jpg"][..],
        &["unpin", "nobody", "x.jpg"],
        &["approve", "nobody"],
        &["restore", "nobody"],
        &["status", "nobody"],
    ] {
        balancer_at(&place, arguments).failed(1, &["does not know the actor nobody", "balancer status"]);
    }
    balancer_at(&place, &["restore", "somebody"]).failed(1, &["the trash of somebody is empty"]);
    balancer_at(&place, &["approve", "somebody"]).failed(1, &["no plan of somebody awaits approval"]);
    let some = balancer_at(&place, &["pin", "somebody", "somebody_1.jpg", "x.jpg", "--json"]);
    assert_eq!(some.json()["pinned"], json!(["somebody_1.jpg"]));
    some.failed(1, &["somebody has no image x.jpg", "balancer send evaluation somebody"]);

    balancer_at(&place, &["send", "deletion", "somebody", "somebody_1.jpg"]).done();
    let refused = || balancer_at(&place, &["status", "--rejected"]).done().answer;
    wait_until(PATIENCE, || refused().contains("balancer unpin somebody"), refused);
    assert!(actor.files().contains("somebody_1.jpg"));

    let redriven = balancer_at(&place, &["redrive", "--json"]).done().json();
    assert_eq!(redriven[1], json!({ "queue": "deletion", "messages": 0 }));
    let said = balancer_at(&place, &["redrive", "generation"]).done().answer;
    assert_eq!(said.trim(), "generation: nothing was given up");
}

#[test]
fn a_plan_above_the_cap_waits_until_it_is_approved_of() {
    let place = Place::new();
    let actor = Actor::unbalanced(&place.data(), "somebody");
    let watching = watch(&place, &["--max-deleted-percent", "10"]);
    assert!(actor.trash().is_empty());
    let status = balancer_at(&place, &["status", "--plan"]);
    for words in ["needs_attention", "awaits approval", "  delete somebody_", "  generate 1 bw_stylized", "$0.00"] {
        assert!(status.answer.contains(words), "{status:#?}");
    }
    status.failed(3, &[]);
    let plan = &balancer_at(&place, &["status", "--plan", "--json"]).json()[0];
    assert_eq!(plan["plan_at_hand"]["delete"].as_array().unwrap().len(), 2, "{plan}");

    balancer_at(&place, &["approve", "somebody"]).done();
    let gone = || actor.trash().len() >= 2;
    wait_until(PATIENCE, gone, || standing(&place).to_string());
    end(watching);
}

#[test]
fn without_watching_a_plan_above_the_cap_ends_with_the_way_out() {
    let place = Place::new();
    let actor = Actor::unbalanced(&place.data(), "somebody");
    let before = actor.files();
    let ran = Ran::of(place.local().args(["--max-deleted-percent", "10"]));
    ran.failed(3, &["on hold: the plan deletes 2 of 7", "--dry-run", "--max-deleted-percent 29"]);
    assert_eq!(actor.files(), before);
}
