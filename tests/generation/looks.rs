//! What looking at an image that is being made may say.

use std::time::Duration;

use balancer_tests::replicate::{Outcome, Place};
use serde_json::json;
use wiremock::ResponseTemplate;

use crate::support::{Wanted, always, first};

#[tokio::test]
async fn an_image_that_comes_to_nothing_is_asked_for_again_and_paid_if_it_was_charged() {
    for (fate, images_paid) in
        [(Outcome::Fails, 1), (Outcome::IsAborted, 1), (Outcome::IsCanceled, 2), (Outcome::IsForgotten, 2)]
    {
        let wanted = Wanted::image(first(fate.clone())).await;
        wanted.work().await;
        assert_eq!(wanted.world.replicate.creations(), 2, "{fate:?}");
        wanted.assert_all_made_for(images_paid).await;
    }
}

#[tokio::test]
async fn what_is_stopped_three_times_is_given_up_and_paid() {
    let wanted = Wanted::image(always(Outcome::IsCanceled)).await;
    wanted.work().await;
    wanted.assert_given_up("3 attempts failed, the last because it was canceled", 3).await;
}

#[tokio::test]
async fn a_look_or_an_output_that_is_unavailable_is_asked_for_another_time() {
    for trouble in [
        ResponseTemplate::new(429).set_body_json(json!({ "detail": "Your rate limit resets in ~7s." })),
        ResponseTemplate::new(500),
        ResponseTemplate::new(503).insert_header("Retry-After", "20"),
        ResponseTemplate::new(502).set_body_string("<html>Bad gateway</html>"),
    ] {
        for place in [Place::Look, Place::Output] {
            let wanted = Wanted::image(always(Outcome::Succeeds)).await;
            wanted.world.replicate.answer_next(place, trouble.clone());
            wanted.work().await;
            assert!(wanted.world.replicate.has_answered_so(), "{place:?}");
            wanted.assert_all_made().await;
            assert_eq!(wanted.world.replicate.creations(), 1);
        }
    }
}

#[tokio::test]
async fn a_look_or_an_output_that_hangs_is_given_up_and_repeated() {
    let never = ResponseTemplate::new(200).set_delay(Duration::from_secs(3600));
    let work_past = async |place| {
        let wanted = Wanted::image(always(Outcome::Succeeds)).await;
        wanted.world.replicate.answer_next(place, never.clone());
        wanted.work().await;
        assert!(wanted.world.replicate.has_answered_so(), "{place:?}");
        wanted.assert_all_made().await;
        assert_eq!(wanted.world.replicate.creations(), 1, "{place:?}");
    };
    tokio::join!(work_past(Place::Look), work_past(Place::Output));
}

#[tokio::test]
async fn a_look_that_makes_no_sense_is_repeated() {
    for nonsense in [json!({ "message": "hello" }), json!({ "id": 7 }), json!([])] {
        let wanted = Wanted::image(always(Outcome::Succeeds)).await;
        wanted.world.replicate.answer_next(Place::Look, ResponseTemplate::new(200).set_body_json(nonsense));
        wanted.work().await;
        wanted.assert_all_made().await;
    }
}

#[tokio::test]
async fn an_output_that_leads_elsewhere_is_not_followed() {
    let elsewhere = ResponseTemplate::new(302).insert_header("Location", "http://127.0.0.1:1/out.jpg");
    let wanted = Wanted::image(always(Outcome::Succeeds)).await;
    wanted.world.replicate.answer_next(Place::Output, elsewhere);
    wanted.work().await;
    assert!(wanted.world.replicate.has_answered_so());
    wanted.assert_all_made().await;
    assert_eq!(wanted.world.replicate.creations(), 1, "it is fetched again where it lies");
}
