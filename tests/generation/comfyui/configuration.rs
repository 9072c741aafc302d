//! The workflow, and wrong addresses.

use balancer_tests::comfyui::{Outcome, Resource, WORKFLOW, object_info};
use balancer_tests::harness::KEY_PREFIX;
use balancer_tests::world::any_picture;
use domain::kind::Kind;
use serde_json::{Value, json};
use wiremock::ResponseTemplate;

use super::image;
use crate::generation::support::Scenario;

fn workflow() -> Value {
    serde_json::from_str(&std::fs::read_to_string(WORKFLOW).unwrap()).unwrap()
}

/// A request for one image with this file as the workflow.
async fn image_of(text: &str) -> Scenario {
    let mut scenario = image(|_| Outcome::Succeeds).await;
    let key = format!("{KEY_PREFIX}/comfyui/workflow.json");
    scenario.world.bucket.put(&key, text.as_bytes().to_vec(), "application/json").await.unwrap();
    scenario.world.set("COMFYUI_WORKFLOW", &format!("s3:{key}"));
    scenario
}

async fn assert_nothing_reserved(scenario: &Scenario) {
    assert!(scenario.world.comfyui.prompts().is_empty());
    assert_eq!(scenario.plan().await.committed.0, 0);
}

#[tokio::test]
async fn workflow_may_lie_in_the_bucket() {
    let scenario = image_of(&workflow().to_string()).await;
    scenario.run().await;
    scenario.assert_all_generated().await;
}

#[tokio::test]
async fn workflow_receives_several_references() {
    let mut workflow = workflow();
    let node = |class: &str, title: &str, inputs: &Value| json!({ "class_type": class, "inputs": inputs, "_meta": { "title": title } });
    workflow["20"] = node("LoadImage", "balancer: reference 2", &json!({ "image": "example.png" }));
    workflow["21"] = node("VAEEncode", "", &json!({ "pixels": ["20", 0], "vae": ["3", 0] }));
    workflow["22"] = node("ReferenceLatent", "", &json!({ "conditioning": ["8", 0], "latent": ["21", 0] }));
    workflow["9"]["inputs"]["conditioning"] = json!(["22", 0]);
    let scenario = image_of(&workflow.to_string()).await;
    let second = format!("{}2.jpg", scenario.world.keys.further_base_images(&scenario.actor));
    scenario.world.bucket.put(&second, any_picture(Kind::Photorealistic, 7), "image/jpeg").await.unwrap();
    scenario.run().await;
    scenario.assert_all_generated().await;
    assert_eq!(scenario.world.comfyui.uploads().len(), 2);
    assert_eq!(scenario.world.comfyui.prompts()[0].references.len(), 2);
}

#[tokio::test]
async fn unusable_workflow_is_explained_before_anything_is_reserved() {
    let mut unmarked = workflow();
    unmarked["7"]["_meta"]["title"] = "Prompt".into();
    for (text, words) in [
        (json!({ "nodes": [], "links": [] }).to_string(), ["not in API form", "Export (API)"]),
        (unmarked.to_string(), ["does not say where the prompt goes", "balancer: prompt"]),
        ("{".to_owned(), ["is not JSON", "s3:"]),
    ] {
        let scenario = image_of(&text).await;
        scenario.run().await;
        scenario.assert_dead_letter(&words).await;
        assert_nothing_reserved(&scenario).await;
    }
}

#[tokio::test]
async fn missing_node_or_model_file_is_explained() {
    let scenario = image(|_| Outcome::Succeeds).await;
    scenario.world.comfyui.change_info(|info| {
        info["VAELoader"]["input"]["required"]["vae_name"] = json!([["other.safetensors"]]);
        info.as_object_mut().unwrap().remove("FluxGuidance");
    });
    scenario.run().await;
    scenario.assert_dead_letter(&["vae_name `ae.safetensors`", "models/vae", "node 9 (FluxGuidance"]).await;
    assert_nothing_reserved(&scenario).await;
}

#[tokio::test]
async fn rejection_by_comfyui_itself_is_readable() {
    let scenario = image(|_| Outcome::Succeeds).await;
    scenario.world.comfyui.change_info(|info| info["VAELoader"]["input"]["required"]["vae_name"] = json!([["other"]]));
    for _ in 0..5 {
        let before = ResponseTemplate::new(200).set_body_json(object_info());
        scenario.world.comfyui.override_next(Resource::ObjectInfo, before);
    }
    scenario.run().await;
    let words = ["ComfyUI rejects the workflow COMFYUI_WORKFLOW", "node 3 (VAELoader): Value not in list: vae_name"];
    scenario.assert_dead_letter(&words).await;
    assert!(scenario.world.comfyui.prompts().is_empty());
}

#[tokio::test]
async fn wrong_address_is_named() {
    for (status, body, words) in [
        (200, "<!doctype html><html>", "a web page is at COMFYUI_URL"),
        (404, "", "answers 404 Not Found"),
        (403, "", "the address on which ComfyUI listens"),
        (401, "", "the user and the password"),
        (302, "", "redirects"),
    ] {
        let scenario = image(|_| Outcome::Succeeds).await;
        for _ in 0..5 {
            let answer = ResponseTemplate::new(status).set_body_string(body);
            scenario.world.comfyui.override_next(Resource::ObjectInfo, answer);
        }
        scenario.run().await;
        scenario.assert_dead_letter(&["COMFYUI_URL http://127.0.0.1", words]).await;
        assert_nothing_reserved(&scenario).await;
    }
}

#[tokio::test]
async fn comfyui_that_is_not_running_is_awaited_for_an_hour() {
    let mut scenario = image(|_| Outcome::Succeeds).await;
    scenario.world.set("COMFYUI_URL", "http://127.0.0.1:1");
    let began = scenario.world.clock.now();
    scenario.run().await;
    scenario.assert_dead_letter(&["nothing answers at COMFYUI_URL http://127.0.0.1:1", "start ComfyUI"]).await;
    let waited = scenario.world.clock.now().duration_since(began).as_mins();
    assert!((60..80).contains(&waited), "{waited} minutes");
}

#[tokio::test]
async fn web_page_in_between_delays_the_image() {
    for resource in [Resource::Upload, Resource::History, Resource::View] {
        let scenario = image(|_| Outcome::Succeeds).await;
        scenario.world.comfyui.override_next(resource, ResponseTemplate::new(200).set_body_string("<html>Wait</html>"));
        scenario.run().await;
        assert!(scenario.world.comfyui.has_used_overrides(), "{resource:?}");
        scenario.assert_all_generated().await;
    }
}
