//! A killed run costs nothing: the next one continues its work, and pays for no image again.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use balancer_tests::replicate::Outcome;
use domain::kind::Kind;
use serde_json::Value;

use crate::support::actors::{Actor, snapshot};
use crate::support::background::{Background, wait_until};
use crate::support::paid::{IMAGE_TIME, Paid, Service};
use crate::support::pictures::drawn;
use crate::support::run::Ran;
use crate::support::stack::Place;

/// The remark of a run that continues a killed one.
const CONTINUED: &str = "continuing what an earlier run has left unfinished";

/// No image reaches this quality, so every round deletes and generates all of them.
const NEVER_GOOD: [&str; 5] = ["--quality-floor", "10", "--max-deleted-percent", "100", "--json"];

/// The files below the state folder.
fn state(place: &Place) -> Vec<PathBuf> {
    let dir = place.data().join(".balancer");
    snapshot(&dir).into_keys().map(|path| path.strip_prefix(&dir).unwrap().to_owned()).collect()
}

fn assert_only_spending_is_left(place: &Place) {
    assert_eq!(state(place), [PathBuf::from("spending.json")]);
}

#[test]
fn run_killed_after_its_first_request_pays_once() {
    let paid = Paid::new();
    let actor = Actor::nothing(&paid.place.data(), "new").with_base();
    paid.kill_when(|service| service.replicate.creations() >= 1);
    let ran = paid.ends_well(&[&actor]);
    assert!(ran.remarks.contains(CONTINUED), "{ran:#?}");
    assert_only_spending_is_left(&paid.place);
}

#[test]
fn image_requested_without_a_response_is_found() {
    let late = |_| Outcome::RespondsAfter(IMAGE_TIME);
    let paid = Paid { service: Service::with_outcomes(late), ..Paid::new() };
    let actor = Actor::nothing(&paid.place.data(), "new").with_base();
    paid.kill_when(|service| service.replicate.creations() >= 6);
    paid.ends_well(&[&actor]);
}

#[test]
fn requested_images_are_fetched_by_the_next_run() {
    let paid = Paid::new();
    let actor = Actor::nothing(&paid.place.data(), "new").with_base();
    paid.kill_when(|service| service.replicate.creations() >= 6);
    let requested: Vec<String> = paid.service.replicate.predictions().into_iter().map(|it| it.id).collect();
    paid.ends_well(&[&actor]);
    let all: Vec<String> = paid.service.replicate.predictions().into_iter().map(|it| it.id).collect();
    assert_eq!(all, requested);
}

#[test]
fn run_killed_while_it_places_images_pays_once() {
    let paid = Paid::new();
    let actor = Actor::nothing(&paid.place.data(), "new").with_base();
    paid.kill_when(|_| !actor.files().is_empty());
    paid.ends_well(&[&actor]);
}

#[test]
fn run_killed_again_and_again_pays_once() {
    let paid = Paid::new();
    let actor = Actor::unbalanced(&paid.place.data(), "hero");
    let other = Actor::nothing(&paid.place.data(), "other").with_base();
    let (originals, manifest) = (actor.files(), other.dir.join("manifest.json"));
    paid.kill_when(|_| manifest.exists());
    paid.kill_when(|_| !actor.trash().is_empty());
    paid.kill_when(|service| service.replicate.creations() >= 3);
    paid.kill_when(|_| other.files().len() >= 2);
    let ran = Ran::of(&mut paid.local()).done();
    let generated = actor.files().union(&actor.trash()).filter(|name| !originals.contains(*name)).count();
    let kept = generated + other.files().len() + other.trash().len();
    assert_eq!((paid.service.replicate.charged(), paid.service.replicate.creations()), (kept, kept), "{ran:#?}");
    [actor, other].iter().for_each(Actor::agrees_with_its_manifest);
}

#[test]
fn run_killed_while_it_stops_pays_once() {
    let paid = Paid::new();
    let actor = Actor::nothing(&paid.place.data(), "new").with_base();
    let mut running = paid.in_background();
    wait_until(|| paid.service.replicate.creations() >= 2, || running.output());
    running.signal("TERM");
    running.wait_for("stopping when the images in progress are done");
    assert!(running.kill(), "{}", running.output());
    paid.ends_well(&[&actor]);
}

#[test]
fn images_of_an_impatient_stop_are_fetched_later() {
    let paid = Paid::new();
    let actor = Actor::nothing(&paid.place.data(), "new").with_base();
    let mut running = paid.in_background();
    wait_until(|| paid.service.replicate.creations() >= 6, || running.output());
    running.signal("INT");
    running.wait_for("stopping when the images in progress are done");
    running.signal("INT");
    assert_eq!(running.end(), Some(130), "{}", running.output());
    paid.ends_well(&[&actor]);
    assert_only_spending_is_left(&paid.place);
}

#[test]
fn work_on_actors_outside_the_next_run_is_kept() {
    let paid = Paid::new();
    let actors = ["one", "two"].map(|id| Actor::nothing(&paid.place.data(), id).with_base());
    paid.kill_when(|service| service.replicate.creations() >= 8);
    let ran = Ran::of(paid.local().args(["--actor", "one"])).done();
    assert!(ran.remarks.contains("the next run continues it"), "{ran:#?}");
    paid.ends_well(&[&actors[0], &actors[1]]);
    assert_only_spending_is_left(&paid.place);
}

