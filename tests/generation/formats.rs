//! The format of generated images: of the stack, of an actor, and what a model offers.

use balancer_tests::replicate::{CreatedPrediction, Outcome};
use serde_json::{Value, json};

use crate::generation::support::{Scenario, always};

/// Generates one image for an actor with these settings, by a model with these variables.
async fn generated(own: Value, variables: &[(&str, &str)]) -> (Scenario, CreatedPrediction) {
    let mut scenario = Scenario::nothing(always(Outcome::Succeeds)).await;
    for (name, value) in variables {
        scenario.world.set(name, value);
    }
    scenario.world.upload(&scenario.actor, "actor.json", own.to_string().as_bytes()).await;
    scenario.request(1).await;
    scenario.run().await;
    let prediction = scenario.world.replicate.predictions().remove(0);
    (scenario, prediction)
}

#[tokio::test]
async fn format_of_the_actor_replaces_that_of_the_stack() {
    let flux = ("REPLICATE_MODEL", "black-forest-labs/flux-2-pro");
    for (own, stack, ratio, size) in [
        (json!({}), &[flux][..], "16:9", "1 MP"),
        (json!({}), &[flux, ("ASPECT_RATIO", "1:1"), ("IMAGE_MEGAPIXELS", "4")], "1:1", "4 MP"),
        (json!({ "aspect_ratio": "4:5" }), &[flux, ("ASPECT_RATIO", "1:1"), ("IMAGE_MEGAPIXELS", "4")], "4:5", "4 MP"),
        (json!({ "megapixels": 0.5 }), &[flux, ("IMAGE_MEGAPIXELS", "4")], "16:9", "0.5 MP"),
    ] {
        let (scenario, prediction) = generated(own, stack).await;
        assert_eq!((&prediction.input["aspect_ratio"], &prediction.input["resolution"]), (&json!(ratio), &json!(size)));
        scenario.assert_all_generated().await;
    }
}

#[tokio::test]
async fn price_per_megapixel_follows_the_size() {
    let price = [
        ("REPLICATE_MODEL", "black-forest-labs/flux-2-pro"),
        ("GENERATOR_USD_PER_IMAGE", "0.01"),
        ("GENERATOR_USD_PER_MEGAPIXEL", "0.015"),
    ];
    let (scenario, _) = generated(json!({ "megapixels": 2 }), &price).await;
    // $0.01 + 2 × $0.015
    scenario.assert_all_generated().await;
    let image = scenario.world.manifest(&scenario.actor).await.images.into_values().next().unwrap();
    assert_eq!(image.cost_micro_usd, Some(domain::money::MicroUsd(40_000)));
}

#[tokio::test]
async fn format_that_no_model_offers_is_named_and_free() {
    for (generator, variable, model) in
        [("replicate", "REPLICATE_MODEL", "openai/gpt-image-1.5"), ("openai", "OPENAI_IMAGES_MODEL", "gpt-image-1.5")]
    {
        let mut scenario = Scenario::nothing(always(Outcome::Succeeds)).await;
        scenario.world.set("GENERATOR", generator);
        scenario.world.set(variable, model);
        scenario.world.set("ASPECT_RATIO", "21:9");
        scenario.request(1).await;
        scenario.run().await;
        scenario.assert_dead_letter(&[model, "offers no format near 21:9", "choose another ASPECT_RATIO"]).await;
        assert_eq!((scenario.world.charged(), scenario.plan().await.committed.0), (0, 0));
    }
}

#[tokio::test]
async fn embedded_generator_draws_its_own_format_only() {
    for (ratio, is_drawn) in [("16:9", true), ("3:2", true), ("1:1", false)] {
        let mut scenario = Scenario::nothing(always(Outcome::Succeeds)).await;
        scenario.world.set("GENERATOR", "embedded");
        scenario.world.set("ASPECT_RATIO", ratio);
        scenario.request(1).await;
        scenario.run().await;
        match is_drawn {
            true => assert_eq!(scenario.files().await.len(), 1, "{ratio}"),
            false => scenario.assert_abandoned("draws 16:9 only, not 1:1", 0).await,
        }
    }
}
