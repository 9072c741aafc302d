//! What becomes of a request for an image.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use aws::queues::Queue;
use balancer_tests::replicate::{Outcome, TOKEN};
use domain::prompts::by_id;
use domain::status::Status;
use handlers::Clock;
use jiff::SignedDuration;
use serde_json::json;

use crate::support::{Wanted, always, first, refusal};

#[tokio::test]
async fn an_image_that_takes_its_time_is_waited_for() {
    let wanted = Wanted::image(always(Outcome::SucceedsAfter(Duration::from_millis(1_200)))).await;
    wanted.work().await;
    wanted.assert_all_made().await;
}

#[tokio::test]
async fn a_failure_is_tried_again_with_another_seed() {
    let wanted = Wanted::image(first(Outcome::Fails)).await;
    wanted.work().await;
    wanted.assert_all_made().await;
    let seeds: BTreeSet<u64> = wanted.world.replicate.begun().iter().map(|begun| begun.seed).collect();
    assert_eq!(seeds.len(), 2);
}

#[tokio::test]
async fn what_fails_three_times_is_given_up_and_costs_nothing() {
    let wanted = Wanted::image(always(Outcome::Fails)).await;
    wanted.work().await;
    wanted.assert_given_up("3 attempts failed, the last because CUDA out of memory", 0).await;
    assert_eq!(wanted.world.replicate.creations(), 3);
}

#[tokio::test]
async fn what_an_overtaken_plan_has_asked_for_is_refused_and_booked_as_paid() {
    for (fate, paid) in [(Outcome::AnswerIsLost, 40_000), (Outcome::Answers(429, json!({ "detail": "Slow down" })), 0)]
    {
        let wanted = Wanted::image(always(fate)).await;
        wanted.work_once().await;
        wanted.world.store.supersede_plan(&wanted.actor, &wanted.plan().await.plan_id).await.unwrap();
        wanted.work().await;
        let plan = wanted.plan().await;
        assert_eq!(
            (plan.spent.0, plan.committed.0, wanted.world.replicate.charged() as u64),
            (paid, paid, paid / 40_000)
        );
        let rejections = wanted.world.store.rejections().await.unwrap();
        assert!(
            rejections.len() == 1 && rejections[0].reason.contains("not to be carried out any more"),
            "{rejections:?}"
        );
        assert_eq!((wanted.files().await.len(), wanted.world.dead_letters().await), (0, 0));
    }
}

#[tokio::test]
async fn an_improper_prompt_is_replaced_and_remembered() {
    let wanted = Wanted::image(first(Outcome::IsImproper)).await;
    wanted.work().await;
    wanted.assert_all_made().await;
    let [improper, proper] = wanted.world.replicate.begun().try_into().unwrap();
    assert_ne!(improper.prompt, proper.prompt);
    let record = wanted.world.store.actor(&wanted.actor).await.unwrap().unwrap();
    let rejected = &wanted.plan().await.slots[0].prompt_id;
    assert_eq!(record.rejected_prompts.iter().collect::<Vec<_>>(), [rejected]);
    let manifest = wanted.world.manifest(&wanted.actor).await;
    let made = manifest.images.values().next().unwrap();
    assert_eq!(made.prompt.as_ref(), Some(&proper.prompt), "the manifest names the prompt it was made with");
    assert_ne!(made.prompt_id.as_ref(), Some(rejected));
}