#[test]
fn spending_of_the_day_counts_in_the_next_run() {
    // Six images cost $0.24.
    let paid = Paid { daily_budget: "0.25", ..Paid::new() };
    let actor = Actor::nothing(&paid.place.data(), "one").with_base();
    paid.ends_well(&[&actor]);
    assert_only_spending_is_left(&paid.place);
    let other = Actor::nothing(&paid.place.data(), "two").with_base();
    for _ in 0..2 {
        Ran::of(&mut paid.local()).failed(3, &["two", "DAILY_BUDGET_USD"]);
        assert_eq!(paid.service.replicate.creations(), 6);
    }
    let paid = Paid { daily_budget: "1", ..paid };
    paid.ends_well(&[&actor, &other]);
}

#[test]
fn spending_of_a_killed_run_counts_in_the_next() {
    let paid = Paid { daily_budget: "0.25", ..Paid::new() };
    let actor = Actor::nothing(&paid.place.data(), "one").with_base();
    paid.kill_when(|service| service.replicate.creations() >= 6);
    Actor::nothing(&paid.place.data(), "two").with_base();
    Ran::of(&mut paid.local()).failed(3, &["two", "DAILY_BUDGET_USD"]);
    assert_eq!((paid.service.replicate.creations(), actor.files().len()), (6, 6));
}

#[test]
fn rounds_of_a_killed_run_count() {
    let place = Place::new();
    let actor = Actor::unbalanced(&place.data(), "hero");
    let mut command = place.local_in_background();
    command.args(NEVER_GOOD);
    let mut running = Background::start(command);
    let rounds = || fs::read_dir(actor.dir.join("trash")).map_or(0, Iterator::count);
    wait_until(|| rounds() == 2, || running.output());
    assert!(running.kill(), "{}", running.output());
    Ran::of(place.local().args(NEVER_GOOD)).failed(3, &["After 3 rounds"]);
    assert_eq!(rounds(), 3);
    assert!(state(&place).is_empty());
}

#[test]
fn set_that_needs_attention_is_not_retried_after_a_kill() {
    let place = Place::new();
    let actor = Actor::unbalanced(&place.data(), "hero");
    let kill_watch = || {
        let mut command = place.local_in_background();
        command.args(NEVER_GOOD).arg("--watch");
        let mut watching = Background::start(command);
        watching.wait_for("Ctrl-C ends it");
        assert!(watching.kill());
        watching.output()
    };
    kill_watch();
    let images = || -> Vec<PathBuf> {
        snapshot(&actor.dir).into_keys().filter(|path| !path.ends_with("manifest.json")).collect()
    };
    let (before, suspension) = (images(), actor.manifest()["balancing"].clone());
    assert_eq!(suspension["status"], "needs_attention");
    let output = kill_watch();
    assert!(output.contains(CONTINUED) && output.contains("Nothing has changed"), "{output}");
    assert_eq!((images(), actor.manifest()["balancing"].clone()), (before, suspension));
    let retried = Ran::of(place.local().args(NEVER_GOOD).arg("--retry")).failed(3, &["After 3 rounds"]);
    let generated = retried.last_line()["actors"][0]["generated"].as_array().unwrap().len();
    assert!(generated >= 3, "{retried:#?}");
}

#[test]
fn changes_of_the_folder_after_a_kill_are_applied() {
    let place = Place::new();
    let actor = Actor::unbalanced(&place.data(), "hero");
    let mut command = place.local_in_background();
    command.arg("--watch");
    let mut watching = Background::start(command);
    watching.wait_for("Ctrl-C ends it");
    assert!(watching.kill());
    let photographs: Vec<String> = {
        let manifest = actor.manifest();
        let kind = |name: &String| manifest["images"][name]["type"].clone();
        actor.files().into_iter().filter(|name| kind(name) == "photorealistic").collect()
    };
    let [removed, replaced] = [0, 1].map(|at| photographs[at].clone());
    fs::remove_file(actor.training_data().join(&removed)).unwrap();
    actor.put(&replaced, &drawn(Kind::Photorealistic)[5]);
    actor.put("another_20.jpg", &drawn(Kind::Photorealistic)[4]);
    let ran = Ran::of(place.local().arg("--json")).done();
    for change in [format!("removed {}", actor.training_data().join(&removed).display()), "found".to_owned()] {
        assert!(ran.remarks.contains(&change), "{ran:#?}");
    }
    assert!(actor.trash().contains(&removed) && !actor.files().contains(&removed), "{ran:#?}");
    assert_eq!(actor.files().len(), 6);
    let names: BTreeSet<String> = [replaced, "another_20.jpg".to_owned()].into();
    let known: Value = actor.manifest();
    assert!(names.iter().all(|name| known["images"].get(name).or(known["trash"].get(name)).is_some()), "{known:#}");
    actor.agrees_with_its_manifest();
}

#[test]
fn run_without_a_state_folder_reports_the_risk() {
    let paid = Paid::new();
    let actor = Actor::nothing(&paid.place.data(), "new").with_base();
    fs::write(paid.place.data().join(".balancer"), "a file").unwrap();
    paid.kill_when(|service| service.replicate.creations() >= 6);
    let ran = Ran::of(&mut paid.local()).done();
    assert!(ran.remarks.contains("pays again for the images in progress"), "{ran:#?}");
    assert!(paid.creations() > 6, "it could not know which images had been requested");
    assert_eq!(actor.files().len(), 6);
}

#[test]
fn dry_run_leaves_the_state_of_a_killed_run_alone() {
    let paid = Paid::new();
    let actor = Actor::nothing(&paid.place.data(), "new").with_base();
    paid.kill_when(|service| service.replicate.creations() >= 6);
    wait_until(|| paid.place.processes().is_empty(), || format!("{:#?}", paid.place.processes()));
    let before = snapshot(&paid.place.data());
    Ran::of(paid.local().arg("--dry-run")).done();
    assert_eq!(snapshot(&paid.place.data()), before);
    paid.ends_well(&[&actor]);
}
