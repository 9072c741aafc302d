//! The creation of predictions.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use aws::queues::Queue;
use balancer_tests::replicate::{Outcome, TOKEN};
use domain::prompts::Library;
use domain::status::Status;
use handlers::Clock;
use jiff::SignedDuration;
use serde_json::json;

use crate::generation::support::{Scenario, always, first, rejection};

#[tokio::test]
async fn slow_prediction_is_awaited() {
    let scenario = Scenario::image(always(Outcome::SucceedsAfter(Duration::from_millis(1_200)))).await;
    scenario.run().await;
    scenario.assert_all_generated().await;
}

#[tokio::test]
async fn failed_prediction_is_retried_with_another_seed() {
    let scenario = Scenario::image(first(Outcome::Fails)).await;
    scenario.run().await;
    scenario.assert_all_generated().await;
    let seeds: BTreeSet<Option<u64>> =
        scenario.world.replicate.predictions().iter().map(|prediction| prediction.seed()).collect();
    assert_eq!(seeds.len(), 2);
}

#[tokio::test]
async fn three_failures_abandon_the_slot_for_free() {
    let scenario = Scenario::image(always(Outcome::Fails)).await;
    scenario.run().await;
    scenario.assert_abandoned("3 attempts failed, the last because CUDA out of memory", 0).await;
    assert_eq!(scenario.world.replicate.creations(), 3);
}

#[tokio::test]
async fn superseded_plan_books_what_it_may_have_requested() {
    for (outcome, paid) in
        [(Outcome::ResponseLost, 40_000), (Outcome::Responds(429, json!({ "detail": "Slow down" })), 0)]
    {
        let scenario = Scenario::image(always(outcome)).await;
        scenario.deliver_first().await;
        scenario.world.store.supersede_plan(&scenario.actor, &scenario.plan().await.plan_id).await.unwrap();
        scenario.run().await;
        let plan = scenario.plan().await;
        assert_eq!(
            (plan.spent.0, plan.committed.0, scenario.world.replicate.charged() as u64),
            (paid, paid, paid / 40_000)
        );
        let rejections = scenario.world.store.rejections().await.unwrap();
        assert!(
            rejections.len() == 1 && rejections[0].reason.contains("superseded and accepts no work"),
            "{rejections:?}"
        );
        assert_eq!((scenario.files().await.len(), scenario.world.dead_letters().await), (0, 0));
    }
}

#[tokio::test]
async fn rejected_prompt_is_replaced_and_recorded() {
    let scenario = Scenario::image(first(Outcome::ContentRejected)).await;
    scenario.run().await;
    scenario.assert_all_generated().await;
    let [rejected, accepted] = scenario.world.replicate.predictions().try_into().unwrap();
    assert_ne!(rejected.prompt, accepted.prompt);
    let record = scenario.world.store.actor(&scenario.actor).await.unwrap().unwrap();
    let rejected = &scenario.plan().await.slots[0].prompt_id;
    assert_eq!(record.rejected_prompts.iter().collect::<Vec<_>>(), [rejected]);
    let manifest = scenario.world.manifest(&scenario.actor).await;
    let image = manifest.images.values().next().unwrap();
    assert_eq!(
        image.prompt.as_ref(),
        Some(&accepted.prompt),
        "the manifest has the prompt of the successful prediction"
    );
    assert_ne!(image.prompt_id.as_ref(), Some(rejected));
}

#[tokio::test]
async fn rejected_prompt_is_avoided_for_the_actor() {
    let scenario = Scenario::image(first(Outcome::ContentRejected)).await;
    scenario.run().await;
    let rejected = scenario.plan().await.slots[0].prompt_id.clone();
    // All remaining prompts of the kind: of 15, one is rejected and another one used.
    let message = json!({ "actor_id": scenario.actor, "generate": { "photorealistic": 13 } });
    scenario.world.send(Queue::Generation, message).await;
    scenario.run().await;
    let plans = scenario.world.store.plans(&scenario.actor).await.unwrap();
    let drawn: BTreeSet<&str> = plans
        .iter()
        .filter(|plan| plan.slots.len() == 13)
        .flat_map(|plan| &plan.slots)
        .map(|slot| slot.prompt_id.as_str())
        .collect();
    assert_eq!(drawn.len(), 13);
    assert!(!drawn.contains(rejected.as_str()), "{rejected} was drawn again");
}

