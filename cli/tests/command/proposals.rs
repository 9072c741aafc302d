//! Dry runs: the proposed changes, their cost, and the obstacles.

use std::fs;

use providers::vision::PROMPT_VERSION;
use serde_json::{Value, json};

use crate::support::actors::Actor;
use crate::support::background::Background;
use crate::support::run::Ran;
use crate::support::stack::Place;

/// A dry run without the caller's own keys.
fn dry_run(place: &Place, options: &[&str]) -> Ran {
    let mut command = place.local();
    for key in ["OPENAI_API_KEY", "REPLICATE_API_TOKEN"] {
        command.env_remove(key);
    }
    Ran::of(command.arg("--dry-run").args(options))
}

#[test]
fn dry_run_names_the_price_without_a_token() {
    let place = Place::new();
    Actor::unbalanced(&place.data(), "hero");
    let output = dry_run(&place, &["--generator", "replicate"]).done().answer;
    assert!(output.contains("would cost about $0.04: 1 image at $0.04"), "{output}");
    let answer = dry_run(&place, &["--generator", "replicate", "--json"]).done().last_line();
    assert_eq!(answer["schema"], 1);
    let cost = &answer["actors"][0]["dry_run"]["cost"];
    assert_eq!(
        (&cost["total_micro_usd"], &cost["per_image_micro_usd"], &cost["assessment_micro_usd"]),
        (&json!(40_000), &json!(40_000), &json!(0))
    );
    let free = dry_run(&place, &[]).done().answer;
    assert!(free.contains("would cost nothing: the built-in models"), "{free}");
}

#[test]
fn dry_run_names_obstacles_of_the_run() {
    let place = Place::new();
    let actor = Actor::without_base(&place.data(), "hero");
    let folder = actor.dir.join("base_image");
    let ran = dry_run(&place, &["--max-deleted-percent", "10"]).failed(3, &[]);
    for words in [
        "needs approval: it would delete 2 of 7 images (29 %), and --max-deleted-percent is 10",
        "can't be executed: There is no base image of hero",
        folder.to_str().unwrap(),
    ] {
        assert!(ran.answer.contains(words), "`{words}` is not in {ran:#?}");
    }
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("base.png"), "no picture").unwrap();
    let answer = dry_run(&place, &["--json"]).failed(3, &[]).last_line();
    let actor = &answer["actors"][0]["dry_run"];
    assert!(actor["obstacle"].as_str().unwrap().contains("unusable"), "{answer}");
    assert_eq!((&actor["needs_approval"], &actor["before"]["photorealistic"]), (&Value::Null, &json!(5)));
}

#[test]
fn dry_run_needs_a_vision_key_only_to_assess() {
    let place = Place::new();
    let actor = Actor::balanced(&place.data(), "hero");
    let openai = ["--vision", "openai"];
    dry_run(&place, &openai).failed(2, &["OPENAI_API_KEY", "6 images of hero", "hero_1.jpg"]);

    Ran::of(&mut place.local()).done();
    let base = fs::read(actor.dir.join("base_image/hero_base.png")).unwrap();
    let write_manifest = |reference: &str| {
        let mut manifest = actor.manifest();
        for image in manifest["images"].as_object_mut().unwrap().values_mut() {
            image["assessed_by"] = json!(format!("openai/gpt-6-luna/prompt-{PROMPT_VERSION}"));
            image["compared_with"] = json!(reference);
        }
        fs::write(actor.dir.join("manifest.json"), manifest.to_string()).unwrap();
    };
    write_manifest("another base image");
    dry_run(&place, &openai).failed(2, &["OPENAI_API_KEY", "6 images of hero"]);
    write_manifest(&imaging::reference_id(&base));
    let output = dry_run(&place, &openai).done().answer;
    assert!(output.contains("hero: 4/1/1 now, 4/1/1 after") && output.contains("would cost nothing"), "{output}");
}

#[test]
fn dry_run_by_message_prints_its_result() {
    let place = Place::new();
    Actor::without_base(&place.data(), "the hero");
    let mut command = place.local_in_background();
    command.args(["--watch", "--max-deleted-percent", "100"]);
    let mut watching = Background::start(command);
    watching.wait_for("Ctrl-C ends it");
    let send = |options: &[&str]| {
        Ran::of(place.balancer().args(["send", "evaluation", "the hero", "--dry-run"]).args(options))
    };
    let ran = send(&[]).failed(3, &["requested a dry run of the hero (request "]);
    for words in ["the hero: 5/0/2 now, 4/1/1 after", "would delete the hero_", "There is no base image"] {
        assert!(ran.answer.contains(words), "`{words}` is not in {ran:#?}");
    }
    let answer = send(&["--json"]).failed(3, &[]).json();
    assert_eq!((&answer["schema"], &answer["actors"][0]["dry_run"]["generate"]["bw_stylized"]), (&json!(1), &json!(1)));
    assert!(answer["request_id"].is_string(), "{answer}");

    let sent = send(&["--no-wait", "--json"]).done().json();
    assert_eq!((&sent["queue"], &sent["message"]["mode"]), (&json!("evaluation"), &json!("dry_run")));
    let status = Ran::of(place.balancer().args(["status", "the hero"])).failed(3, &[]).answer;
    assert!(status.contains("was a dry run: from 5/0/2 to 4/1/1"), "{status}");
    let unknown = Ran::of(place.balancer().args(["send", "evaluation", "stranger", "--dry-run"]));
    unknown.failed(1, &["the request was rejected", "stranger"]);
    watching.signal("INT");
    assert_eq!(watching.end(), Some(130), "{}", watching.output());
}

#[test]
fn status_names_the_last_deletions_with_reasons() {
    let place = Place::new();
    let actor = Actor::unbalanced(&place.data(), "hero");
    let mut command = place.local_in_background();
    command.arg("--watch");
    let mut watching = Background::start(command);
    watching.wait_for("Ctrl-C ends it");
    let status = |options: &[&str]| Ran::of(place.balancer().arg("status").args(options)).done();
    let output = status(&["hero"]).answer;
    assert!(output.contains("deleted last") && output.contains("`balancer restore hero`"), "{output}");
    let trash = actor.trash();
    let actor = status(&["hero", "--json"]).json()["actors"][0].clone();
    for gone in actor["deleted"].as_array().unwrap() {
        assert!(trash.contains(gone["file"].as_str().unwrap()), "{actor}");
        assert!(output.contains(gone["reason"].as_str().unwrap()), "{output}");
    }
    assert!(watching.output().contains("which can be restored from"), "{}", watching.output());
    watching.signal("INT");
    watching.end();
}
