//! `local --watch`, and `send` and `status` beside it.

use std::fs;

use domain::kind::Kind;
use domain::numbering::number_of;
use serde_json::Value;

use crate::support::actors::Actor;
use crate::support::background::{Background, wait_until};
use crate::support::pictures::drawn;
use crate::support::run::{Ran, balancer};
use crate::support::stack::Place;

fn watch(place: &Place) -> Background {
    let mut command = place.local_in_background();
    command.arg("--watch");
    let mut watching = Background::start(command);
    watching.wait_for("Ctrl-C ends it");
    watching
}

fn status(place: &Place) -> Value {
    Ran::of(place.balancer().args(["status", "--json"])).json()
}

/// Waits until the actor is balanced at 4/1/1 and this condition holds.
fn settled(place: &Place, what: &str, holds: impl Fn() -> bool) {
    let is_settled = || {
        let actor = &status(place)["actors"][0];
        let counts = ["photorealistic", "bw_stylized", "color_stylized"].map(|kind| actor[kind].as_u64());
        holds() && actor["status"] == "balanced" && counts == [Some(4), Some(1), Some(1)] && actor["plan"].is_null()
    };
    wait_until(is_settled, || format!("{what}; status: {}", status(place)));
}

fn send(place: &Place, arguments: &[&str]) {
    let sent = Ran::of(place.balancer().arg("send").args(arguments)).done();
    assert!(sent.answer.starts_with("requested "), "{sent:#?}");
}

#[test]
fn without_a_stack_commands_name_the_remedy() {
    let cache = tempfile::tempdir().unwrap();
    let words = ["no stack is running here", "--watch", "--stack", "with --data DIR"];
    for arguments in
        [&["status"][..], &["status", "--rejected"], &["send", "evaluation", "a"], &["drain"], &["evaluate", "--stuck"]]
    {
        Ran::of(balancer().args(arguments).env("BALANCER_CACHE_DIR", cache.path())).failed(1, &words);
    }
}

#[test]
fn watch_processes_messages_and_new_files() {
    let place = Place::new();
    let actor = Actor::balanced(&place.data(), "the hero+1");
    let mut watching = watch(&place);
    settled(&place, "the first evaluation", || true);

    send(&place, &["evaluation", &actor.id]);
    send(&place, &["generation", &actor.id, "--bw-stylized", "1"]);
    settled(&place, "the surplus image is deleted", || actor.trash().len() == 1);
    assert_eq!(highest_number(&actor), 7);

    let unknown = Ran::of(place.balancer().args(["send", "deletion", &actor.id, "x.jpg"])).done();
    assert!(unknown.remarks.contains("no record of x.jpg"), "{unknown:#?}");
    send(&place, &["deletion", &actor.id, "the hero+1_1.jpg"]);
    settled(&place, "a new image for the deleted one", || is_full_again(&actor, 8));
    assert!(actor.trash().contains("the hero+1_1.jpg"));

    let before = actor.trash().len();
    actor.put("dropped in.jpg", &drawn(Kind::ColorStylized)[5]);
    watching.wait_for("found ");
    settled(&place, "the surplus of the dropped image is deleted", || actor.trash().len() > before);

    send(&place, &["deletion", "stranger", "x.jpg"]);
    let unknown = Ran::of(place.balancer().args(["status", "another stranger"]));
    unknown.failed(1, &["another stranger"]);

    let drained = Ran::of(place.balancer().arg("drain")).done();
    assert!(drained.answer.contains("Drained"), "{drained:#?}");
    Ran::of(place.balancer().arg("pause")).failed(2, &["--stack <NAME>"]);
    watching.signal("INT");
    assert_eq!(watching.end(), Some(130), "{}", watching.output());
    actor.agrees_with_its_manifest();
    Ran::of(place.balancer().arg("status")).failed(1, &["no stack is running here"]);
}

#[test]
fn deletion_accepts_another_unicode_form() {
    let place = Place::new();
    let actor = Actor::balanced(&place.data(), "hero");
    let (composed, decomposed) = ("J\u{fc}rgen_1.jpg", "Ju\u{308}rgen_1.jpg");
    fs::rename(actor.training_data().join("hero_1.jpg"), actor.training_data().join(composed)).unwrap();
    let mut watching = watch(&place);
    send(&place, &["deletion", "hero", decomposed]);
    settled(&place, "a new image for the deleted one", || actor.trash().contains(composed));
    watching.signal("INT");
    assert_eq!(watching.end(), Some(130), "{}", watching.output());
}

/// Whether the set has six images, and this number or a higher one is used. A bad generated image may have been
/// replaced.
fn is_full_again(actor: &Actor, number: u64) -> bool {
    actor.files().len() == 6 && highest_number(actor) >= number
}

/// The highest number in the folder or the trash.
fn highest_number(actor: &Actor) -> u64 {
    let names = actor.files().into_iter().chain(actor.trash());
    names.map(|name| number_of(&name)).max().unwrap()
}

#[test]
fn image_removed_during_a_watch_stays_removed() {
    let place = Place::new();
    let actor = Actor::balanced(&place.data(), "hero");
    let mut watching = watch(&place);
    fs::remove_file(actor.training_data().join("hero_1.jpg")).unwrap();
    settled(&place, "a new image for the removed one", || is_full_again(&actor, 7));
    watching.signal("INT");
    assert_eq!(watching.end(), Some(130));
    assert!(!actor.files().contains("hero_1.jpg"));
    actor.agrees_with_its_manifest();
}

#[test]
fn commands_do_not_find_a_killed_stack() {
    let place = Place::new();
    Actor::balanced(&place.data(), "hero");
    let mut watching = watch(&place);
    watching.signal("KILL");
    watching.end();
    Ran::of(place.balancer().arg("status")).failed(1, &["no stack is running here"]);
    Ran::of(place.balancer().args(["send", "evaluation", "hero"])).failed(1, &["no stack is running here"]);
}
