//! Replicate's models: the request that each one receives, and models that can't be used.

use aws::queues::Queue;
use balancer_tests::replicate::{CreatedPrediction, Outcome, Resource, version_of};
use domain::format::AspectRatio;
use domain::lifecycle::slot::SlotState;
use providers::generator::ReplicateModel;
use serde_json::{Map, Value, json};
use wiremock::ResponseTemplate;

use crate::generation::support::{Scenario, always};

/// The inputs of a request to each known model.
const FIELDS: [(&str, &[&str]); 18] = [
    ("black-forest-labs/flux-2-dev", &["aspect_ratio", "input_images", "output_format", "prompt", "seed"]),
    (
        "black-forest-labs/flux-2-flex",
        &[
            "aspect_ratio",
            "input_images",
            "output_format",
            "prompt",
            "prompt_upsampling",
            "resolution",
            "safety_tolerance",
            "seed",
        ],
    ),
    (
        "black-forest-labs/flux-2-klein-4b",
        &["aspect_ratio", "images", "output_format", "output_megapixels", "prompt", "seed"],
    ),
    (
        "black-forest-labs/flux-2-klein-9b-base",
        &["aspect_ratio", "images", "output_format", "output_megapixels", "prompt", "seed"],
    ),
    (
        "black-forest-labs/flux-2-max",
        &["aspect_ratio", "input_images", "output_format", "prompt", "resolution", "safety_tolerance", "seed"],
    ),
    (
        "black-forest-labs/flux-2-pro",
        &["aspect_ratio", "input_images", "output_format", "prompt", "resolution", "safety_tolerance", "seed"],
    ),
    ("black-forest-labs/flux-kontext-dev", &["aspect_ratio", "input_image", "output_format", "prompt", "seed"]),
    (
        "black-forest-labs/flux-kontext-max",
        &["aspect_ratio", "input_image", "output_format", "prompt", "prompt_upsampling", "safety_tolerance", "seed"],
    ),
    (
        "black-forest-labs/flux-kontext-pro",
        &["aspect_ratio", "input_image", "output_format", "prompt", "prompt_upsampling", "safety_tolerance", "seed"],
    ),
    ("bytedance/seedream-4", &["aspect_ratio", "enhance_prompt", "image_input", "prompt", "size"]),
    ("bytedance/seedream-4.5", &["aspect_ratio", "image_input", "prompt", "size"]),
    ("google/nano-banana", &["aspect_ratio", "image_input", "output_format", "prompt"]),
    ("google/nano-banana-2", &["aspect_ratio", "image_input", "output_format", "prompt", "resolution"]),
    ("google/nano-banana-pro", &["aspect_ratio", "image_input", "output_format", "prompt", "resolution"]),
    ("openai/gpt-image-1.5", &["aspect_ratio", "input_images", "output_format", "prompt"]),
    ("qwen/qwen-image-edit", &["image", "output_format", "prompt", "seed"]),
    ("qwen/qwen-image-edit-2511", &["aspect_ratio", "image", "output_format", "prompt", "seed"]),
    ("qwen/qwen-image-edit-plus", &["aspect_ratio", "image", "output_format", "prompt", "seed"]),
];

/// Generates an image with this model.
async fn generate(scenario: &mut Scenario, model: &str) -> CreatedPrediction {
    let before = scenario.files().await.len();
    scenario.world.set("REPLICATE_MODEL", model);
    let message = json!({ "actor_id": scenario.actor, "generate": { "photorealistic": 1 } });
    scenario.world.send(Queue::Generation, message).await;
    scenario.run().await;
    assert_eq!(scenario.files().await.len(), before + 1, "{model}");
    scenario.world.replicate.predictions().pop().unwrap()
}

/// The part of a request that is the same for each image.
fn constant_inputs(prediction: &CreatedPrediction) -> Map<String, Value> {
    let mut input = prediction.input.clone();
    input.retain(|name, _| name != "prompt" && name != "seed");
    input
}

#[tokio::test]
async fn every_known_model_receives_its_inputs() {
    assert_eq!(FIELDS.map(|(model, _)| model).as_slice(), ReplicateModel::known().collect::<Vec<_>>());
    let mut scenario = Scenario::nothing(always(Outcome::Succeeds)).await;
    for (model, fields) in FIELDS {
        let prediction = generate(&mut scenario, model).await;
        assert_eq!((prediction.model.as_str(), prediction.has_version), (model, false));
        assert_eq!(prediction.fields(), fields, "{model}");
    }
    assert_eq!(scenario.world.replicate.creations(), FIELDS.len(), "no request was rejected");
    assert_eq!(scenario.world.replicate.lookups(), 0);
}

