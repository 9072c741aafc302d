//! `local`: the folder before and after a run.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use domain::numbering::number_of;
use serde_json::{Value, json};

use crate::support::actors::{Actor, snapshot};
use crate::support::background::Background;
use crate::support::run::Ran;
use crate::support::stack::Place;

#[test]
fn balanced_set_stays_unchanged_in_the_next_run() {
    let place = Place::new();
    let actor = Actor::unbalanced(&place.data(), "Jürgen M+ller (2)");
    let before = actor.files();
    let ran = Ran::of(place.local().arg("--json")).done();
    let report = &ran.last_line()["actors"][0];
    for (name, value) in [("actor_id", json!(actor.id)), ("status", json!("balanced")), ("total", json!(6))] {
        assert_eq!(report[name], value, "{ran:#?}");
    }
    let kinds = ["photorealistic", "bw_stylized", "color_stylized"].map(|kind| report[kind].as_u64().unwrap());
    assert_eq!(kinds, [4, 1, 1]);
    // A generated image that is assessed badly is replaced, so there may be more deletions.
    let [deleted, generated] = ["deleted", "generated"].map(|name| report[name].as_array().unwrap().clone());
    assert!(deleted.len() >= 2 && generated.len() == deleted.len() - 1, "{ran:#?}");
    assert_eq!((&ran.last_line()["schema"], &report["before"]["photorealistic"]), (&json!(1), &json!(5)));
    for gone in &deleted {
        let line = format!("{}: deleted {}: {}", actor.id, text(&gone["file"]), text(&gone["reason"]));
        assert_eq!(ran.remarks.lines().filter(|other| *other == line).count(), 1, "{line} in {ran:#?}");
    }
    assert!(generated.iter().all(|new| new["kind"].is_string() && new["prompt_id"].is_string()), "{generated:?}");

    actor.agrees_with_its_manifest();
    let (after, trash) = (actor.files(), actor.trash());
    assert_eq!(trash, deleted.iter().map(|gone| text(&gone["file"]).to_owned()).collect());
    assert!(before.difference(&after).all(|gone| trash.contains(gone)), "{trash:?}");
    assert!(after.difference(&before).all(|new| number_of(new) > 9), "{after:?}");
    assert_eq!(actor.manifest()["last_number"], 9 + generated.len());

    let left = snapshot(&place.data());
    let again = Ran::of(&mut place.local()).done();
    assert!(again.answer.contains("Nothing had to change"), "{again:#?}");
    let is = snapshot(&place.data());
    assert_eq!(is.keys().collect::<Vec<_>>(), left.keys().collect::<Vec<_>>());
    for (path, bytes) in left {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert!(is[&path] == bytes, "{} was\n{}\nand is\n{}", path.display(), text(&bytes), text(&is[&path]));
    }
    assert_eq!(place.processes(), Vec::<String>::new());
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

#[test]
fn dry_run_reports_its_plan_and_changes_nothing() {
    let place = Place::new();
    let actor = Actor::unbalanced(&place.data(), "hero");
    let before = snapshot(&place.data());
    let output = Ran::of(place.local().arg("--dry-run")).done().answer;
    assert!(output.contains("hero: 5/0/2 now, 4/1/1 after"), "{output}");
    assert_eq!(output.matches("would delete hero_").count(), 2, "{output}");
    assert!(output.contains("would generate 1 bw_stylized"), "{output}");
    assert_eq!(snapshot(&place.data()), before);
    assert!(!actor.dir.join("manifest.json").exists());
}

#[test]
fn dry_run_of_a_base_image_proposes_a_full_set() {
    let place = Place::new();
    let actor = Actor::nothing(&place.data(), "new").with_base();
    let (before, logs) = (snapshot(&place.data()), place.tmp().with_file_name("logs"));
    let ran = Ran::of(place.local().args(["--dry-run", "--json", "--logs"]).arg(&logs)).done();
    let proposed = &ran.last_line()["actors"][0]["dry_run"]["generate"];
    assert_eq!(*proposed, json!({ "photorealistic": 4, "bw_stylized": 1, "color_stylized": 1 }));
    assert!(ran.remarks.contains("holds no images; put png"), "{ran:#?}");
    assert!(ran.remarks.contains("new: planned"), "{ran:#?}");
    let log = fs::read_to_string(logs.join("functions.log")).unwrap();
    assert!(log.contains("dry run") && !log.contains("plan adopted") && !log.contains("GenerationFunction"), "{log}");
    assert_eq!(snapshot(&place.data()), before);
    assert!(actor.files().is_empty());
}

#[test]
fn dry_run_without_budget_ends_with_the_reason() {
    let place = Place::new();
    Actor::unbalanced(&place.data(), "hero");
    let mut command = place.local();
    // No server listens there. The function reserves money before it sends a request.
    command.args(["--dry-run", "--vision", "openai"]).envs([
        ("OPENAI_API_KEY", "none"),
        ("OPENAI_BASE_URL", "http://127.0.0.1:9"),
        ("DAILY_BUDGET_USD", "0.000001"),
    ]);
    let ran = Ran::of(&mut command).failed(3, &[]);
    assert!(ran.answer.contains("hero: needs attention: ") && ran.answer.contains("budget"), "{ran:#?}");
}

#[test]
fn dry_run_prints_json() {
    let place = Place::new();
    Actor::unbalanced(&place.data(), "hero");
    let answer = Ran::of(place.local().args(["--dry-run", "--json"])).done().last_line();
    assert_eq!(answer["actors"][0]["actor_id"], "hero", "{answer}");
}

#[test]
fn missing_base_image_does_not_stop_other_actors() {
    let place = Place::new();
    let (bare, whole) = (Actor::without_base(&place.data(), "bare"), Actor::unbalanced(&place.data(), "whole"));
    let (files, folder) = (actor_files(&bare), bare.dir.join("base_image"));
    let ran = Ran::of(place.local().arg("--json")).failed(3, &["no base image of bare", folder.to_str().unwrap()]);
    let actors = &ran.last_line()["actors"];
    assert_eq!((&actors[0]["actor_id"], &actors[0]["status"]), (&json!("bare"), &json!("needs_attention")));
    assert_eq!((&actors[1]["actor_id"], &actors[1]["status"]), (&json!("whole"), &json!("balanced")));
    assert_eq!(actor_files(&bare), files);
    whole.agrees_with_its_manifest();

    let output = Ran::of(place.local().args(["--actor", "whole"])).done().answer;
    assert!(output.contains("whole") && !output.contains("bare"), "{output}");
}

fn actor_files(actor: &Actor) -> Vec<(String, Vec<u8>)> {
    actor.files().into_iter().map(|name| (name.clone(), fs::read(actor.training_data().join(name)).unwrap())).collect()
}

#[test]
fn base_image_alone_gets_a_full_set() {
    let place = Place::new();
    let actor = Actor::nothing(&place.data(), "new").with_base();
    fs::remove_dir(actor.training_data()).unwrap();
    let answer = Ran::of(place.local().arg("--json")).done().last_line();
    assert_eq!(answer["actors"][0]["status"], json!("balanced"));
    // Sometimes an image of the embedded generator is replaced.
    let made = answer["actors"][0]["generated"].as_array().unwrap().len();
    assert!(made >= 6 && actor.files().len() == 6, "{answer}");
    let all: BTreeSet<String> = actor.files().union(&actor.trash()).cloned().collect();
    assert_eq!(all, (1..=made).map(|number| format!("new_{number}.jpg")).collect());
    actor.agrees_with_its_manifest();
}

#[test]
fn manifest_has_the_permissions_of_the_images() {
    let place = Place::new();
    let actor = Actor::balanced(&place.data(), "hero");
    Ran::of(&mut place.local()).done();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode();
    let image = actor.training_data().join("hero_1.jpg");
    assert_eq!(mode(&actor.dir.join("manifest.json")), mode(&image));
}

#[test]
fn folder_in_use_by_another_run_is_named() {
    let place = Place::new();
    let actor = Actor::nothing(&place.data(), "hero").with_base();
    let mut first = Background::start(place.local_in_background());
    first.wait_for("round 1");
    Ran::of(&mut place.local()).failed(1, &[place.data().to_str().unwrap(), "another"]);
    assert_eq!(first.end(), Some(0), "{}", first.output());
    actor.agrees_with_its_manifest();
}