#[tokio::test]
async fn a_prompt_found_improper_is_not_drawn_for_the_actor_again_while_there_are_others() {
    let wanted = Wanted::image(first(Outcome::IsImproper)).await;
    wanted.work().await;
    let rejected = wanted.plan().await.slots[0].prompt_id.clone();
    // All that are left: 15 prompts of the kind, one of them improper and another one used.
    let message = json!({ "actor_id": wanted.actor, "generate": { "photorealistic": 13 } });
    wanted.world.send(Queue::Generation, message).await;
    wanted.work().await;
    let plans = wanted.world.store.plans(&wanted.actor).await.unwrap();
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
async fn three_improper_prompts_are_enough() {
    let wanted = Wanted::image(always(Outcome::IsImproper)).await;
    wanted.work().await;
    wanted.assert_given_up("flagged as sensitive", 0).await;
    let prompts: BTreeSet<String> = wanted.world.replicate.begun().into_iter().map(|begun| begun.prompt).collect();
    assert_eq!(prompts.len(), 3);
}

#[tokio::test]
async fn an_answer_that_gets_lost_is_not_paid_twice() {
    let wanted = Wanted::image(first(Outcome::AnswerIsLost)).await;
    wanted.work().await;
    wanted.assert_all_made().await;
    assert_eq!(wanted.world.replicate.creations(), 1, "the image that was begun is found by its seed");
}

#[tokio::test]
async fn a_creation_that_is_never_answered_is_made_again() {
    let wanted = Wanted::image(first(Outcome::Hangs)).await;
    wanted.work().await;
    wanted.assert_all_made().await;
}

#[tokio::test]
async fn a_wait_that_is_asked_for_is_spent_outside_the_function() {
    for (answer, seconds) in [
        (refusal(429, "Request was throttled. Your rate limit resets in ~30s."), 30),
        (refusal(429, "Request was throttled."), 10),
    ] {
        let wanted = Wanted::image(first(answer)).await;
        let before = wanted.world.clock.now();
        wanted.work().await;
        wanted.assert_all_made().await;
        let passed = wanted.world.clock.now().duration_since(before).as_secs();
        assert!((seconds..seconds + 10).contains(&passed), "{passed} s passed");
    }
}

#[tokio::test]
async fn an_account_with_little_credit_works_through_twenty_images_without_a_failure() {
    // Six creations in any minute, by the world's clock, which waiting puts forward.
    let (clock, made) = (Arc::new(OnceLock::<Clock>::new()), Mutex::new(Vec::new()));
    let telling = Arc::clone(&clock);
    let wanted = Wanted::images(20, move |_, _| {
        let (now, mut made) = (telling.get().unwrap().now(), made.lock().unwrap());
        made.retain(|&at| now.duration_since(at) < SignedDuration::from_mins(1));
        if made.len() < 6 {
            made.push(now);
            return Outcome::Succeeds;
        }
        let left = 60 - now.duration_since(made[0]).as_secs();
        refusal(429, &format!("Request was throttled. Your rate limit resets in ~{left}s."))
    })
    .await;
    clock.set(wanted.world.clock.clone()).ok().unwrap();
    let began = wanted.world.clock.now();
    wanted.world.generate_with(5).await;
    wanted.assert_all_made().await;
    assert!(wanted.world.replicate.creations() > 20, "some were refused");
    assert!(wanted.world.clock.now().duration_since(began) >= SignedDuration::from_mins(3));
    let deliveries = wanted.world.network.calls().into_iter().filter(|call| call.contains("ChangeMessageVisibility"));
    assert_eq!(deliveries.count(), 0, "waiting uses up no delivery");
}

#[tokio::test]
async fn an_account_without_credit_parks_the_work_until_there_is_some() {
    let wanted = Wanted::image(first(refusal(402, "Insufficient credit"))).await;
    wanted.world.deliver_once(1, None, &mut Default::default()).await;
    wanted.world.generate_one().await;
    let record = wanted.world.store.actor(&wanted.actor).await.unwrap().unwrap();
    assert_eq!(record.status, Status::Parked);
    assert!(record.reason.unwrap().contains("add some at replicate.com"));
    wanted.work().await;
    wanted.assert_all_made().await;
    let record = wanted.world.store.actor(&wanted.actor).await.unwrap().unwrap();
    assert_ne!(record.status, Status::Parked);
}

#[tokio::test]
async fn what_a_person_must_correct_ends_in_the_dead_letter_queue_and_the_actor_says_so() {
    let echo = format!("Invalid token {TOKEN}");
    for (status, detail, words) in [
        (401, echo.as_str(), ["REPLICATE_API_TOKEN", "restart the functions", "dead-letter"]),
        (403, &echo, ["REPLICATE_API_TOKEN", "restart the functions", "dead-letter"]),
        (404, "The requested resource could not be found.", ["REPLICATE_MODEL", "could not be found", "dead-letter"]),
    ] {
        let wanted = Wanted::image(always(refusal(status, detail))).await;
        wanted.work().await;
        wanted.assert_dead_letter(&words).await;
        let record = wanted.world.store.actor(&wanted.actor).await.unwrap().unwrap();
        assert!(!record.reason.unwrap().contains(TOKEN), "Replicate's words are not repeated blindly");
    }
}

#[tokio::test]
async fn a_request_that_replicate_refuses_is_not_made_again() {
    for (status, detail) in [(422, "input.prompt is too long"), (413, "Request entity too large"), (400, "Bad input")] {
        let wanted = Wanted::image(always(refusal(status, detail))).await;
        wanted.work().await;
        wanted.assert_given_up(detail, 0).await;
        assert_eq!(wanted.world.replicate.creations(), 1);
    }
}

#[tokio::test]
async fn a_base_image_of_any_size_is_shrunk_before_it_is_sent() {
    let noise = |x: u32, y: u32| (x.wrapping_mul(2_654_435_761) ^ y.wrapping_mul(40_503)).rotate_left(13) as u8;
    let large = image::RgbImage::from_fn(3000, 4000, |x, y| image::Rgb([noise(x, y), noise(y, x), noise(x + y, 1)]));
    let large = imaging::encode_jpeg(&large).unwrap();
    assert!(large.len() > 5_000_000, "{} bytes", large.len());
    let wanted = Wanted::image(always(Outcome::Succeeds)).await;
    let key = format!("{}jpg", wanted.world.keys.base_image_stem(&wanted.actor));
    wanted.world.bucket.put(&key, large, "image/jpeg").await.unwrap();
    wanted.work().await;
    wanted.assert_all_made().await;
}

#[tokio::test]
async fn images_whose_prompts_are_improper_at_the_same_time_are_given_different_ones() {
    let drawn = Arc::new(OnceLock::<BTreeSet<String>>::new());
    let improper = Arc::clone(&drawn);
    let is_improper = move |prompt: &str| improper.get().is_some_and(|drawn| drawn.contains(prompt));
    let fate = move |_, prompt: &str| if is_improper(prompt) { Outcome::IsImproper } else { Outcome::Succeeds };
    let wanted = Wanted::images(7, fate).await;
    // The plan, and no image yet: whatever it has drawn is improper.
    wanted.world.generate_one().await;
    let slots = wanted.plan().await.slots;
    let prompts = slots.iter().map(|slot| by_id(&slot.prompt_id).unwrap().render("person"));
    drawn.set(prompts.collect()).unwrap();
    wanted.world.generate_with(7).await;
    wanted.assert_all_made().await;
    let begun = wanted.world.replicate.begun();
    let prompts: BTreeSet<&str> = begun.iter().map(|begun| begun.prompt.as_str()).collect();
    assert_eq!((begun.len(), prompts.len()), (14, 14), "no prompt is drawn twice");
}

#[tokio::test]
async fn a_service_that_has_a_problem_or_talks_nonsense_is_asked_again() {
    for fate in [refusal(500, "oops"), refusal(503, "busy"), Outcome::Answers(201, json!({ "message": "hello" }))] {
        let wanted = Wanted::image(first(fate)).await;
        wanted.work().await;
        wanted.assert_all_made().await;
    }
}
