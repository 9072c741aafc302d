//! Commands find the intended stack, during its first round and among several stacks.

use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::support::actors::Actor;
use crate::support::background::{Background, wait_until};
use crate::support::run::Ran;
use crate::support::stack::Place;

/// A second data folder with one actor.
fn second_folder(place: &Place, actor: &str) -> PathBuf {
    let data = place.data().with_file_name("second");
    fs::create_dir_all(&data).unwrap();
    Actor::balanced(&data, actor);
    data
}

/// `local --serve` on the data folder.
fn serve(place: &Place) -> Background {
    let mut command = place.local_in_background();
    let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
    command.args(["--serve", "--port", &port.to_string()]);
    command.arg("--env-vars").arg(place.data().with_file_name("env.json"));
    command.arg("--events").arg(place.data().with_file_name("events"));
    let mut serving = Background::start(command);
    serving.wait_for("Ctrl-C ends it");
    serving
}

fn watch(mut command: Command) -> Background {
    command.arg("--watch");
    let mut watching = Background::start(command);
    watching.wait_for("Ctrl-C ends it");
    watching
}

#[test]
fn status_finds_the_stack_during_its_first_round() {
    let place = Place::new();
    Actor::unbalanced(&place.data(), "hero");
    let mut command = place.local_in_background();
    command.arg("--watch");
    let mut watching = Background::start(command);
    // The first image is being assessed: the round has begun, and its report is not printed yet.
    watching.wait_for("hero: ");
    let status: Value = Ran::of(place.balancer().args(["status", "--json"])).json();
    assert_eq!(status["actors"][0]["actor_id"], "hero");
    assert!(!watching.output().contains("Ctrl-C ends it"), "the round is over already: {}", watching.output());
}

#[test]
fn commands_find_one_of_several_stacks() {
    let place = Place::new();
    Actor::balanced(&place.data(), "first_actor");
    let data = second_folder(&place, "second_actor");
    let mut first = watch(place.local_in_background());
    let mut second = watch(place.local_in_background_on(&data));
    let balancer = || place.balancer();
    let (one, two) = (place.data().canonicalize().unwrap(), data.canonicalize().unwrap());
    let both = ["more than one stack is running", "--data DIR", one.to_str().unwrap(), two.to_str().unwrap()];
    Ran::of(balancer().arg("status")).failed(1, &both);
    Ran::of(balancer().arg("redrive")).failed(1, &both);
    Ran::of(balancer().args(["status", "third_actor"])).failed(1, &both);
    for (folder, actor) in [(&one, "first_actor"), (&two, "second_actor")] {
        let by_actor = Ran::of(balancer().args(["status", "--json", actor])).done().json();
        let by_folder = Ran::of(balancer().args(["status", "--json", "--data"]).arg(folder)).done().json();
        assert_eq!(
            (&by_actor["actors"][0]["actor_id"], by_folder["actors"].as_array().unwrap().len()),
            (&Value::from(actor), 1)
        );
        assert_eq!(by_folder["actors"][0]["actor_id"], actor);
        let name = format!("{actor}_1.jpg");
        Ran::of(balancer().args(["pin", actor, &name])).done();
        let env = Ran::of(balancer().args(["env", "--data"]).arg(folder)).done().answer;
        assert!(env.contains("export AWS_ENDPOINT_URL='http://127.0.0.1:"), "{env}");
    }
    let nowhere = place.tmp();
    let unknown = Ran::of(balancer().args(["status", "--data"]).arg(&nowhere));
    unknown.failed(1, &["holds no actor", nowhere.to_str().unwrap()]);
    let unknown = Ran::of(balancer().args(["send", "evaluation", "a", "--data"]).arg(&nowhere));
    unknown.failed(1, &["no stack is running for", nowhere.to_str().unwrap(), one.to_str().unwrap()]);

    second.signal("INT");
    second.end();
    let left = Ran::of(balancer().args(["status", "--json"])).done().json();
    assert_eq!(left["actors"][0]["actor_id"], "first_actor", "the first stack is still registered");
    first.kill();
    Ran::of(balancer().arg("status")).failed(1, &["no stack is running here"]);
    assert!(place.registered().is_empty(), "the file of the killed stack is removed");
}

#[test]
fn stack_that_keeps_the_folder_is_preferred() {
    let place = Place::new();
    let actor = Actor::balanced(&place.data(), "hero");
    let _serving = serve(&place);
    let mut watching = watch(place.local_in_background());
    let balancer = || place.balancer();
    let by_folder = Ran::of(balancer().args(["status", "--json", "--data"]).arg(place.data())).done().json();
    assert_eq!(by_folder["actors"][0]["status"], "balanced", "nothing evaluates the actors of --serve");
    Ran::of(balancer().args(["pin", "hero", "hero_2.jpg"])).done();
    assert_eq!(actor.manifest()["images"]["hero_2.jpg"]["pinned"], true);
    Ran::of(balancer().args(["send", "deletion", "hero", "hero_1.jpg"])).done();
    wait_until(|| actor.trash().contains("hero_1.jpg"), || watching.output());
    watching.signal("INT");
    assert_eq!(watching.end(), Some(130), "{}", watching.output());

    // Only the stack of --serve is left, which has no records of the folder's trash.
    Ran::of(balancer().args(["restore", "hero", "hero_1.jpg", "--data"]).arg(place.data())).done();
    assert!(actor.files().contains("hero_1.jpg") && !actor.trash().contains("hero_1.jpg"));
}

#[test]
fn commands_do_not_find_a_dry_run() {
    let place = Place::new();
    Actor::unbalanced(&place.data(), "hero");
    let mut command = place.local_in_background();
    command.arg("--dry-run");
    let running = Background::start(command);
    let is_done = || {
        Ran::of(place.balancer().arg("status")).failed(1, &["no stack is running here"]);
        running.output().contains("hero: 5/0/2 now")
    };
    wait_until(is_done, || running.output());
}
