//! `doctor`, and `local` with the user's own `ComfyUI`, which a stand-in replaces.

use std::path::Path;

use balancer_tests::comfyui::WORKFLOW;
use serde_json::{Value, json};

use crate::support::actors::Actor;
use crate::support::gpu::{Gpu, changed};
use crate::support::run::{Ran, balancer};
use crate::support::stack::Place;

/// `doctor` on this workflow.
fn doctor(gpu: &Gpu, workflow: &Path, options: &[&str]) -> Ran {
    Ran::of(balancer().arg("doctor").args(Gpu::arguments()).args(options).envs(gpu.environment(workflow)))
}

/// `local` on a folder that it must not touch.
fn local(gpu: &Gpu, workflow: &Path) -> Ran {
    let data = gpu.dir().join("data");
    std::fs::create_dir_all(data.join("hero/training_data")).unwrap();
    let mut command = balancer();
    command.args(["local", "--data"]).arg(&data).args(Gpu::arguments()).envs(gpu.environment(workflow));
    let ran = Ran::of(&mut command);
    assert_eq!(std::fs::read_dir(data.join("hero")).unwrap().count(), 1, "{ran:#?}");
    ran
}

#[test]
fn doctor_finds_nothing_wrong_with_the_example() {
    let gpu = Gpu::new();
    let ran = doctor(&gpu, Path::new(WORKFLOW), &[]).done();
    for words in [
        "ok       vision         the embedded model is ready",
        "flux-kontext-dev.json is in API form, with 14 nodes",
        "the prompt goes to text of node 7 (CLIPTextEncode",
        "the seed goes to seed of node 12",
        "ComfyUI answers at COMFYUI_URL http://127.0.0.1",
        "ComfyUI has every node and model file of the workflow",
    ] {
        assert!(ran.answer.contains(words), "`{words}` is not in {ran:#?}");
    }
    assert!(ran.answer.lines().all(|line| line.starts_with("ok")), "{ran:#?}");
    assert!(gpu.comfyui.prompts().is_empty() && gpu.comfyui.uploads().is_empty());
}

#[test]
fn broken_workflows_are_explained_before_a_run() {
    let gpu = Gpu::new();
    let saved = json!({ "nodes": [{ "id": 1, "type": "SaveImage" }], "links": [] }).to_string();
    for (text, words) in [
        (saved, ["not in API form", "Workflow > Export (API)"]),
        (
            changed(|nodes| nodes["1"]["inputs"]["unet_name"] = "mine.safetensors".into()),
            ["does not have the unet_name `mine.safetensors` of node 1", "models/diffusion_models"],
        ),
        (
            changed(|nodes| nodes["7"]["_meta"]["title"] = "Positive".into()),
            ["does not say where the prompt goes", "the title `balancer: prompt`"],
        ),
    ] {
        let workflow = gpu.file(&text);
        let ran = doctor(&gpu, &workflow, &[]);
        assert_eq!(ran.code, Some(1), "{ran:#?}");
        let problem = ran.answer.lines().find(|line| line.starts_with("problem")).unwrap_or_default();
        assert!(words.iter().all(|word| problem.contains(word)), "{ran:#?}");
        local(&gpu, &workflow).failed(2, &words);
    }
}

#[test]
fn doctor_reports_in_json() {
    let gpu = Gpu::new();
    let workflow = gpu.file(&changed(|nodes| nodes["12"]["_meta"]["title"] = "KSampler".into()));
    let report = doctor(&gpu, &workflow, &["--json"]).done().json();
    let checks = report["checks"].as_array().unwrap();
    let warning = checks.iter().find(|check| check["level"] == "warning").unwrap();
    assert_eq!((&report["schema"], &warning["check"]), (&json!(1), &json!("generator")));
    let has = |field: &str, words: &str| warning[field].as_str().is_some_and(|text| text.contains(words));
    assert!(has("text", "no placeholder for the seed") && has("remedy", "balancer: seed"), "{warning}");
}

#[test]
fn missing_settings_and_servers_are_explained() {
    let unset = Ran::of(balancer().arg("doctor").args(Gpu::arguments()));
    assert!(unset.code == Some(1) && unset.answer.contains("needs COMFYUI_WORKFLOW"), "{unset:#?}");
    let keyless = Ran::of(balancer().args(["doctor", "--vision", "openai"]).env_remove("OPENAI_API_KEY"));
    assert!(keyless.code == Some(1) && keyless.answer.contains("OPENAI_API_KEY, which is not set"), "{keyless:#?}");

    let gpu = Gpu::new();
    let missing = gpu.dir().join("gone.json");
    let ran = doctor(&gpu, &missing, &[]);
    assert!(ran.code == Some(1) && ran.answer.contains("gone.json can't be read"), "{ran:#?}");
    let mut command = balancer();
    command.arg("doctor").args(Gpu::arguments()).envs(gpu.environment(Path::new(WORKFLOW)));
    let ran = Ran::of(command.env("COMFYUI_URL", "http://user:secret@127.0.0.1:1"));
    assert!(ran.code == Some(1) && ran.answer.contains("start ComfyUI, or correct COMFYUI_URL"), "{ran:#?}");
    assert!(!ran.answer.contains("secret"), "{ran:#?}");
}

#[test]
fn local_balances_with_images_of_comfyui() {
    let (place, gpu) = (Place::new(), Gpu::new());
    let actor = Actor::unbalanced(&place.data(), "hero");
    // A relative path, because the functions run in another folder.
    std::fs::copy(WORKFLOW, place.data().parent().unwrap().join("flux.json")).unwrap();
    let mut command = place.local();
    command.current_dir(place.data().parent().unwrap()).args(Gpu::arguments()).arg("--json");
    let ran = Ran::of(command.envs(gpu.environment(Path::new("flux.json")))).done();
    let report: &Value = &ran.last_line()["actors"][0];
    assert_eq!((&report["status"], actor.files().len()), (&json!("balanced"), 6), "{ran:#?}");
    actor.agrees_with_its_manifest();
    let kept = report["generated"].as_array().unwrap().len();
    assert!(kept > 0 && gpu.comfyui.prompts().len() >= kept, "{ran:#?}");
}
