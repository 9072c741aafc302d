//! Responses to polls and fetches.

use std::time::Duration;

use balancer_tests::replicate::{Outcome, Resource};
use serde_json::json;
use wiremock::ResponseTemplate;

use crate::generation::support::{Scenario, always, first};

#[tokio::test]
async fn ended_prediction_is_repeated_and_booked_if_charged() {
    for (outcome, images_paid) in
        [(Outcome::Fails, 1), (Outcome::Aborted, 1), (Outcome::Canceled, 2), (Outcome::Forgotten, 2)]
    {
        let scenario = Scenario::image(first(outcome.clone())).await;
        scenario.run().await;
        assert_eq!(scenario.world.replicate.creations(), 2, "{outcome:?}");
        scenario.assert_all_generated_for(images_paid).await;
    }
}

#[tokio::test]
async fn three_cancellations_abandon_the_slot_and_are_paid() {
    let scenario = Scenario::image(always(Outcome::Canceled)).await;
    scenario.run().await;
    scenario.assert_abandoned("3 attempts failed, the last because it was canceled", 3).await;
}

#[tokio::test]
async fn unavailable_poll_or_output_is_repeated() {
    for failure in [
        ResponseTemplate::new(429).set_body_json(json!({ "detail": "Your rate limit resets in ~7s." })),
        ResponseTemplate::new(500),
        ResponseTemplate::new(503).insert_header("Retry-After", "20"),
        ResponseTemplate::new(502).set_body_string("<html>Bad gateway</html>"),
    ] {
        for resource in [Resource::Prediction, Resource::Output] {
            let scenario = Scenario::image(always(Outcome::Succeeds)).await;
            scenario.world.replicate.override_next(resource, failure.clone());
            scenario.run().await;
            assert!(scenario.world.replicate.has_used_overrides(), "{resource:?}");
            scenario.assert_all_generated().await;
            assert_eq!(scenario.world.replicate.creations(), 1);
        }
    }
}

#[tokio::test]
async fn hanging_poll_or_output_is_repeated() {
    let never = ResponseTemplate::new(200).set_delay(Duration::from_secs(3600));
    let run_with_hanging = async |resource| {
        let scenario = Scenario::image(always(Outcome::Succeeds)).await;
        scenario.world.replicate.override_next(resource, never.clone());
        scenario.run().await;
        assert!(scenario.world.replicate.has_used_overrides(), "{resource:?}");
        scenario.assert_all_generated().await;
        assert_eq!(scenario.world.replicate.creations(), 1, "{resource:?}");
    };
    tokio::join!(run_with_hanging(Resource::Prediction), run_with_hanging(Resource::Output));
}

#[tokio::test]
async fn unreadable_poll_is_repeated() {
    for unreadable in [json!({ "message": "hello" }), json!({ "id": 7 }), json!([])] {
        let scenario = Scenario::image(always(Outcome::Succeeds)).await;
        scenario
            .world
            .replicate
            .override_next(Resource::Prediction, ResponseTemplate::new(200).set_body_json(unreadable));
        scenario.run().await;
        scenario.assert_all_generated().await;
    }
}

#[tokio::test]
async fn redirected_output_is_not_followed() {
    let redirect = ResponseTemplate::new(302).insert_header("Location", "http://127.0.0.1:1/out.jpg");
    let scenario = Scenario::image(always(Outcome::Succeeds)).await;
    scenario.world.replicate.override_next(Resource::Output, redirect);
    scenario.run().await;
    assert!(scenario.world.replicate.has_used_overrides());
    scenario.assert_all_generated().await;
    assert_eq!(scenario.world.replicate.creations(), 1, "the output is fetched again from its own address");
}
