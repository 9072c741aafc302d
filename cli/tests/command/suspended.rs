//! A suspended set is not retried until its input changes.

use std::fs;
use std::path::PathBuf;

use assert_cmd::Command;
use domain::kind::Kind;
use imaging::decode;
use serde_json::Value;

use crate::support::actors::{Actor, snapshot};
use crate::support::background::Background;
use crate::support::damaged::png;
use crate::support::pictures::drawn;
use crate::support::run::Ran;
use crate::support::stack::Place;

/// No image reaches this quality, so every round deletes and generates all of them.
const NEVER_GOOD: [&str; 5] = ["--quality-floor", "10", "--max-deleted-percent", "100", "--json"];

fn local(place: &Place) -> Command {
    let mut command = place.local();
    command.args(NEVER_GOOD);
    command
}

fn generated(ran: &Ran) -> usize {
    ran.last_line()["actors"][0]["generated"].as_array().unwrap().len()
}

fn images(actor: &Actor) -> Vec<PathBuf> {
    let files = snapshot(&actor.dir).into_keys();
    files.filter(|path| !path.ends_with("manifest.json")).collect()
}

#[test]
fn suspended_set_is_unchanged_until_its_input_changes() {
    let place = Place::new();
    let actor = Actor::unbalanced(&place.data(), "hero");
    let first = Ran::of(&mut local(&place)).failed(3, &["After 3 rounds"]);
    assert!(generated(&first) >= 3, "{first:#?}");
    let suspension = actor.manifest()["balancing"].clone();
    assert_eq!((&suspension["status"], &suspension["rounds"]), (&Value::from("needs_attention"), &Value::from(3)));

    let before = images(&actor);
    let second = Ran::of(&mut local(&place)).failed(3, &["After 3 rounds", "Nothing has changed", "--retry"]);
    assert_eq!(generated(&second), 0, "{second:#?}");
    assert!(!second.remarks.contains("deleted hero"), "{second:#?}");
    assert_eq!(second.last_line()["actors"][0]["reason"], first.last_line()["actors"][0]["reason"]);
    assert_eq!(images(&actor), before);
    assert_eq!(actor.manifest()["balancing"], suspension);

    let mut watching = place.local_in_background();
    watching.args(NEVER_GOOD).arg("--watch");
    let mut watching = Background::start(watching);
    watching.wait_for("Ctrl-C ends it");
    assert!(watching.output().contains("Nothing has changed"), "{}", watching.output());
    assert_eq!(images(&actor), before);
    watching.signal("INT");
    watching.end();

    let again = Ran::of(local(&place).arg("--retry")).failed(3, &["After 3 rounds"]);
    assert!(generated(&again) >= 3 && !again.remarks.contains("Nothing has changed"), "{again:#?}");
    actor.put("another.jpg", &drawn(Kind::ColorStylized)[5]);
    let changed = Ran::of(&mut local(&place));
    assert!(generated(&changed) >= 3, "{changed:#?}");
    let easier = Ran::of(&mut place.local());
    assert!(
        !easier.answer.contains("Nothing has changed"),
        "a changed quality floor starts a new attempt: {easier:#?}"
    );
}

#[test]
fn base_image_replaced_during_a_run_is_tried() {
    let place = Place::new();
    let actor = Actor::unbalanced(&place.data(), "hero");
    let mut run = place.local_in_background();
    run.args(NEVER_GOOD);
    let mut run = Background::start(run);
    run.wait_for("deleted ");
    let another = decode(&drawn(Kind::Photorealistic)[5]).unwrap();
    fs::write(actor.dir.join("base_image/hero_base.png"), png(another)).unwrap();
    assert_eq!(run.end(), Some(3), "{}", run.output());

    let next = Ran::of(&mut local(&place)).failed(3, &["After 3 rounds"]);
    assert!(generated(&next) >= 3, "{next:#?}");
}

#[test]
fn set_on_hold_is_unchanged_by_every_run() {
    let place = Place::new();
    let actor = Actor::unbalanced(&place.data(), "hero");
    let before = images(&actor);
    for _ in 0..2 {
        let ran = Ran::of(place.local().args(["--max-deleted-percent", "10", "--json"]));
        let ran = ran.failed(3, &["MAX_DELETED_PERCENT=10", "--dry-run"]);
        assert_eq!(generated(&ran), 0, "{ran:#?}");
        assert_eq!(ran.last_line()["actors"][0]["awaits_approval"], true);
        assert_eq!(images(&actor), before);
    }
}
