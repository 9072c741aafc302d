//! Every kind of exit leaves a consistent folder, no process and no temporary file.

use std::fs;
use std::net::TcpListener;
use std::process::Command;

use crate::support::actors::Actor;
use crate::support::background::{Background, wait_until};
use crate::support::run::Ran;
use crate::support::stack::Place;

fn assert_nothing_is_left(place: &Place) {
    wait_until(|| place.processes().is_empty(), || format!("the end of {:#?}", place.processes()));
    let left = || std::fs::read_dir(place.tmp()).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>();
    wait_until(|| left().is_empty(), || format!("the removal of {:?}", left()));
}

/// Starts a run. When it has printed `moment` and `done` returns true, sends it the signal. Returns the exit code.
fn interrupt(place: &Place, moment: &str, done: impl FnMut() -> bool, signal: &str) -> Option<i32> {
    let mut running = Background::start(place.local_in_background());
    running.wait_for(moment);
    wait_until(done, || running.output());
    assert!(!place.processes().is_empty(), "the emulator can't be seen");
    running.signal(signal);
    running.end()
}

#[test]
fn ctrl_c_during_generation_leaves_no_process() {
    let place = Place::new();
    let actor = Actor::nothing(&place.data(), "hero").with_base();
    assert_eq!(interrupt(&place, "round 1", || actor.files().len() >= 2, "INT"), Some(130));
    assert_nothing_is_left(&place);
    actor.agrees_with_its_manifest();
}

#[test]
fn sigterm_in_the_first_round_leaves_no_process() {
    let place = Place::new();
    let actor = Actor::unbalanced(&place.data(), "hero");
    // An evaluation has begun and has recorded the images.
    let manifest = actor.dir.join("manifest.json");
    let is_evaluated = || fs::read_to_string(&manifest).is_ok_and(|text| text.contains("hero_1.jpg"));
    assert_eq!(interrupt(&place, "hero: ", is_evaluated, "TERM"), Some(130));
    assert_nothing_is_left(&place);
    actor.agrees_with_its_manifest();
}

#[test]
fn closed_terminal_ends_a_run_like_sigterm() {
    let place = Place::new();
    let actor = Actor::nothing(&place.data(), "hero").with_base();
    assert_eq!(interrupt(&place, "round 1", || actor.files().len() >= 2, "HUP"), Some(130));
    assert_nothing_is_left(&place);
    actor.agrees_with_its_manifest();
}

#[test]
fn run_under_nohup_outlives_its_terminal() {
    let place = Place::new();
    let actor = Actor::unbalanced(&place.data(), "hero");
    let own = place.local_in_background();
    let mut command = Command::new(own.get_program());
    // The first argument gives SIGHUP its default action, which `nohup` then changes.
    let mut arguments = own.get_args();
    command.args(arguments.next()).arg("nohup").args(arguments);
    command.envs(own.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let mut running = Background::start(command);
    running.wait_for("hero: ");
    running.signal("HUP");
    wait_until(|| running.output().contains("Balanced at 4/1/1"), || running.output());
    assert_eq!(running.end(), Some(0), "{}", running.output());
    actor.agrees_with_its_manifest();
}

#[test]
fn killed_run_leaves_no_process() {
    let place = Place::new();
    let actor = Actor::unbalanced(&place.data(), "hero");
    assert_eq!(interrupt(&place, "round 1", || true, "KILL"), None);
    assert_nothing_is_left(&place);
    Ran::of(&mut place.local()).done();
    actor.agrees_with_its_manifest();
}

#[test]
fn port_in_use_is_named() {
    let place = Place::new();
    Actor::balanced(&place.data(), "hero");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    Ran::of(place.local().args(["--port", &port])).failed(1, &[&port, "in use", "another port"]);
}
