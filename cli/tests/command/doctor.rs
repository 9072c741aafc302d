//! `doctor` about this machine, a folder, and the services, which stand-ins replace.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use balancer_tests::image_edits::{self, ImageEdits};
use balancer_tests::openai::{self, VisionService, assess_correctly};
use balancer_tests::replicate::{self, Resource};
use domain::kind::Kind;
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use wiremock::ResponseTemplate;

use crate::support::actors::Actor;
use crate::support::paid::Service;
use crate::support::pictures::drawn;
use crate::support::run::{Ran, balancer};

/// The checks with this name, as (level, text, remedy).
fn checks(ran: &Ran, name: &str) -> Vec<(String, String, String)> {
    let report = ran.json();
    assert_eq!(report["schema"], 1, "{report}");
    let all = report["checks"].as_array().unwrap().iter();
    let text = |check: &Value, field: &str| check[field].as_str().unwrap_or_default().to_owned();
    let named = all.filter(|check| check["check"] == name);
    named.map(|check| (text(check, "level"), text(check, "text"), text(check, "remedy"))).collect()
}

fn doctor(arguments: &[&str], variables: &[(&str, &str)]) -> Ran {
    let cleared =
        ["OPENAI_API_KEY", "OPENAI_IMAGES_API_KEY", "REPLICATE_API_TOKEN", "OPENAI_BASE_URL", "REPLICATE_BASE_URL"];
    let mut command = balancer();
    for name in cleared {
        command.env_remove(name);
    }
    Ran::of(command.arg("doctor").args(arguments).arg("--json").envs(variables.iter().copied()))
}

/// Asserts the only check of this name.
fn assert_check(ran: &Ran, name: &str, level: &str, words: &str, remedy: &str) {
    let found = checks(ran, name);
    let [(found_level, text, found_remedy)] = found.as_slice() else { panic!("{found:#?}") };
    assert!(found_level == level && text.contains(words) && found_remedy.contains(remedy), "{ran:#?}");
    assert_eq!(ran.code, Some(i32::from(level == "problem")), "{ran:#?}");
}

#[test]
fn vision_service_is_asked_about_key_and_model() {
    let runtime = Runtime::new().unwrap();
    let service = runtime.block_on(VisionService::start(assess_correctly));
    let url = format!("{}/v1", service.address());
    let model = ("VISION_MODEL", openai::MODEL);
    for (variables, level, words, remedy) in [
        (
            [("OPENAI_BASE_URL", url.as_str()), ("OPENAI_API_KEY", openai::KEY), model],
            "ok",
            "has the model vision-1",
            "",
        ),
        (
            [("OPENAI_BASE_URL", &url), ("OPENAI_API_KEY", "sk-wrong"), model],
            "problem",
            "does not accept OPENAI_API_KEY (401",
            "set a valid one",
        ),
        (
            [("OPENAI_BASE_URL", &url), ("OPENAI_API_KEY", openai::KEY), ("VISION_MODEL", "vision-9")],
            "problem",
            "no model vision-9, only vision-1, text-1",
            "set VISION_MODEL",
        ),
        (
            [("OPENAI_BASE_URL", "http://127.0.0.1:1/v1"), ("OPENAI_API_KEY", openai::KEY), model],
            "problem",
            "127.0.0.1 can't be reached",
            "OPENAI_BASE_URL",
        ),
        (
            [("OPENAI_BASE_URL", service.address().as_str()), ("OPENAI_API_KEY", openai::KEY), model],
            "warning",
            "no list of models (404",
            "ends in /v1",
        ),
    ] {
        assert_check(&doctor(&["--vision", "openai"], &variables), "vision", level, words, remedy);
    }
    assert_eq!((service.request_count(), service.violations()), (0, Vec::new()), "nothing is paid");
}

#[test]
fn image_service_is_asked_about_key_and_model() {
    let runtime = Runtime::new().unwrap();
    let paint = |kind: Kind, index: usize| drawn(kind)[index % drawn(kind).len()].clone();
    let service = runtime.block_on(ImageEdits::start(Arc::new(paint)));
    let url = format!("{}/v1", service.address());
    let price = ("GENERATOR_USD_PER_IMAGE", "0.04");
    for (key, model, level, words) in [
        (image_edits::KEY, image_edits::MODEL, "ok", "has the model gpt-image-2"),
        ("sk-wrong", image_edits::MODEL, "problem", "does not accept the key (401"),
        (image_edits::KEY, "gpt-image-9", "problem", "no model gpt-image-9, only gpt-image-2"),
    ] {
        let variables = [
            ("OPENAI_IMAGES_BASE_URL", url.as_str()),
            ("OPENAI_IMAGES_API_KEY", key),
            ("OPENAI_IMAGES_MODEL", model),
            price,
        ];
        let ran = doctor(&["--generator", "openai"], &variables);
        assert_check(&ran, "generator", level, words, "");
        assert_check_level(&ran, "budget", "ok");
    }
    assert!(service.edits().is_empty() && service.violations().is_empty(), "nothing is paid");
}

