//! `local --watch` applies changes of an actor's files, and reports every result.

use std::fs;
use std::os::unix::fs::symlink;
use std::time::Duration;

use domain::kind::Kind;
use serde_json::Value;

use crate::support::actors::Actor;
use crate::support::background::{Background, wait_until};
use crate::support::damaged::png;
use crate::support::pictures::{base, drawn};
use crate::support::stack::Place;

fn watch(place: &Place, options: &[&str]) -> Background {
    let mut command = place.local_in_background();
    command.args(["--watch", "--json"]).args(options);
    let mut watching = Background::start(command);
    watching.wait_for("Ctrl-C ends it");
    watching
}

/// The actors of each report so far; a report is a line of JSON.
fn reports(watching: &Background) -> Vec<Value> {
    let output = watching.output();
    let lines = output.lines().filter(|line| line.starts_with('{'));
    lines.map(|line| serde_json::from_str::<Value>(line).unwrap()["actors"].clone()).collect()
}

/// Waits until the last report contains only this actor, with this status.
fn wait_for_report(watching: &Background, actor: &str, status: &str) {
    let is_reported = || {
        let reports = reports(watching);
        let last = reports.last().and_then(Value::as_array).cloned().unwrap_or_default();
        last.len() == 1 && last[0]["actor_id"] == actor && last[0]["status"] == status
    };
    wait_until(is_reported, || format!("{actor} {status}; its output:\n{}", watching.output()));
}

fn end(mut watching: Background) {
    watching.signal("INT");
    assert_eq!(watching.end(), Some(130), "{}", watching.output());
}

#[test]
fn watch_reports_the_first_result() {
    let place = Place::new();
    Actor::balanced(&place.data(), "hero");
    let mut command = place.local_in_background();
    command.arg("--watch");
    let mut watching = Background::start(command);
    watching.wait_for("Nothing had to change");
    watching.wait_for("Ctrl-C ends it");
    end(watching);
}

#[test]
fn new_base_image_is_used() {
    let place = Place::new();
    let actor = Actor::without_base(&place.data(), "hero");
    let watching = watch(&place, &[]);
    wait_for_report(&watching, "hero", "needs_attention");
    let actor = actor.with_base();
    wait_for_report(&watching, "hero", "balanced");
    assert_eq!(reports(&watching).len(), 2, "{}", watching.output());
    end(watching);
    actor.agrees_with_its_manifest();
}

#[test]
fn corrected_actor_file_is_used() {
    let place = Place::new();
    let actor = Actor::balanced(&place.data(), "hero");
    let file = actor.dir.join("actor.json");
    fs::write(&file, r#"{"sexx":"female"}"#).unwrap();
    let watching = watch(&place, &[]);
    wait_for_report(&watching, "hero", "needs_attention");
    fs::write(&file, r#"{"sex":"female"}"#).unwrap();
    wait_for_report(&watching, "hero", "balanced");
    end(watching);
    assert_eq!(actor.manifest()["metadata"]["sex"], "female");
}

#[test]
fn new_and_repaired_actors_are_added() {
    let place = Place::new();
    let broken = Actor::unbalanced(&place.data(), "broken");
    fs::write(broken.dir.join("manifest.json"), "{").unwrap();
    let watching = watch(&place, &[]);
    wait_for_report(&watching, "broken", "needs_attention");

    let elsewhere = tempfile::tempdir_in(place.tmp()).unwrap();
    let copied = Actor::unbalanced(elsewhere.path(), "newcomer");
    fs::rename(&copied.dir, place.data().join("newcomer")).unwrap();
    wait_for_report(&watching, "newcomer", "balanced");
    Actor::nothing(&place.data(), "bare").with_base();
    wait_for_report(&watching, "bare", "balanced");

    fs::remove_file(broken.dir.join("manifest.json")).unwrap();
    wait_for_report(&watching, "broken", "balanced");
    end(watching);
    for id in ["broken", "newcomer", "bare"] {
        Actor { id: id.to_owned(), dir: place.data().join(id) }.agrees_with_its_manifest();
    }
}

#[test]
fn with_named_actors_no_other_is_added() {
    let place = Place::new();
    let actor = Actor::balanced(&place.data(), "hero");
    let mut watching = watch(&place, &["--actor", "hero"]);
    let other = Actor::unbalanced(&place.data(), "another hero");
    actor.put("dropped.jpg", &drawn(Kind::ColorStylized)[5]);
    watching.wait_for("found ");
    wait_until(|| reports(&watching).len() == 2, || watching.output());
    assert!(!watching.output().contains("another hero"), "{}", watching.output());
    end(watching);
    assert!(!other.dir.join("manifest.json").exists());
}

#[test]
fn dangling_links_do_not_end_a_watch() {
    let place = Place::new();
    let actor = Actor::balanced(&place.data(), "hero");
    let mut watching = watch(&place, &[]);
    let link = actor.training_data().join("link.png");
    symlink("/no/such/disk/file", &link).unwrap();
    watching.wait_for(&format!("skipped {}", link.display()));
    for _ in 0..40 {
        actor.put("transient.png", &png(base()));
        std::thread::sleep(Duration::from_millis(20));
        fs::remove_file(actor.training_data().join("transient.png")).unwrap();
    }
    actor.put("dropped.jpg", &drawn(Kind::ColorStylized)[5]);
    watching.wait_for("found ");
    wait_until(|| reports(&watching).len() == 2, || watching.output());
    end(watching);
}
