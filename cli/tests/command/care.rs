//! `pin`, `unpin`, `approve`, `restore` and `redrive`.

use std::collections::BTreeSet;
use std::fs;

use serde_json::{Value, json};

use crate::support::actors::Actor;
use crate::support::background::{Background, wait_until};
use crate::support::damaged::{png, red_and_blue};
use crate::support::run::{Ran, balancer};
use crate::support::stack::Place;

pub(crate) fn watch(place: &Place, options: &[&str]) -> Background {
    let mut command = place.local_in_background();
    command.arg("--watch").args(options);
    let mut watching = Background::start(command);
    watching.wait_for("Ctrl-C ends it");
    watching
}

pub(crate) fn balancer_at(place: &Place, arguments: &[&str]) -> Ran {
    Ran::of(place.balancer().args(arguments))
}

fn status_of(place: &Place) -> Value {
    balancer_at(place, &["status", "--json"]).json()["actors"][0].clone()
}

fn end(mut watching: Background) {
    watching.signal("INT");
    assert_eq!(watching.end(), Some(130), "{}", watching.output());
}

fn pinned(actor: &Actor) -> BTreeSet<String> {
    let manifest = actor.manifest();
    let images = manifest["images"].as_object().unwrap();
    images.iter().filter(|(_, image)| image["pinned"] == true).map(|(name, _)| name.clone()).collect()
}

#[test]
fn restored_images_displace_unpinned_ones() {
    let place = Place::new();
    let actor = Actor::unbalanced(&place.data(), "the hero");
    let mut watching = watch(&place, &[]);
    let trash = actor.trash();
    let two: Vec<&str> = trash.iter().take(2).map(String::as_str).collect();

    let restored = balancer_at(&place, &["restore", "the hero", two[0], two[1], "--json"]).done().json();
    assert_eq!(restored["restored"].as_array().unwrap().len(), 2, "{restored}");
    // Pinned images stay before all others of their kind, so the next evaluation deletes others.
    let is_settled = || actor.files().len() == 6 && status_of(&place)["status"] == "balanced";
    wait_until(is_settled, || format!("six images, not {:?}", actor.files()));
    assert!(two.iter().all(|name| actor.files().contains(*name)), "{:?}", actor.files());
    let again = balancer_at(&place, &["restore", "the hero", two[0]]);
    again.failed(1, &["the trash of the hero holds no", "1 file is unchanged"]);
    assert!(!two.iter().any(|name| actor.trash().contains(*name)), "{:?}", actor.trash());

    watching.wait_for("the hero: restored and pinned");
    balancer_at(&place, &["unpin", "the hero", two[0]]).done();
    watching.wait_for(&format!("the hero: unpinned {}", two[0]));
    end(watching);
    actor.agrees_with_its_manifest();
    assert_eq!(pinned(&actor), BTreeSet::from([two[1].to_owned()]));
}

#[test]
fn restore_overwrites_no_file() {
    let place = Place::new();
    let actor = Actor::unbalanced(&place.data(), "hero");
    let mut watching = watch(&place, &[]);
    let trash = actor.trash();
    let two: Vec<&str> = trash.iter().take(2).map(String::as_str).collect();
    actor.put(two[0], &png(red_and_blue(120, 90)));
    watching.wait_for("found ");

    let ran = balancer_at(&place, &["restore", "hero", two[0], two[1]]);
    ran.failed(1, &["another file is called", two[0], "1 file is unchanged"]);
    assert!(actor.files().contains(two[1]));
}