fn assert_check_level(ran: &Ran, name: &str, level: &str) {
    assert!(checks(ran, name).iter().any(|(found, ..)| found == level), "{ran:#?}");
}

#[test]
fn replicate_is_asked_about_token_and_model() {
    let service = Service::start(Duration::ZERO);
    let address = service.replicate.address();
    let examine = |token: &str, more: &[(&str, &str)]| {
        let mut variables = vec![("REPLICATE_BASE_URL", address.as_str()), ("REPLICATE_API_TOKEN", token)];
        variables.extend(more);
        doctor(&["--generator", "replicate"], &variables)
    };
    let fine = examine(replicate::TOKEN, &[]);
    let found = checks(&fine, "generator");
    assert!(found[0].1.contains("token of testers") && found[1].1.contains("flux-kontext-pro"), "{found:#?}");
    assert_eq!((fine.code, found.len()), (Some(0), 2));
    assert_check(
        &examine("r8_wrong", &[]),
        "generator",
        "problem",
        "does not accept the key",
        "set REPLICATE_API_TOKEN",
    );

    let unknown = [("REPLICATE_MODEL", "me/unknown"), ("GENERATOR_USD_PER_IMAGE", "0.01")];
    let found = checks(&examine(replicate::TOKEN, &unknown), "generator");
    assert!(found[1].0 == "problem" && found[1].1.contains("Replicate does not know it"), "{found:#?}");
    assert!(found[1].2.starts_with("set REPLICATE_MODEL to"), "{found:#?}");
    // A model of the table that Replicate has removed.
    service
        .replicate
        .override_next(Resource::Model, ResponseTemplate::new(404).set_body_json(json!({ "detail": "gone" })));
    let found = checks(&examine(replicate::TOKEN, &[]), "generator");
    assert!(found[1].0 == "problem" && found[1].1.contains("flux-kontext-pro can't be used"), "{found:#?}");

    let poor = examine(replicate::TOKEN, &[("PLAN_BUDGET_USD", "0.03")]);
    let found = checks(&poor, "budget");
    assert!(found[0].1.contains("PLAN_BUDGET_USD is $0.03, and an image costs $0.04"), "{found:#?}");
    assert_eq!((poor.code, service.replicate.creations()), (Some(1), 0));
}

#[test]
fn blank_key_is_reported_once_after_the_vision_model() {
    let ran = doctor(&["--generator", "replicate"], &[("REPLICATE_API_TOKEN", "  ")]);
    assert_check(&ran, "generator", "problem", "replicate needs REPLICATE_API_TOKEN, which is not set", "set it");
    let report = ran.json();
    let names: Vec<&str> =
        report["checks"].as_array().unwrap().iter().map(|check| check["check"].as_str().unwrap()).collect();
    let at = |name| names.iter().position(|found| *found == name).unwrap();
    assert!(at("vision") < at("generator"), "{names:?}");
    let twice = doctor(&["--vision", "openai"], &[("OPENAI_API_KEY", " "), ("VISION_PASSES", "7")]);
    let found = checks(&twice, "vision");
    assert_eq!(found.len(), 2, "{found:#?}");
    assert!(found[1].1 == "VISION_PASSES is `7` but must be 1 or 2", "{found:#?}");
}

#[test]
fn remedy_of_a_setting_is_not_repeated() {
    let ran = doctor(&["--generator", "openai"], &[("OPENAI_IMAGES_API_KEY", "k")]);
    let found = checks(&ran, "generator");
    let [(_, text, remedy)] = found.as_slice() else { panic!("{found:#?}") };
    assert!(text.ends_with("gpt-image-2 is not known"), "{text}");
    assert_eq!(remedy, "set the price of one image, such as 0.04, or 0 if it costs nothing");
}

