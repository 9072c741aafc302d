use serde_json::json;

use super::*;
use crate::checks::Level;
use crate::generator::comfyui::mapping::Mapping;
use crate::generator::comfyui::placeholders::Values;

const FLUX: &str = include_str!("../../../../../../infra/comfyui/flux-kontext-dev.json");
const QWEN: &str = include_str!("../../../../../../infra/comfyui/qwen-image-edit.json");

fn object_info() -> Value {
    serde_json::from_str(include_str!("../../../../../../tests/support/comfyui/object_info.json")).unwrap()
}

/// The checks of a workflow.
fn checks_of(workflow: &Value, info: Value) -> Vec<Check> {
    let workflow = Workflow::parse(&workflow.to_string()).unwrap();
    let (placeholders, mut checks) = Placeholders::find(&workflow, &Mapping::default());
    checks.extend(inspect(&workflow, &placeholders, &serde_json::from_value(info).unwrap()));
    checks
}

/// The checks of the example after this change.
fn changed(change: impl FnOnce(&mut Value)) -> Vec<Check> {
    let mut workflow: Value = serde_json::from_str(FLUX).unwrap();
    change(&mut workflow);
    checks_of(&workflow, object_info())
}

fn assert_only(checks: &[Check], level: Level, words: &[&str]) {
    let found: Vec<&Check> = checks.iter().filter(|check| check.level != Level::Ok).collect();
    assert!(found.len() == 1 && found[0].level == level, "{checks:#?}");
    let text = found[0].to_string();
    assert!(words.iter().all(|word| text.contains(word)), "{text}");
}

#[test]
fn example_workflows_pass_every_check() {
    for example in [FLUX, QWEN] {
        let checks = checks_of(&serde_json::from_str(example).unwrap(), object_info());
        assert_eq!(checks, [Check::ok("ComfyUI has every node and model file of the workflow")]);
    }
}

#[test]
fn example_workflows_take_every_value() {
    for example in [FLUX, QWEN] {
        let workflow = Workflow::parse(example).unwrap();
        let (placeholders, problems) = Placeholders::find(&workflow, &Mapping::default());
        assert_eq!(problems, []);
        let references = ["base.jpg".to_owned()];
        let values = Values { prompt: "a man in the rain", seed: 77, references: &references, size: (1216, 704) };
        let filled = workflow.filled(placeholders.values(&values)).to_string();
        for value in
            ["\"a man in the rain\"", "\"seed\":77", "\"image\":\"base.jpg\"", "\"width\":1216", "\"height\":704"]
        {
            assert_eq!(filled.matches(value).count(), 1, "{value} in {filled}");
        }
        assert!(placeholders.output.is_some());
    }
}

#[test]
fn missing_model_file_is_named_with_its_folder() {
    let checks = changed(|workflow| workflow["1"]["inputs"]["unet_name"] = "kontext.gguf".into());
    let words = [
        "does not have the unet_name `kontext.gguf` of node 1 (UNETLoader",
        "it has flux1-dev-kontext_fp8_scaled.safetensors, qwen",
        "models/diffusion_models",
    ];
    assert_only(&checks, Level::Problem, &words);
}

#[test]
fn missing_file_of_an_empty_folder_is_named() {
    let mut info = object_info();
    info["VAELoader"]["input"]["required"]["vae_name"] = json!([[]]);
    let checks = checks_of(&serde_json::from_str(FLUX).unwrap(), info);
    assert_only(&checks, Level::Problem, &["vae_name `ae.safetensors`", "it has none", "models/vae"]);
}

#[test]
fn unknown_node_type_is_a_problem() {
    let checks = changed(|workflow| workflow["5"]["class_type"] = "FluxMagic".into());
    assert_only(&checks, Level::Problem, &["node type of node 5 (FluxMagic", "Install Missing Custom Nodes"]);
}

#[test]
fn choice_in_either_notation_is_checked() {
    let method = json!({
        "class_type": "FluxKontextMultiReferenceLatentMethod",
        "inputs": { "conditioning": ["8", 0], "reference_latents_method": "stitch" },
    });
    let checks = changed(|workflow| {
        workflow["20"] = method;
        workflow["9"]["inputs"]["conditioning"] = json!(["20", 0]);
    });
    assert_only(&checks, Level::Problem, &["reference_latents_method `stitch` of node 20", "it has offset, index"]);
}

#[test]
fn missing_input_and_broken_link_are_problems() {
    let checks = changed(|workflow| drop(workflow["12"]["inputs"].as_object_mut().unwrap().remove("steps")));
    assert_only(&checks, Level::Problem, &["node 12 (KSampler", "lacks its input steps"]);
    let checks = changed(|workflow| workflow["12"]["inputs"]["model"] = json!(["99", 0]));
    assert_only(&checks, Level::Problem, &["links to a node 99"]);
}

#[test]
fn workflow_without_an_output_is_a_problem() {
    let checks = changed(|workflow| drop(workflow.as_object_mut().unwrap().remove("14")));
    assert_only(&checks, Level::Problem, &["no node that saves or previews an image"]);
}

#[test]
fn placeholder_without_effect_is_a_problem() {
    let checks = changed(|workflow| workflow["9"]["inputs"]["conditioning"] = json!(["7", 0]));
    assert_only(&checks, Level::Problem, &["node 4 (LoadImage", "takes the reference, but no image depends on it"]);
}

#[test]
fn unused_node_may_lack_its_file() {
    let unused = json!({ "class_type": "VAELoader", "inputs": { "vae_name": "gone.safetensors" } });
    let checks = changed(|workflow| workflow["20"] = unused);
    assert_eq!(checks.len(), 1, "{checks:?}");
}

#[test]
fn image_of_the_user_must_exist_unless_in_a_subfolder() {
    let with_mask = |file: &str| {
        let loader = json!({ "class_type": "LoadImage", "inputs": { "image": file } });
        let encode = json!({ "class_type": "VAEEncode", "inputs": { "pixels": ["20", 0], "vae": ["3", 0] } });
        changed(|workflow| {
            (workflow["20"], workflow["21"]) = (loader, encode);
            workflow["12"]["inputs"]["latent_image"] = json!(["21", 0]);
        })
    };
    let problems = |file: &str| with_mask(file).into_iter().filter(Check::is_problem).count();
    assert_eq!(["example.png", "poses/front.png", "x.png [output]"].map(problems), [0, 0, 0]);
    let missing = with_mask("gone.png").into_iter().find(Check::is_problem).unwrap().to_string();
    assert!(missing.contains("image `gone.png` of node 20") && missing.contains("the folder input"), "{missing}");
}

#[test]
fn missing_seed_is_a_warning() {
    let checks = changed(|workflow| workflow["12"]["_meta"]["title"] = "KSampler".into());
    assert_only(&checks, Level::Warning, &["no placeholder for the seed", "title `balancer: seed`"]);
}

#[test]
fn several_outputs_are_a_warning_until_one_is_chosen() {
    let preview = json!({ "class_type": "PreviewImage", "inputs": { "images": ["5", 0] } });
    let checks = changed(|workflow| {
        workflow["20"] = preview.clone();
        workflow["14"]["_meta"]["title"] = "Save".into();
    });
    assert_only(&checks, Level::Warning, &["several outputs", "balancer: output"]);
    assert_eq!(changed(|workflow| workflow["20"] = preview).len(), 1);
}