#[tokio::test]
async fn schema_of_a_known_model_gives_the_same_request() {
    let mut scenario = Scenario::nothing(always(Outcome::Succeeds)).await;
    for (model, fields) in FIELDS {
        let version = format!("{model}:{}", version_of(model));
        let (by_table, by_schema) = (generate(&mut scenario, model).await, generate(&mut scenario, &version).await);
        assert_eq!((by_schema.model.as_str(), by_schema.has_version), (model, true));
        assert_eq!(by_schema.fields(), fields, "{model}");
        assert_eq!(constant_inputs(&by_schema), constant_inputs(&by_table), "{model}");
    }
}

#[tokio::test]
async fn unlisted_model_is_used_by_its_schema() {
    let mut scenario = Scenario::nothing(always(Outcome::Succeeds)).await;
    let official = generate(&mut scenario, "acme/painter").await;
    assert!(!official.has_version);
    let expected = json!({ "reference_images": ["data:…"], "aspect_ratio": "3:2" });
    assert_eq!(Value::from(constant_inputs(&official)), expected, "the nearest ratio, and no format but a JPEG");
    assert_eq!(official.seed(), None);
}

#[tokio::test]
async fn community_model_is_requested_by_its_version() {
    let mut scenario = Scenario::nothing(always(Outcome::Succeeds)).await;
    for model in ["hobby/sketcher".to_owned(), format!("hobby/sketcher:{}", version_of("hobby/sketcher"))] {
        let prediction = generate(&mut scenario, &model).await;
        assert!(prediction.has_version, "{model}");
        assert_eq!(prediction.fields(), ["image", "prompt", "seed"], "{model}");
    }
}

#[tokio::test]
async fn model_is_looked_up_once_in_a_process() {
    let mut scenario = Scenario::nothing(always(Outcome::Succeeds)).await;
    scenario.world.set("REPLICATE_MODEL", "acme/painter");
    let worker = scenario.world.generation().await;
    let checked =
        futures::future::join_all((0..5).map(|_| worker.handler.generator.check(AspectRatio::default()))).await;
    assert!(checked.iter().all(Result::is_ok), "{checked:?}");
    assert_eq!(scenario.world.replicate.lookups(), 1);
}

#[tokio::test]
async fn unusable_model_costs_and_reserves_nothing() {
    for (model, words) in [
        ("acme/inpainter", ["none of its inputs is known", "its inputs are control_image, mask, prompt, seed"]),
        ("acme/borrower", ["it requires inputs that the balancer can't fill", "api_key"]),
        ("acme/unheard-of", ["Replicate does not know it", "404"]),
        ("acme/painter:0f1178f5", ["Replicate does not know it", "404"]),
    ] {
        let scenario = Scenario::images_of(model, 1, always(Outcome::Succeeds)).await;
        scenario.run().await;
        scenario.assert_dead_letter(&[&format!("the model {model} can't be used"), words[0], words[1]]).await;
        scenario.assert_dead_letter(&["set REPLICATE_MODEL to", "dead-letter"]).await;
        scenario.assert_nothing_requested().await;
    }
}

#[tokio::test]
async fn failed_lookup_is_repeated_before_a_price_is_reserved() {
    for (answer, is_outage) in [
        (ResponseTemplate::new(429).set_body_json(json!({ "detail": "Your rate limit resets in ~7s." })), false),
        (ResponseTemplate::new(503), true),
        (ResponseTemplate::new(200).set_body_string("<html>Just a moment</html>"), true),
    ] {
        let scenario = Scenario::images_of("acme/painter", 1, always(Outcome::Succeeds)).await;
        scenario.world.replicate.override_next(Resource::Model, answer);
        scenario.deliver_first().await;
        let slot = scenario.slot().await;
        assert_eq!((&slot.state, slot.outage_since.is_some()), (&SlotState::Pending, is_outage));
        scenario.assert_nothing_requested().await;
        scenario.run().await;
        scenario.assert_all_generated().await;
        assert_eq!(scenario.slot().await.outage_since, None);
    }
}

#[tokio::test]
async fn hour_without_a_lookup_dead_letters_the_message() {
    let mut scenario = Scenario::images_of("acme/painter", 1, always(Outcome::Succeeds)).await;
    scenario.world.set("REPLICATE_BASE_URL", "http://127.0.0.1:1");
    let began = scenario.world.clock.now();
    scenario.run().await;
    scenario.assert_dead_letter(&["can't be reached", "dead-letter"]).await;
    scenario.assert_nothing_requested().await;
    let waited = scenario.world.clock.now().duration_since(began).as_mins();
    assert!((60..80).contains(&waited), "{waited} minutes");
}