#[test]
fn machine_is_checked() {
    let cache = tempfile::tempdir().unwrap();
    let path = cache.path().to_str().unwrap();
    fs::create_dir(cache.path().join("running")).unwrap();
    fs::write(cache.path().join("running/127.0.0.1-1.json"), "{}").unwrap();
    let ran = doctor(&[], &[("BALANCER_CACHE_DIR", path)]);
    for name in ["python", "emulator", "functions", "cache", "disk"] {
        assert_eq!(checks(&ran, name)[0].0, "ok", "{name}: {ran:#?}");
    }
    let runs = checks(&ran, "runs");
    assert!(
        runs[0].1.contains("1 killed stack has left an entry") && runs[0].2.contains("balancer status"),
        "{runs:?}"
    );
    assert!(cache.path().join("running/127.0.0.1-1.json").exists(), "nothing is changed");
    let below_a_file = format!("{path}/running/127.0.0.1-1.json/cache");
    let missing = doctor(&[], &[("BALANCER_CACHE_DIR", below_a_file.as_str()), ("PATH", "/nowhere")]);
    assert_eq!(missing.code, Some(1), "{missing:#?}");
    assert!(checks(&missing, "python")[0].2.contains("apt install python3"), "{missing:#?}");
    assert_eq!(checks(&missing, "cache")[0].0, "problem", "{missing:#?}");
}

/// The checks of the actors of a folder, as lines.
fn of_folder(data: &Path) -> (Ran, Vec<String>) {
    let ran = doctor(&["--data", data.to_str().unwrap()], &[]);
    let lines = checks(&ran, "actor").into_iter().map(|(level, text, remedy)| format!("{level} {text}; {remedy}"));
    let lines = lines.collect();
    (ran, lines)
}

#[test]
fn oddities_of_a_folder_are_named_with_remedies() {
    let data = tempfile::tempdir().unwrap();
    let data = data.path();
    let odd = Actor::balanced(data, "odd");
    fs::write(odd.dir.join("actor.json"), "{\n\"target_totl\": 3}").unwrap();
    fs::write(odd.dir.join("prompts.toml"), "mode = \"extend\"\n[[prompt]]\nid = 3\n").unwrap();
    fs::write(odd.dir.join("manifest.json"), "{\"actor_id\": \"odd\",\n oops}").unwrap();
    symlink("/nowhere/gone.png", odd.training_data().join("gone.png")).unwrap();
    fs::write(odd.training_data().join("cut\u{202e}.png"), "no image").unwrap();
    fs::write(odd.training_data().join("a.heic"), "heic").unwrap();
    let nested = Actor::without_base(data, "nested");
    fs::create_dir(nested.training_data().join("10_hero woman")).unwrap();
    fs::rename(nested.training_data().join("nested_1.jpg"), nested.training_data().join("10_hero woman/1.jpg"))
        .unwrap();
    fs::create_dir_all(data.join("loose")).unwrap();
    fs::copy(nested.training_data().join("nested_2.jpg"), data.join("loose/a.jpg")).unwrap();
    fs::create_dir_all(data.join(".balancer")).unwrap();
    fs::write(data.join(".balancer/records.jsonl"), "{}\n").unwrap();

    let (ran, lines) = of_folder(data);
    assert_eq!(ran.code, Some(1), "{ran:#?}");
    for words in [
        "problem odd: manifest.json is not a manifest: key must be a string at line 2",
        "problem odd: actor.json can't be used: ",
        "unknown field `target_totl`",
        "problem odd: prompts.toml:",
        "2 images can't be read (cut\\u{202e}.png: ",
        "gone.png: it is a link to /nowhere/gone.png, and nothing is there",
        "warning odd: ignored in training_data: 1 HEIC image",
        "problem nested: found 1 image in training_data/10_hero woman; move them up into training_data",
        "warning nested: it has no base image, so no image can be generated; put a photograph",
    ] {
        assert!(lines.iter().any(|line| line.contains(words)), "`{words}` is not in {lines:#?}");
    }
    let folder = checks(&ran, "folder");
    assert!(
        folder.iter().any(|(_, text, remedy)| text.contains("interrupted run") && remedy.contains("balancer local"))
    );
    assert!(
        folder.iter().any(|(_, text, remedy)| text.contains("loose: found 1 image") && remedy.starts_with("move them"))
    );
}

#[test]
fn small_images_are_warnings_only() {
    let data = tempfile::tempdir().unwrap();
    Actor::balanced(data.path(), "fine");
    let (ran, lines) = of_folder(data.path());
    assert_eq!((ran.code, lines.as_slice()), (Some(0), &["ok fine: 6 images and a base image; ".to_owned()][..]));
    let small = Actor::balanced(data.path(), "small");
    small.put("small_7.png", &crate::support::damaged::png(crate::support::pictures::plain(1)));
    let (ran, lines) = of_folder(data.path());
    let words = "warning small: 1 image has less than 512 pixels on the shorter side (small_7.png 96×80)";
    assert!(ran.code == Some(0) && lines.iter().any(|line| line.starts_with(words)), "{lines:#?}");
    let nothing = doctor(&["--data", "/nowhere"], &[]);
    assert_eq!((nothing.code, checks(&nothing, "folder")[0].0.as_str()), (Some(1), "problem"));
}
