//! What becomes of a request for an image.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::time::Duration;

use balancer::adapters::queues::Queue;
use balancer::adapters::store::actors::Status;
use balancer_tests::replicate::Fate;
use serde_json::json;

use crate::support::Wanted;

/// The first creation fares like this, all others succeed.
fn first(fate: Fate) -> impl Fn(usize, &str) -> Fate + Send + Sync + 'static {
    move |index, _| if index == 0 { fate.clone() } else { Fate::Succeeds }
}

fn always(fate: Fate) -> impl Fn(usize, &str) -> Fate + Send + Sync + 'static {
    move |_, _| fate.clone()
}

fn refusal(status: u16, detail: &str) -> Fate {
    Fate::Answers(status, json!({ "detail": detail, "status": status }))
}

#[tokio::test]
async fn an_image_that_takes_its_time_is_waited_for() {
    let wanted = Wanted::image(always(Fate::SucceedsAfter(Duration::from_millis(1_200)))).await;
    wanted.work().await;
    wanted.assert_all_made().await;
}

#[tokio::test]
async fn a_failure_is_tried_again_with_another_seed() {
    let wanted = Wanted::image(first(Fate::Fails)).await;
    wanted.work().await;
    wanted.assert_all_made().await;
    let seeds: BTreeSet<u64> = wanted.world.replicate.begun().iter().map(|begun| begun.seed).collect();
    assert_eq!(seeds.len(), 2);
}

#[tokio::test]
async fn what_fails_three_times_is_given_up_and_costs_nothing() {
    let wanted = Wanted::image(always(Fate::Fails)).await;
    wanted.work().await;
    wanted.assert_given_up("3 attempts failed, the last because CUDA out of memory", 0).await;
    assert_eq!(wanted.world.replicate.creations(), 3);
}

#[tokio::test]
async fn an_improper_prompt_is_replaced_and_remembered() {
    let wanted = Wanted::image(first(Fate::IsImproper)).await;
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
    let wanted = Wanted::image(first(Fate::IsImproper)).await;
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
    let wanted = Wanted::image(always(Fate::IsImproper)).await;
    wanted.work().await;
    wanted.assert_given_up("flagged as sensitive", 0).await;
    let prompts: BTreeSet<String> = wanted.world.replicate.begun().into_iter().map(|begun| begun.prompt).collect();
    assert_eq!(prompts.len(), 3);
}

#[tokio::test]
async fn an_answer_that_gets_lost_is_not_paid_twice() {
    let wanted = Wanted::image(first(Fate::AnswerIsLost)).await;
    wanted.work().await;
    wanted.assert_all_made().await;
    assert_eq!(wanted.world.replicate.creations(), 1, "the image that was begun is found by its seed");
}

#[tokio::test]
async fn a_creation_that_is_never_answered_is_made_again() {
    let wanted = Wanted::image(first(Fate::Hangs)).await;
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
    // Six creations in each minute, by the calls of a clock that only waiting puts forward.
    let window = Mutex::new((0_usize, 0_usize));
    let wanted = Wanted::images(20, move |_, _| {
        let mut window = window.lock().unwrap();
        let (made, refused) = *window;
        if made < 6 {
            *window = (made + 1, refused);
            return Fate::Succeeds;
        }
        // Two waits of 30 seconds, and the minute is over.
        *window = if refused == 1 { (0, 0) } else { (made, refused + 1) };
        refusal(429, "Request was throttled. Your rate limit resets in ~30s.")
    })
    .await;
    wanted.work().await;
    wanted.assert_all_made().await;
    assert!(wanted.world.replicate.creations() > 20);
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
async fn a_wrong_token_ends_in_the_dead_letter_queue_and_the_actor_says_why() {
    let wanted = Wanted::image(always(refusal(401, "Unauthenticated"))).await;
    wanted.work().await;
    assert_eq!(wanted.world.dead_letters().await, 1);
    let record = wanted.world.store.actor(&wanted.actor).await.unwrap().unwrap();
    assert_eq!(record.status, Status::NeedsAttention);
    let reason = record.reason.unwrap();
    assert!(reason.contains("REPLICATE_API_TOKEN") && reason.contains("dead-letter"), "{reason}");
    assert_eq!(wanted.plan().await.spent.0, 0);
}

#[tokio::test]
async fn a_request_that_replicate_refuses_is_not_made_again() {
    let wanted = Wanted::image(always(refusal(422, "input.prompt is too long"))).await;
    wanted.work().await;
    wanted.assert_given_up("input.prompt is too long", 0).await;
    assert_eq!(wanted.world.replicate.creations(), 1);
}

#[tokio::test]
async fn a_service_that_has_a_problem_or_talks_nonsense_is_asked_again() {
    for fate in [refusal(500, "oops"), refusal(503, "busy"), Fate::Answers(201, json!({ "message": "hello" }))] {
        let wanted = Wanted::image(first(fate)).await;
        wanted.work().await;
        wanted.assert_all_made().await;
    }
}
