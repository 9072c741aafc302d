//! OpenAI's image edits: one synchronous request for each image, booked by what may have been charged.

use aws::queues::Queue;
use balancer_tests::image_edits::{Edit, Outcome, failure};
use balancer_tests::replicate::Outcome as Creation;
use balancer_tests::world::Fault;
use domain::lifecycle::slot::SlotState;
use domain::status::Status;
use image::ImageFormat;
use jiff::SignedDuration;
use serde_json::json;

use crate::generation::support::{Scenario, always};

/// A request for one image, whose requests to the service have these outcomes; the others succeed.
async fn image(outcomes: &[Outcome]) -> Scenario {
    let mut scenario = Scenario::nothing(always(Creation::Succeeds)).await;
    scenario.world.set("GENERATOR", "openai");
    let outcomes = outcomes.to_vec();
    scenario.world.image_edits.script(move |index, _| outcomes.get(index).cloned().unwrap_or(Outcome::Succeeds));
    scenario.request(1).await;
    scenario
}

fn rejection(status: u16, code: &str, message: &str) -> Outcome {
    Outcome::Responds(status, failure(code, message))
}

/// The only image, from the bucket.
async fn stored(scenario: &Scenario) -> Vec<u8> {
    let key = scenario.world.keys.image(&scenario.actor, "hero_1.jpg");
    scenario.world.bucket.get(&key).await.unwrap().unwrap().bytes
}

#[tokio::test]
async fn image_is_requested_and_booked_once() {
    let scenario = image(&[]).await;
    scenario.run().await;
    scenario.assert_all_generated().await;
    let [Edit { prompt, fields, image_fields, images }] = &scenario.world.image_edits.edits()[..] else {
        panic!("more than one request")
    };
    let sent: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let expected =
        [("model", "gpt-image-2"), ("n", "1"), ("output_format", "jpeg"), ("quality", "medium"), ("size", "1360x768")];
    assert_eq!(sent, expected);
    assert_eq!((image_fields.as_slice(), images.len()), (&["image".to_owned()][..], 1));
    assert_eq!(prompt.trim_end(), prompt, "the prompt needs no mark");
    assert!(scenario.world.image_edits.violations().is_empty());
}

#[tokio::test]
async fn older_model_is_asked_for_its_own_size() {
    let mut scenario = image(&[]).await;
    scenario.world.set("OPENAI_IMAGES_MODEL", "gpt-image-1.5");
    scenario.world.set("ASPECT_RATIO", "9:16");
    scenario.world.set("OPENAI_IMAGES_QUALITY", "high");
    scenario.run().await;
    scenario.assert_all_generated().await;
    let fields = scenario.world.image_edits.edits().remove(0).fields;
    assert_eq!([&fields["size"], &fields["input_fidelity"], &fields["quality"]], ["1024x1536", "high", "high"]);
}

#[tokio::test]
async fn lost_answer_is_booked_and_asked_again_once() {
    let scenario = image(&[Outcome::ResponseLost]).await;
    scenario.run().await;
    scenario.assert_all_generated_for(2).await;
    assert_eq!(scenario.world.image_edits.edits().len(), 2);
}

#[tokio::test]
async fn three_lost_answers_abandon_the_slot() {
    let scenario = image(&[Outcome::ResponseLost, Outcome::ResponseLost, Outcome::ResponseLost]).await;
    let began = scenario.world.clock.now();
    scenario.run().await;
    let waited = scenario.world.clock.now().duration_since(began).as_secs();
    assert!(waited < 900, "nothing waits after the last attempt: {waited} s");
    scenario.assert_abandoned("its answer was lost", 3).await;
    assert_eq!(scenario.world.charged(), 3);
}

#[tokio::test]
async fn killed_worker_books_what_it_may_have_requested() {
    let scenario = image(&[]).await;
    scenario.world.generate_one().await;
    scenario.world.network.fail_on("images/edits", Fault::CrashAfter);
    scenario.world.deliver_batch(Queue::Generation).await;
    assert!(matches!(scenario.slot().await.state, SlotState::Requested { .. }));
    scenario.run().await;
    scenario.assert_all_generated_for(2).await;
}

#[tokio::test]
async fn unusable_answer_is_booked_and_asked_again() {
    for body in
        [json!("<html>Welcome</html>"), json!({ "data": [] }), json!({ "data": [{ "b64_json": "bm8gaW1hZ2U=" }] })]
    {
        let scenario = image(&[Outcome::Body(body)]).await;
        scenario.run().await;
        scenario.assert_all_generated_for(2).await;
    }
}

#[tokio::test]
async fn page_instead_of_an_api_is_named() {
    let page = Outcome::Body(json!("<html>Welcome</html>"));
    let scenario = image(&[page.clone(), page.clone(), page]).await;
    scenario.run().await;
    scenario.assert_abandoned("not JSON with `data`, but `<html>Welcome</html>`", 3).await;
}