#[tokio::test]
async fn three_rejected_prompts_abandon_the_slot() {
    let scenario = Scenario::image(always(Outcome::ContentRejected)).await;
    scenario.run().await;
    scenario.assert_abandoned("flagged as sensitive", 0).await;
    let prompts: BTreeSet<String> =
        scenario.world.replicate.predictions().into_iter().map(|prediction| prediction.prompt).collect();
    assert_eq!(prompts.len(), 3);
}

#[tokio::test]
async fn lost_creation_response_is_not_paid_twice() {
    let scenario = Scenario::image(first(Outcome::ResponseLost)).await;
    scenario.run().await;
    scenario.assert_all_generated().await;
    assert_eq!(scenario.world.replicate.creations(), 1, "the prediction is found by its seed");
}

#[tokio::test]
async fn unanswered_creation_is_repeated() {
    let scenario = Scenario::image(first(Outcome::NeverAnswered)).await;
    scenario.run().await;
    scenario.assert_all_generated().await;
}

#[tokio::test]
async fn requested_delay_defers_the_message() {
    for (answer, seconds) in [
        (rejection(429, "Request was throttled. Your rate limit resets in ~30s."), 30),
        (rejection(429, "Request was throttled."), 10),
    ] {
        let scenario = Scenario::image(first(answer)).await;
        let before = scenario.world.clock.now();
        scenario.run().await;
        scenario.assert_all_generated().await;
        let passed = scenario.world.clock.now().duration_since(before).as_secs();
        assert!((seconds..seconds + 10).contains(&passed), "{passed} s passed");
    }
}

#[tokio::test]
async fn throttled_account_finishes_twenty_images() {
    // Six creations in any minute, by the world's clock, which deferrals advance.
    let (clock, created) = (Arc::new(OnceLock::<Clock>::new()), Mutex::new(Vec::new()));
    let world_clock = Arc::clone(&clock);
    let scenario = Scenario::images(20, move |_, _| {
        let (now, mut created) = (world_clock.get().unwrap().now(), created.lock().unwrap());
        created.retain(|&at| now.duration_since(at) < SignedDuration::from_mins(1));
        if created.len() < 6 {
            created.push(now);
            return Outcome::Succeeds;
        }
        let left = 60 - now.duration_since(created[0]).as_secs();
        rejection(429, &format!("Request was throttled. Your rate limit resets in ~{left}s."))
    })
    .await;
    clock.set(scenario.world.clock.clone()).ok().unwrap();
    let began = scenario.world.clock.now();
    scenario.world.generate_with(5).await;
    scenario.assert_all_generated().await;
    assert!(scenario.world.replicate.creations() > 20, "some were throttled");
    assert!(scenario.world.clock.now().duration_since(began) >= SignedDuration::from_mins(3));
    let deliveries =
        scenario.world.network.calls().into_iter().filter(|call| call.ends_with("ChangeMessageVisibility"));
    assert_eq!(deliveries.count(), 0, "deferrals use up no delivery");
}

#[tokio::test]
async fn account_without_credit_parks_the_actor() {
    let scenario = Scenario::image(first(rejection(402, "Insufficient credit"))).await;
    scenario.world.deliver_once(1, None, &mut Default::default()).await;
    scenario.world.generate_one().await;
    let record = scenario.world.store.actor(&scenario.actor).await.unwrap().unwrap();
    assert_eq!(record.status, Status::Parked);
    assert!(record.reason.unwrap().contains("add some at replicate.com"));
    scenario.run().await;
    scenario.assert_all_generated().await;
    let record = scenario.world.store.actor(&scenario.actor).await.unwrap().unwrap();
    assert_ne!(record.status, Status::Parked);
}

