//! Commands that answer about sets: of a running stack, of one that is starting, and of a folder without any.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Value, json};

use crate::support::actors::{Actor, snapshot};
use crate::support::background::{Background, wait_until};
use crate::support::run::{Ran, balancer, run};
use crate::support::stack::Place;

/// A command about the actor `hero` of a folder on which no stack runs.
fn in_folder(data: &Path, arguments: &[&str]) -> Ran {
    Ran::of(balancer().args(arguments).arg("--data").arg(data))
}

fn files(list: &Value) -> BTreeSet<String> {
    list.as_array().unwrap().iter().map(|entry| entry["file"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn folder_of_a_finished_run_answers_without_a_stack() {
    let place = Place::new();
    let actor = Actor::unbalanced(&place.data(), "hero");
    Ran::of(&mut place.local()).done();
    let data = place.data();
    let answer = |arguments: &[&str]| {
        let answer = in_folder(&data, &[arguments, &["--json"]].concat()).done().json();
        assert_eq!(answer["schema"], 1, "{answer}");
        answer
    };
    let before = snapshot(&data);

    let status = answer(&["status"])["actors"][0].clone();
    assert_eq!(
        (&status["status"], &status["total"], &status["wanted"]["photorealistic"]),
        (&json!("balanced"), &json!(6), &json!(4))
    );
    // A generated image that is assessed badly is deleted by a later plan, and the answer has only the latest.
    let deleted = files(&status["deleted"]);
    assert!(!deleted.is_empty() && deleted.is_subset(&actor.trash()), "{status}");
    assert_eq!(status.get("cost"), None, "a folder keeps no costs");

    let images = answer(&["images", "hero"])["images"].clone();
    assert_eq!(files(&images), actor.files());
    let generated = images.as_array().unwrap().iter().find(|image| image["origin"] == "generated").unwrap();
    assert!(generated["prompt_id"].is_string() && generated["width"].is_u64(), "{generated}");
    let table = in_folder(&data, &["images", "hero"]).done().answer;
    assert!(table.contains("generated") && table.contains("hero: 4/1/1 of 4/1/1 wanted"), "{table}");

    let trash = answer(&["trash", "hero"])["trash"].clone();
    assert_eq!(files(&trash), actor.trash());
    let table = in_folder(&data, &["trash", "hero"]).done().answer;
    let reason = trash[0]["reason"].as_str().unwrap();
    assert!(table.contains(&reason[..20]) && table.contains("balancer restore hero"), "{table}");

    let history = answer(&["history", "hero"])["history"].clone();
    let deleted: BTreeSet<String> =
        history.as_array().unwrap().iter().flat_map(|event| files(&event["deleted"])).collect();
    assert_eq!(deleted, actor.trash());
    assert!(in_folder(&data, &["history", "hero"]).done().answer.contains("  deleted hero_"));
    assert!(snapshot(&data) == before, "nothing of it changes the folder");

    let file = actor.files().first().unwrap().clone();
    in_folder(&data, &["pin", "hero", &format!("./some/path/{file}")]).done();
    in_folder(&data, &["caption", "hero", &file, "by the sea"]).done();
    in_folder(&data, &["pin", "hero", "hero_99.jpg"]).failed(1, &["hero has no image hero_99.jpg", "balancer images"]);
    let status = in_folder(&data, &["status", "hero"]).done().answer;
    assert!(status.contains(&format!("hero: pinned: {file}")), "{status}");
    Ran::of(&mut place.local()).done();
    let image = &actor.manifest()["images"][&file];
    assert_eq!(
        (&image["pinned"], &image["caption"]),
        (&json!(true), &json!("by the sea")),
        "the next run imports both"
    );
    in_folder(&data, &["unpin", "hero", &file]).done();
    assert_eq!(actor.manifest()["images"][&file].get("pinned"), None);

    in_folder(&data, &["images", "stranger"]).failed(1, &["holds no folder stranger"]);
    Ran::of(place.balancer().args(["approve", "hero", "--data"]).arg(&data)).failed(1, &["no stack is running here"]);
}

#[test]
fn commands_wait_for_a_stack_that_is_starting() {
    let place = Place::new();
    Actor::balanced(&place.data(), "hero");
    let mut command = place.local_in_background();
    command.arg("--watch");
    let mut watching = Background::start(command);
    let is_announced = || {
        let entries = std::fs::read_dir(place.cache().join("running")).into_iter().flatten().flatten();
        entries.into_iter().any(|entry| entry.path().extension().is_some_and(|ending| ending == "starting"))
    };
    wait_until(is_announced, || watching.output());
    let waited = Ran::of(place.balancer().args(["status", "--json"]));
    assert!(
        waited.remarks.contains("waiting until the stack of") && waited.answer.contains("\"schema\""),
        "{waited:#?}"
    );
    watching.signal("INT");
    watching.end();
    assert!(!is_announced());
}

#[test]
fn options_may_be_written_with_underscores() {
    let set = json!([{ "filename": "a_1.jpg", "kind": "photorealistic", "quality": 8 }]).to_string();
    let plan = |arguments: &[&str]| {
        Ran::of(balancer().args(["plan", "--assessments", "-"]).args(arguments).write_stdin(set.as_str()))
    };
    assert_eq!(plan(&["--target_total", "6"]).done().answer, plan(&["--target-total", "6"]).done().answer);
}

#[test]
fn completions_and_help_are_printed() {
    for shell in ["bash", "zsh", "fish"] {
        assert!(run(["completions", shell]).done().answer.contains("balancer"), "{shell}");
    }
    let help = run(["local", "--help"]).done().answer;
    assert!(help.contains("Examples:") && help.contains("Environment:"), "{help}");
}
