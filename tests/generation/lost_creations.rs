//! Creations whose response is lost: the handler finds the prediction, or books it as paid.

use std::time::Duration;

use balancer_tests::replicate::{Outcome, Resource};
use jiff::SignedDuration;
use serde_json::json;
use wiremock::ResponseTemplate;

use crate::generation::support::{Scenario, always, first};

#[tokio::test]
async fn lost_prediction_is_found_among_malformed_entries() {
    let scenario = Scenario::image(first(Outcome::ResponseLost)).await;
    scenario.deliver_first().await;
    scenario.world.replicate.add_foreign_predictions(250);
    scenario.run().await;
    scenario.assert_all_generated().await;
    assert_eq!(scenario.world.replicate.creations(), 1);
}

#[tokio::test]
async fn lost_prediction_without_a_seed_is_found_by_its_mark() {
    // Three images, so that each must be found and none taken for another.
    let scenario = Scenario::images_of("google/nano-banana", 3, always(Outcome::ResponseLost)).await;
    scenario.run().await;
    scenario.assert_all_generated().await;
    assert_eq!(scenario.world.replicate.creations(), 3);
    for prediction in scenario.world.replicate.predictions() {
        assert_eq!(prediction.seed(), None);
        let sent = prediction.input["prompt"].as_str().unwrap();
        assert_eq!(sent.len(), prediction.prompt.len() + 32, "the mark is invisible: {sent:?}");
    }
}

#[tokio::test]
async fn forgotten_mark_is_booked_and_another_one_sent() {
    let scenario = Scenario::images_of("google/nano-banana", 1, first(Outcome::ResponseLost)).await;
    scenario.deliver_first().await;
    scenario.world.advance_clock(SignedDuration::from_mins(61));
    scenario.run().await;
    scenario.assert_all_generated_for(2).await;
    let predictions = scenario.world.replicate.predictions();
    assert_ne!(predictions[0].input["prompt"], predictions[1].input["prompt"]);
    assert_eq!(predictions[0].prompt, predictions[1].prompt, "only the mark differs");
}

#[tokio::test]
async fn lost_prediction_of_an_earlier_model_is_found() {
    for (before, after) in [("black-forest-labs/flux-kontext-pro", "google/nano-banana"), ("acme/painter", "acme/lost")]
    {
        let mut scenario = Scenario::images_of(before, 1, first(Outcome::ResponseLost)).await;
        scenario.deliver_first().await;
        scenario.world.set("REPLICATE_MODEL", after);
        scenario.run().await;
        scenario.assert_all_generated().await;
        assert_eq!(scenario.world.replicate.creations(), 1);
    }
}

#[tokio::test]
async fn unreadable_list_is_read_again() {
    for failure in [
        ResponseTemplate::new(429).set_body_json(json!({ "detail": "Your rate limit resets in ~7s." })),
        ResponseTemplate::new(500),
        ResponseTemplate::new(200).set_body_string("<html>Just a moment</html>"),
    ] {
        let scenario = Scenario::image(first(Outcome::ResponseLost)).await;
        scenario.world.replicate.override_next(Resource::List, failure);
        scenario.run().await;
        assert!(scenario.world.replicate.has_used_overrides());
        scenario.assert_all_generated().await;
        assert_eq!(scenario.world.replicate.creations(), 1);
    }
}

#[tokio::test]
async fn hanging_list_ends_with_the_time_budget() {
    let mut scenario = Scenario::image(first(Outcome::ResponseLost)).await;
    scenario.deliver_first().await;
    scenario
        .world
        .replicate
        .override_next(Resource::List, ResponseTemplate::new(200).set_delay(Duration::from_secs(3600)));
    scenario.world.time_budget = Some(Duration::from_secs(1));
    // The client itself would wait for the list for 30 s.
    tokio::time::timeout(Duration::from_secs(25), scenario.world.generate_one()).await.unwrap();
    scenario.run().await;
    scenario.assert_all_generated().await;
    assert_eq!(scenario.world.replicate.creations(), 1);
}

#[tokio::test]
async fn forgotten_creation_is_booked_and_repeated() {
    let scenario = Scenario::image(first(Outcome::ResponseLost)).await;
    scenario.deliver_first().await;
    scenario.world.advance_clock(SignedDuration::from_mins(61));
    scenario.run().await;
    scenario.assert_all_generated_for(2).await;
    let predictions = scenario.world.replicate.predictions();
    assert_ne!(predictions[0].seed(), predictions[1].seed(), "the second prediction is another attempt");
}

#[tokio::test]
async fn paid_image_no_longer_needs_the_base_image() {
    for outcome in [Outcome::ResponseLost, Outcome::SucceedsAfter(Duration::from_secs(2))] {
        let mut scenario = Scenario::image(always(outcome)).await;
        scenario.world.time_budget = Some(Duration::from_secs(1));
        scenario.deliver_first().await;
        assert_eq!(scenario.world.replicate.creations(), 1);
        let key = format!("{}jpg", scenario.world.keys.base_image_stem(&scenario.actor));
        scenario.world.bucket.delete(&key).await.unwrap();
        scenario.run().await;
        scenario.assert_all_generated().await;
    }
}

/// An empty list.
fn empty_list() -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(json!({ "next": null, "previous": null, "results": [] }))
}

#[tokio::test]
async fn prediction_listed_late_is_not_created_twice() {
    // Replicate may create a prediction 10 s after the request, and list it 15 s later.
    for seconds in [0, 20] {
        let scenario = Scenario::image(first(Outcome::ResponseLost)).await;
        scenario.deliver_first().await;
        scenario.world.advance_clock(SignedDuration::from_secs(seconds));
        scenario.world.replicate.override_next(Resource::List, empty_list());
        scenario.run().await;
        assert!(scenario.world.replicate.has_used_overrides());
        scenario.assert_all_generated().await;
        assert_eq!(scenario.world.replicate.creations(), 1);
    }
}

#[tokio::test]
async fn search_that_began_too_early_proves_nothing() {
    let scenario = Scenario::image(first(Outcome::ResponseLost)).await;
    scenario.deliver_first().await;
    scenario.world.replicate.override_next(Resource::List, empty_list().set_delay(Duration::from_secs(1)));
    let advance_clock = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        scenario.world.advance_clock(SignedDuration::from_secs(40));
    };
    tokio::join!(scenario.deliver_first(), advance_clock);
    assert!(scenario.world.replicate.has_used_overrides());
    scenario.run().await;
    scenario.assert_all_generated().await;
    assert_eq!(scenario.world.replicate.creations(), 1);
}

#[tokio::test]
async fn next_page_elsewhere_is_read_from_the_same_server() {
    for next in ["https://api.replicate.com/v1/predictions?cursor=100", "no page at all"] {
        let scenario = Scenario::image(first(Outcome::ResponseLost)).await;
        scenario.deliver_first().await;
        scenario.world.replicate.add_foreign_predictions(100);
        scenario.world.advance_clock(SignedDuration::from_secs(60));
        let first_page = json!({ "next": next, "previous": null, "results": [] });
        scenario.world.replicate.override_next(Resource::List, ResponseTemplate::new(200).set_body_json(first_page));
        scenario.run().await;
        assert!(scenario.world.replicate.has_used_overrides());
        scenario.assert_all_generated().await;
        assert_eq!(scenario.world.replicate.creations(), 1, "{next}");
    }
}