#[tokio::test]
async fn operator_errors_dead_letter_and_name_the_remedy() {
    let echo = format!("Invalid token {TOKEN}");
    for (status, detail, words) in [
        (401, echo.as_str(), ["REPLICATE_API_TOKEN", "restart the functions", "dead-letter"]),
        (403, &echo, ["REPLICATE_API_TOKEN", "restart the functions", "dead-letter"]),
        (404, "The requested resource could not be found.", ["REPLICATE_MODEL", "could not be found", "dead-letter"]),
    ] {
        let scenario = Scenario::image(always(rejection(status, detail))).await;
        scenario.run().await;
        scenario.assert_dead_letter(&words).await;
        let record = scenario.world.store.actor(&scenario.actor).await.unwrap().unwrap();
        assert!(!record.reason.unwrap().contains(TOKEN), "the token is masked");
    }
}

#[tokio::test]
async fn rejected_request_is_not_repeated() {
    for (status, detail) in [(422, "input.prompt is too long"), (413, "Request entity too large"), (400, "Bad input")] {
        let scenario = Scenario::image(always(rejection(status, detail))).await;
        scenario.run().await;
        scenario.assert_abandoned(detail, 0).await;
        assert_eq!(scenario.world.replicate.creations(), 1);
    }
}

#[tokio::test]
async fn large_base_image_is_shrunk_before_it_is_sent() {
    let noise = |x: u32, y: u32| (x.wrapping_mul(2_654_435_761) ^ y.wrapping_mul(40_503)).rotate_left(13) as u8;
    let large = image::RgbImage::from_fn(3000, 4000, |x, y| image::Rgb([noise(x, y), noise(y, x), noise(x + y, 1)]));
    let large = imaging::encode_jpeg(&large).unwrap();
    assert!(large.len() > 5_000_000, "{} bytes", large.len());
    let scenario = Scenario::image(always(Outcome::Succeeds)).await;
    let key = format!("{}jpg", scenario.world.keys.base_image_stem(&scenario.actor));
    scenario.world.bucket.put(&key, large, "image/jpeg").await.unwrap();
    scenario.run().await;
    scenario.assert_all_generated().await;
}

#[tokio::test]
async fn concurrent_rejections_get_different_prompts() {
    let drawn = Arc::new(OnceLock::<BTreeSet<String>>::new());
    let rejected = Arc::clone(&drawn);
    let is_rejected = move |prompt: &str| rejected.get().is_some_and(|drawn| drawn.contains(prompt));
    let outcome = move |_, prompt: &str| if is_rejected(prompt) { Outcome::ContentRejected } else { Outcome::Succeeds };
    let scenario = Scenario::images(7, outcome).await;
    // Create the plan, and let Replicate reject each of its prompts.
    scenario.world.generate_one().await;
    let slots = scenario.plan().await.slots;
    let prompts = slots.iter().map(|slot| Library::built_in().by_id(&slot.prompt_id).unwrap().render("person"));
    drawn.set(prompts.collect()).unwrap();
    scenario.world.generate_with(7).await;
    scenario.assert_all_generated().await;
    let predictions = scenario.world.replicate.predictions();
    let prompts: BTreeSet<&str> = predictions.iter().map(|prediction| prediction.prompt.as_str()).collect();
    assert_eq!((predictions.len(), prompts.len()), (14, 14), "no prompt is used twice");
}

#[tokio::test]
async fn failing_or_unreadable_service_is_retried() {
    for outcome in
        [rejection(500, "oops"), rejection(503, "busy"), Outcome::Responds(201, json!({ "message": "hello" }))]
    {
        let scenario = Scenario::image(first(outcome)).await;
        scenario.run().await;
        scenario.assert_all_generated().await;
    }
}
