//! `prompts`: lists, checks and exports prompts; and runs with prompts of the user's own.

use std::fs;

use serde_json::{Value, json};

use crate::support::actors::Actor;
use crate::support::background::{Background, wait_until};
use crate::support::run::{Ran, run};
use crate::support::stack::Place;

/// A file with one prompt for each kind. The drawings name their techniques for the embedded generator.
const OWN: &str = r#"mode = "replace"

[[prompt]]
id = "own-photo"
kind = "photorealistic"
framing = "wide"
angle = "profile"
text = "Film still of the {character} on a beach at noon. Wide shot in profile."

[[prompt]]
id = "own-bw"
kind = "bw_stylized"
framing = "medium"
angle = "front"
medium = "black-and-white etching"
scene = "in a forest"

[[prompt]]
id = "own-color"
kind = "color_stylized"
framing = "close_up"
angle = "front"
medium = "gouache painting"
scene = "in a garden"
"#;

#[test]
fn exported_prompts_pass_the_check() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("prompts.toml");
    let name = file.to_str().unwrap();
    run(["prompts", "export", "-o", name]).done();
    let checked = run(["prompts", "check", name]).done();
    assert!(checked.answer.contains("15 photorealistic, 11 black-and-white, 9 colour prompts, 0 of them not built in"));
    run(["prompts", "export", "-o", name]).failed(1, &["exists", "--force"]);
    fs::write(&file, "changed").unwrap();
    run(["prompts", "export", "--force", "-o", name]).done();
    assert_eq!(fs::read_to_string(&file).unwrap().trim_end(), run(["prompts", "export"]).done().answer.trim_end());
}

#[test]
fn prompts_of_a_kind_are_listed() {
    let listed = run(["prompts", "list", "--kind", "bw_stylized", "--json"]).done().json();
    let prompts = listed["prompts"].as_array().unwrap();
    assert!(prompts.len() == 11 && prompts.iter().all(|prompt| prompt["kind"] == "bw_stylized"), "{listed:#}");
    assert_eq!((&listed["schema"], &listed["revision"]), (&json!(1), &Value::Null));
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("own.toml");
    fs::write(&file, OWN).unwrap();
    let table = run(["prompts", "list", "--prompts", file.to_str().unwrap()]).done().answer;
    assert!(table.contains("own-color") && table.contains("in a garden") && !table.contains("photo-"), "{table}");
}

#[test]
fn check_reports_every_problem_with_its_line() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("own.toml");
    let name = file.to_str().unwrap();
    fs::write(&file, OWN.replace("in a forest", "in a green forest").replace("the {character} on", "a woman on"))
        .unwrap();
    let lines =
        [format!("{name}:8: `text` lacks {{character}}"), format!("{name}:16: `scene` names a colour, `green`")];
    let ran = run(["prompts", "check", name]).failed(1, &[&lines[0], &lines[1], "2 problems"]);
    assert_eq!(ran.answer, "");
    let answer = run(["prompts", "check", "--json", name]).failed(1, &[]).json();
    assert_eq!(answer["problems"].as_array().map(Vec::len), Some(2), "{answer:#}");

    fs::write(&file, OWN).unwrap();
    let warned = run(["prompts", "check", name]).done();
    assert!(warned.remarks.contains("1 of the kind photorealistic for a target of 13"), "{warned:#?}");
    let photographs = ["--target-total", "1", "--target-shares", "100/0/0"];
    assert_eq!(run(["prompts", "check", name].into_iter().chain(photographs)).done().remarks, "");
    let without_drawings = OWN.split("[[prompt]]").take(2).collect::<Vec<_>>().join("[[prompt]]");
    fs::write(&file, without_drawings).unwrap();
    run(["prompts", "check", name]).failed(1, &["no prompt of the kind bw_stylized", "color_stylized"]);
    run(["prompts", "check", "no/such/file"]).failed(1, &["no/such/file can't be read"]);
}

#[test]
fn run_uses_prompts_and_the_next_one_forgets_them() {
    let place = Place::new();
    let actor = Actor::unbalanced(&place.data(), "hero");
    let file = place.tmp().join("own.toml");
    fs::write(&file, OWN.replace("{character}", "{actor}")).unwrap();
    let before = actor.files();
    let options = ["--json", "--prompts", file.to_str().unwrap()];
    Ran::of(place.local().args(options)).failed(1, &["own.toml:8: ", "the prompts can't be used"]);
    assert_eq!(actor.files(), before);

    fs::write(&file, OWN).unwrap();
    let report = Ran::of(place.local().args(options)).last_line();
    let generated = report["actors"][0]["generated"].as_array().unwrap().clone();
    assert!(!generated.is_empty() && generated.iter().all(is_own), "{report:#}");
    let manifest = actor.manifest();
    let images = manifest["images"].as_object().unwrap();
    let own: Vec<&Value> = images.values().filter(|image| image.get("prompts_revision").is_some()).collect();
    assert!(!own.is_empty() && own.iter().all(|image| image["prompt"].is_string()), "{manifest:#}");

    for filename in actor.files().iter().filter(|name| name.contains("hero_1")) {
        drop(fs::remove_file(actor.training_data().join(filename)));
    }
    let report = Ran::of(place.local().arg("--json")).last_line();
    let generated = report["actors"][0]["generated"].as_array().unwrap().clone();
    assert!(!generated.iter().any(is_own), "{report:#}");
}

fn is_own(image: &Value) -> bool {
    image["prompt_id"].as_str().unwrap().starts_with("own-")
}

#[test]
fn corrected_prompts_of_an_actor_are_used() {
    let place = Place::new();
    let actor = Actor::unbalanced(&place.data(), "hero");
    let file = actor.dir.join("prompts.toml");
    fs::write(&file, OWN.replace("own-photo", "own photo")).unwrap();
    let mut command = place.local_in_background();
    command.args(["--watch", "--json"]);
    let mut watching = Background::start(command);
    watching.wait_for("line 4: `id` must have 1 to 64 letters");
    fs::write(&file, OWN).unwrap();
    wait_until(|| watching.output().contains(r#""prompt_id":"own-"#), || watching.output());
    watching.signal("INT");
    assert_eq!(watching.end(), Some(130), "{}", watching.output());
}
