//! `assess` and `plan`, separately and combined.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use domain::kind::Kind;
use serde_json::{Value, json};

use crate::support::actors::Actor;
use crate::support::pictures::{drawn, plain};
use crate::support::run::{Ran, balancer, run};

/// The least number of the 48 labelled images whose kind must be recognised.
const MIN_RECOGNISED: usize = 46;

fn plan(assessments: &str, options: &[&str]) -> Ran {
    Ran::of(balancer().args(["plan", "--assessments", "-"]).args(options).write_stdin(assessments))
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

fn assessment(filename: &str, kind: &str, quality: u64) -> Value {
    json!({ "filename": filename, "kind": kind, "quality": quality })
}

#[test]
fn assess_reports_kind_quality_flags_and_reason() {
    let data = tempfile::tempdir().unwrap();
    let actor = Actor::unbalanced(data.path(), "a");
    actor.put("a_10.jpg", &drawn(Kind::Photorealistic)[0]);
    let assessments = run([Path::new("assess"), &actor.training_data(), Path::new("--json")]).done().json();
    let assessments = assessments["images"].as_array().unwrap();
    for assessment in assessments {
        let mut keys = keys(assessment);
        keys.retain(|key| *key != "content");
        keys.sort_unstable();
        assert_eq!(keys, ["facts", "filename", "flags", "kind", "quality", "reason"]);
        assert!((1..=10).contains(&assessment["quality"].as_u64().unwrap()), "{assessment}");
        assert!(assessment["reason"].as_str().unwrap().ends_with('.'), "{assessment}");
    }
    let copies = assessments.iter().filter(|image| image["flags"] == json!(["small", "exact_duplicate"]));
    assert_eq!(copies.count(), 1, "{assessments:#?}");
    let kinds: Vec<_> = assessments.iter().map(|image| image["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds.iter().filter(|kind| **kind == "photorealistic").count(), 6, "{kinds:?}");
}

#[test]
fn plan_reads_the_output_of_assess() {
    let data = tempfile::tempdir().unwrap();
    let actor = Actor::unbalanced(data.path(), "a");
    let assessed = run([Path::new("assess"), &actor.training_data(), Path::new("--json")]).done().answer;
    let planned = plan(&assessed, &["--json", "--target-total", "6"]).done().json();
    assert_eq!(keys(&planned), ["delete", "generate", "result", "schema"]);
    assert_eq!(planned["generate"], json!({ "photorealistic": 0, "bw_stylized": 1, "color_stylized": 0 }));
    assert_eq!(planned["result"], json!({ "photorealistic": 4, "bw_stylized": 1, "color_stylized": 1 }));
    let gone = planned["delete"].as_array().unwrap();
    assert_eq!(gone.len(), 2);
    assert!(gone.iter().all(|gone| keys(gone) == ["filename", "reason"]), "{gone:#?}");

    let file = data.path().join("assessments.json");
    fs::write(&file, &assessed).unwrap();
    let arguments = ["plan", "--json", "--target-total", "6", "--assessments", file.to_str().unwrap()];
    assert_eq!(run(arguments).done().json(), planned);
}

#[test]
fn assess_reads_origin_and_pins_from_the_manifest() {
    let data = tempfile::tempdir().unwrap();
    let actor = Actor::unbalanced(data.path(), "a");
    let generated = json!({ "generation_type": "balancing", "requested_type": "bw_stylized" });
    let of_another_file = json!({ "sha256": "0", "perceptual_hash": "", "width": 1, "height": 1 });
    let images = json!({
        "a_1.jpg": generated,
        "a_2.jpg": { "generation_type": "existing", "pinned": true },
        "a_3.jpg": { "generation_type": "balancing", "pinned": true, "facts": of_another_file },
    });
    fs::write(actor.dir.join("manifest.json"), json!({ "actor_id": "a", "images": images }).to_string()).unwrap();
    let assessed = run([Path::new("assess"), &actor.training_data(), Path::new("--json")]).done();
    let assessments = assessed.json();
    let of = |name: &str| {
        assessments["images"].as_array().unwrap().iter().find(|image| image["filename"] == name).unwrap().clone()
    };
    assert_eq!(of("a_1.jpg")["origin"], json!({ "generated": { "requested": "bw_stylized" } }));
    assert_eq!((&of("a_2.jpg")["pinned"], &of("a_2.jpg")["origin"]), (&json!(true), &Value::Null));
    assert_eq!((&of("a_3.jpg")["pinned"], &of("a_3.jpg")["origin"]), (&Value::Null, &Value::Null));
    let gone = plan(&assessed.answer, &["--json"]).done().json()["delete"].clone();
    let reason = "Generated as bw_stylized, but came out as photorealistic.";
    assert!(gone.as_array().unwrap().contains(&json!({ "filename": "a_1.jpg", "reason": reason })), "{gone:#}");
}

#[test]
fn invalid_manifest_is_reported_and_ignored() {
    let data = tempfile::tempdir().unwrap();
    let actor = Actor::unbalanced(data.path(), "a");
    fs::write(actor.dir.join("manifest.json"), "[]").unwrap();
    let ran = run([Path::new("assess"), &actor.training_data(), Path::new("--json")]);
    assert!(ran.remarks.contains("manifest.json is no manifest"), "{ran:#?}");
    assert_eq!(ran.done().json()["images"].as_array().unwrap().len(), 7);
}

#[test]
fn plan_takes_the_rated_qualities_as_they_are() {
    let mut passport = assessment("a_1.jpg", "photorealistic", 8);
    passport["flags"] = json!(["looking_at_camera", "symmetrical"]);
    let set = json!([passport]).to_string();
    assert_eq!(plan(&set, &["--json"]).done().json()["delete"], json!([]));
    plan(&set, &["--frontal-images", "replace"]).failed(2, &["--frontal-images"]);
}

#[test]
fn assessment_options_are_checked() {
    let dir = tempfile::tempdir().unwrap();
    plain(1).save(dir.path().join("a_1.png")).unwrap();
    let assess = |options: &[&str]| Ran::of(balancer().arg("assess").arg(dir.path()).args(options));
    assess(&["--quality-limits", "small=3", "--frontal-percent", "0"]).done();
    assess(&["--frontal-images", "sometimes"]).failed(2, &["keep or replace"]);
    assess(&["--quality-limits", "passport=5"]).failed(2, &["`passport=5` is no quality limit", "passport_like"]);
    fs::write(dir.path().join("actor.json"), r#"{"quality_floor":99}"#).unwrap();
    assess(&[]).failed(1, &["actor.json can't be read", "`quality_floor` is 99"]);
}

#[test]
fn plan_keeps_and_shows_the_wanted_views() {
    let mut set: Vec<Value> = (1..=5).map(|n| assessment(&format!("a_{n}.jpg"), "photorealistic", 8)).collect();
    for image in &mut set[1..] {
        image["content"] = json!({ "framing": "medium", "angle": "front" });
    }
    set[0]["content"] = json!({ "framing": "wide", "angle": "back" });
    set[0]["quality"] = json!(7);
    let shares = ["--target-total", "4", "--target-shares", "100/0/0", "--framing-shares", "0/75/0/25"];
    let planned = plan(&json!(set).to_string(), &[&shares[..], &["--json"]].concat()).done().json();
    assert_eq!(planned["delete"][0]["filename"], "a_5.jpg");
    assert_eq!(planned["coverage"]["after"]["framing"]["wide"], 1);
    let words = plan(&json!(set).to_string(), &shares).done().answer;
    assert!(words.contains("framing 0/4/0/1 before, 0/3/0/1 after, 0/3/0/1 wanted"), "{words}");
    plan("[]", &["--angle-shares", "65/20/15"]).failed(2, &["such as 30/40/20/10"]);
}

#[test]
fn small_image_gets_low_quality_and_its_size() {
    let dir = tempfile::tempdir().unwrap();
    plain(1).save(dir.path().join("a_1.png")).unwrap();
    let assessed = run([Path::new("assess"), dir.path(), Path::new("--json")]).done().json();
    let image = &assessed["images"][0];
    assert!(image["quality"].as_u64() <= Some(4), "{image}");
    assert!(image["flags"].as_array().unwrap().contains(&json!("small")), "{image}");
    assert!(image["reason"].as_str().unwrap().contains("Small: 96×80 px."), "{image}");
}

#[test]
fn scope_limits_the_plan() {
    let set = json!([assessment("a_1.jpg", "photorealistic", 2)]).to_string();
    let deleting = plan(&set, &["--json", "--scope", "delete_only"]).done().json();
    assert_eq!((deleting["delete"].as_array().unwrap().len(), &deleting["generate"]["photorealistic"]), (1, &json!(0)));
    let generating = plan(&set, &["--json", "--scope", "generate_only"]).done().json();
    assert_eq!((&generating["delete"], &generating["generate"]["photorealistic"]), (&json!([]), &json!(12)));
}

#[test]
fn plan_reports_that_a_balanced_set_needs_nothing() {
    let set = [("photorealistic", 4), ("bw_stylized", 1), ("color_stylized", 1)];
    let set =
        set.iter().flat_map(|&(kind, count)| (0..count).map(move |n| assessment(&format!("{kind}_{n}.jpg"), kind, 8)));
    let output = plan(&Value::from_iter(set).to_string(), &["--target-total", "6"]).done().answer;
    assert!(output.contains("balanced at 4/1/1") && output.contains("nothing to do"), "{output}");
}

#[test]
fn closed_pipe_causes_no_panic() {
    let dir = tempfile::tempdir().unwrap();
    plain(1).save(dir.path().join("a_1.png")).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_balancer"));
    command.arg("assess").arg(dir.path()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut running = command.spawn().unwrap();
    drop(running.stdout.take());
    let output = running.wait_with_output().unwrap().stderr;
    let output = String::from_utf8_lossy(&output);
    assert!(!output.contains("panicked"), "{output}");
}

#[test]
fn kinds_of_real_images_are_recognised() {
    let images = real_data::labelled_images();
    let Some(folder) = images.first().and_then(|image| image.path.parent()) else { return };
    let assessments = run([Path::new("assess"), folder, Path::new("--json")]).done().json();
    let assessments = assessments["images"].as_array().unwrap();
    assert_eq!(assessments.len(), images.len());
    let is_right = |image: &&Value| {
        let kind = image["kind"].as_str().unwrap();
        image["filename"].as_str().unwrap().contains(&format!("_{kind}."))
    };
    let right = assessments.iter().filter(is_right).count();
    assert!(right >= MIN_RECOGNISED, "{right} of {}", images.len());
}

/// A recorded evaluation as assessments. Images that the recorded answer omitted count as photorealistic ones of
/// quality 5.
fn recorded(evaluation: &Value) -> Value {
    let classified = evaluation["image_classifications"].as_array().unwrap();
    let known = classified.iter().map(|image| {
        let name = format!("a_{}.jpg", image["image_number"]);
        assessment(&name, image["type"].as_str().unwrap(), image["quality_score"].as_u64().unwrap())
    });
    let total = usize::try_from(evaluation["total_images"].as_u64().unwrap()).unwrap();
    let omitted = (classified.len()..total).map(|n| assessment(&format!("omitted_{n}.jpg"), "photorealistic", 5));
    known.chain(omitted).collect()
}

#[test]
fn recorded_evaluations_are_planned_to_13_4_3() {
    for path in real_data::evaluations() {
        let evaluation = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        let set = recorded(&evaluation);
        let planned = plan(&set.to_string(), &["--json"]).done().json();
        let target = json!({ "photorealistic": 13, "bw_stylized": 4, "color_stylized": 3 });
        assert_eq!(planned["result"], target, "{}", path.display());
        let gone: Vec<_> = planned["delete"].as_array().unwrap().iter().map(|gone| &gone["filename"]).collect();
        for (kind, wanted) in target.as_object().unwrap() {
            let is_kept = |image: &&Value| image["kind"] == **kind && !gone.contains(&&image["filename"]);
            let kept = set.as_array().unwrap().iter().filter(is_kept).count() as u64;
            assert_eq!(kept + planned["generate"][kind].as_u64().unwrap(), wanted.as_u64().unwrap());
        }
    }
}