#[test]
fn restore_works_without_a_stack_and_the_images_stay() {
    let place = Place::new();
    let actor = Actor::unbalanced(&place.data(), "hero");
    Ran::of(&mut place.local()).done();
    let trash = actor.trash();
    let data = place.data();
    let restore =
        |arguments: &[&str]| Ran::of(balancer().args(["restore", "--data"]).arg(&data).arg("hero").args(arguments));

    let unknown = restore(&["nothing.jpg"]);
    unknown.failed(1, &["the trash of hero holds no nothing.jpg", trash.first().unwrap()]);
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
fn second_restore_completes_an_interrupted_one() {
    let place = Place::new();
    let actor = Actor::nothing(&place.data(), "hero");
    let image = json!({ "index": 1, "etag": "e", "quality": 7 });
    let trashed = json!({ "plan_id": "p", "deleted_at": "2026-01-01T00:00:00Z", "reason": "Surplus.", "image": image });
    let manifest = json!({ "actor_id": "hero", "trash": { "hero_1.jpg": [trashed] } });
    fs::write(actor.dir.join("manifest.json"), manifest.to_string()).unwrap();
    actor.put("hero_1.jpg", &png(red_and_blue(120, 90)));
    let restore = || Ran::of(balancer().args(["restore", "hero", "--data"]).arg(place.data()));

    restore().done();
    assert_eq!(pinned(&actor), BTreeSet::from(["hero_1.jpg".to_owned()]));
    assert_eq!(actor.manifest()["images"]["hero_1.jpg"]["quality"], 7);
    restore().failed(1, &["the trash of hero is empty"]);
}

#[test]
fn unknown_actors_and_images_are_named_with_a_remedy() {
    let place = Place::new();
    let actor = Actor::balanced(&place.data(), "hero");
    let _watching = watch(&place, &[]);
    for arguments in [
        &["pin", "stranger", "x.jpg"][..],
        &["unpin", "stranger", "x.jpg"],
        &["approve", "stranger"],
        &["restore", "stranger"],
        &["status", "stranger"],
    ] {
        balancer_at(&place, arguments).failed(1, &["does not know the actor stranger", "balancer status"]);
    }
    balancer_at(&place, &["restore", "hero"]).failed(1, &["the trash of hero is empty"]);
    balancer_at(&place, &["approve", "hero"]).failed(1, &["no plan of hero is on hold"]);
    let some = balancer_at(&place, &["pin", "hero", "hero_1.jpg", "x.jpg", "--json"]);
    assert_eq!(some.json()["pinned"], json!(["hero_1.jpg"]));
    some.failed(1, &["hero has no image x.jpg", "balancer send evaluation hero"]);

    balancer_at(&place, &["send", "deletion", "hero", "hero_1.jpg"]).done();
    let rejected = || balancer_at(&place, &["status", "--rejected"]).done().answer;
    wait_until(|| rejected().contains("balancer unpin hero"), rejected);
    assert!(actor.files().contains("hero_1.jpg"));

    let redriven = balancer_at(&place, &["redrive", "--json"]).done().json();
    assert_eq!(redriven["queues"][1], json!({ "queue": "deletion", "messages": 0 }));
    let output = balancer_at(&place, &["redrive", "generation"]).done().answer;
    assert_eq!(output.trim(), "generation: no failed messages");
}

#[test]
fn plan_on_hold_waits_for_approval() {
    let place = Place::new();
    let actor = Actor::unbalanced(&place.data(), "hero");
    let mut watching = watch(&place, &["--max-deleted-percent", "10"]);
    assert!(actor.trash().is_empty());
    let status = balancer_at(&place, &["status", "--plan"]);
    for words in ["needs you", "is on hold", "  delete hero_", "  generate 1 bw_stylized", "$0.00"] {
        assert!(status.answer.contains(words), "{status:#?}");
    }
    status.failed(3, &[]);
    let plan = &balancer_at(&place, &["status", "--plan", "--json"]).json()["actors"][0];
    assert_eq!(plan["plan"]["delete"].as_array().unwrap().len(), 2, "{plan}");

    balancer_at(&place, &["approve", "hero"]).done();
    watching.wait_for("hero: approved the plan");
    let gone = || actor.trash().len() >= 2;
    wait_until(gone, || status_of(&place).to_string());
    end(watching);
}

#[test]
fn run_names_the_remedy_for_a_plan_on_hold() {
    let place = Place::new();
    let actor = Actor::unbalanced(&place.data(), "hero");
    let before = actor.files();
    let ran = Ran::of(place.local().args(["--max-deleted-percent", "10"]));
    ran.failed(3, &["on hold: the plan deletes 2 of 7", "--dry-run", "--max-deleted-percent 29"]);
    assert_eq!(actor.files(), before);
}