#[tokio::test]
async fn rejected_prompt_is_replaced_for_free() {
    for (code, message) in [
        ("moderation_blocked", "Your request was rejected by the safety system. safety_violations=[violence]"),
        ("content_policy_violation", "No."),
        ("", "The prompt was flagged for: sexual"),
    ] {
        let scenario = image(&[rejection(400, code, message)]).await;
        scenario.run().await;
        scenario.assert_all_generated().await;
        let edits = scenario.world.image_edits.edits();
        assert!(edits.len() == 2 && edits[0].prompt != edits[1].prompt, "{message}");
    }
}

#[tokio::test]
async fn overloaded_service_uses_up_no_attempt() {
    let busy = [
        rejection(500, "server_error", "The server had an error while processing your request."),
        rejection(503, "overloaded_error", "Overloaded"),
        rejection(400, "", "You have reached the queue limit"),
        rejection(429, "rate_limit_exceeded", "Rate limit reached"),
        rejection(409, "", "conflict"),
    ];
    let scenario = image(&busy).await;
    scenario.run().await;
    scenario.assert_all_generated().await;
    assert_eq!((scenario.slot().await.attempt, scenario.world.image_edits.edits().len()), (0, 6));
}

#[tokio::test]
async fn wrong_key_model_or_address_is_named() {
    for (outcome, words) in [
        (rejection(401, "invalid_api_key", "Incorrect API key provided."), "set OPENAI_IMAGES_API_KEY to a valid one"),
        (
            rejection(404, "model_not_found", "The model `x` does not exist"),
            "correct OPENAI_IMAGES_MODEL or OPENAI_IMAGES_BASE_URL",
        ),
        (Outcome::Responds(405, json!("<html>no</html>")), "knows no such model or address"),
    ] {
        let scenario = image(&vec![outcome; 9]).await;
        scenario.run().await;
        scenario.assert_dead_letter(&[words]).await;
        assert_eq!(scenario.world.charged(), 0);
    }
}

#[tokio::test]
async fn attempts_after_lost_answers_wait() {
    let scenario = image(&[Outcome::ResponseLost, Outcome::ResponseLost]).await;
    let began = scenario.world.clock.now();
    scenario.run().await;
    scenario.assert_all_generated_for(3).await;
    let waited = scenario.world.clock.now().duration_since(began).as_secs();
    assert!(waited >= 120 + 600, "{waited} s");
}

#[tokio::test]
async fn risen_price_is_reserved_again() {
    let mut scenario = image(&[rejection(503, "", "busy")]).await;
    scenario.world.set("GENERATOR_USD_PER_IMAGE", "0.01");
    scenario.deliver_first().await;
    assert_eq!(scenario.plan().await.committed.0, 10_000);
    scenario.world.set("GENERATOR_USD_PER_IMAGE", "0.04");
    scenario.run().await;
    scenario.assert_all_generated().await;
}

#[tokio::test]
async fn account_without_credit_parks_the_actor() {
    let scenario = image(&[rejection(429, "insufficient_quota", "You exceeded your current quota")]).await;
    scenario.deliver_first().await;
    let record = scenario.world.store.actor(&scenario.actor).await.unwrap().unwrap();
    assert_eq!(record.status, Status::Parked);
    assert!(record.reason.unwrap().contains("no credit left"));
    scenario.world.advance_clock(SignedDuration::from_mins(20));
    scenario.run().await;
    scenario.assert_all_generated().await;
    let record = scenario.world.store.actor(&scenario.actor).await.unwrap().unwrap();
    assert_ne!(record.status, Status::Parked);
}

#[tokio::test]
async fn output_in_any_format_becomes_a_jpeg() {
    let encode = |width: u32, height: u32, format: ImageFormat| {
        let pixels =
            image::RgbaImage::from_fn(width, height, |x, y| image::Rgba([(x % 251) as u8, (y % 241) as u8, 90, 128]));
        let mut bytes = std::io::Cursor::new(Vec::new());
        pixels.write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    };
    for (width, height, format) in
        [(640, 360, ImageFormat::Png), (640, 360, ImageFormat::WebP), (3840, 2160, ImageFormat::Png)]
    {
        let scenario = image(&[Outcome::Output(encode(width, height, format))]).await;
        scenario.run().await;
        scenario.assert_all_generated().await;
        let bytes = stored(&scenario).await;
        assert!(imaging::is_jpeg(&bytes), "{format:?}");
        assert_eq!(imaging::decode(&bytes).unwrap().dimensions(), (width, height), "{format:?}");
    }
}

#[tokio::test]
async fn slot_of_an_earlier_generator_is_booked_and_redone() {
    for (creation, generator) in [
        (Creation::StaysIn("processing"), "openai"),
        (Creation::StaysIn("processing"), "comfyui"),
        (Creation::ResponseLost, "comfyui"),
    ] {
        let mut scenario = Scenario::image(always(creation)).await;
        scenario.deliver_first().await;
        assert!(scenario.slot().await.state.is_under_way());
        scenario.world.set("GENERATOR", generator);
        scenario.run().await;
        scenario.assert_all_generated_for(2).await;
        assert_eq!(scenario.world.replicate.charged(), 1, "{generator}");
    }
}
