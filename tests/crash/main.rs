//! Every call that the stages make to AWS or to a paid service fails once, in every way there is, and each time the end
//! is the same as if nothing had happened. The calls are found by watching an undisturbed run, so a call that is added
//! one day is covered the same day.
#![allow(clippy::unwrap_used, clippy::panic, reason = "that is how a test fails")]
#![allow(clippy::print_stderr, reason = "people want to know how much was tried")]

mod ending;
mod panics;

use aws::queues::Queue;
use balancer_tests::coded::coded_picture;
use balancer_tests::replicate::Outcome;
use balancer_tests::stack::actor;
use balancer_tests::world::{Delivery, Fault, Journey, World};
use domain::kind::Kind;
use domain::plan::PlanState;
use futures::{StreamExt, stream};
use serde_json::json;

use ending::Ending;

/// Journeys that are under way at the same time.
const SIDE_BY_SIDE: usize = 4;

/// Journeys on which each message is delivered three times, shuffled differently.
const DELIVERIES: u64 = 12;

/// Where a journey leads to. The sets are small, since there are many journeys.
#[derive(Debug, Clone, Copy)]
enum Tale {
    /// One image is too poor, and two are missing; then the set is balanced.
    Balances,
    /// The one image is too poor, and so is the one that is made in its stead; then a person is asked.
    GivesUp,
    /// The same, begun by a person who asks for an evaluation.
    GivesUpAsked,
    /// The same, begun by a person who has an image made.
    GivesUpAfterGeneration,
    /// The same, begun by a person who has an image deleted.
    GivesUpAfterDeletion,
}

impl Tale {
    async fn begin(self) -> World {
        let (world, hero) = (self.world().await, actor("hero"));
        world.upload_base_image(&hero).await;
        for (number, picture) in (1..).zip(self.set()) {
            world.upload(&hero, &format!("hero_{number}.jpg"), &picture).await;
            world.upload(&hero, &format!("hero_{number}.txt"), format!("image {number}").as_bytes()).await;
        }
        // Every upload has been told, so that each journey begins alike.
        world.wait_for_messages(2 * self.set().len()).await;
        let (queue, message) = match self {
            Self::Balances | Self::GivesUp => return world,
            Self::GivesUpAsked => (Queue::Evaluation, json!({ "actor_id": hero })),
            Self::GivesUpAfterGeneration => {
                (Queue::Generation, json!({ "actor_id": hero, "generate": { "photorealistic": 1 } }))
            }
            Self::GivesUpAfterDeletion => (Queue::Deletion, json!({ "actor_id": hero, "filenames": ["hero_1.jpg"] })),
        };
        world.lose_messages(Queue::Evaluation).await;
        world.send(queue, message).await;
        world
    }

    async fn world(self) -> World {
        let poor = |kind, index| coded_picture(kind, 2, 1_000 + index as u32);
        match self {
            Self::Balances => World::coded(&[("TARGET_TOTAL", "3")]).await,
            _ => World::with(&[("TARGET_TOTAL", "1"), ("MAX_ROUNDS", "1")], |_, _| Outcome::Succeeds, poor).await,
        }
    }

    /// The target is 2/1/0, or 1/0/0.
    fn set(self) -> Vec<Vec<u8>> {
        let poor = coded_picture(Kind::Photorealistic, 2, 1);
        match self {
            Self::Balances => vec![coded_picture(Kind::Photorealistic, 8, 0), poor],
            _ => vec![poor],
        }
    }

    async fn undisturbed(self) -> (Ending, Vec<String>) {
        let world = self.begin().await;
        world.drive().await;
        (Ending::of(&world, &actor("hero")).await, world.network.calls())
    }
}

/// One journey in which the call of this index fails. `false` if it had not so many calls: messages that are worked on
/// side by side make now one more, now one less.
async fn disturbed(tale: Tale, call: usize, fault: Fault, late: bool, expected: &Ending) -> Result<bool, String> {
    let world = tale.begin().await;
    world.network.fail_at(call, fault);
    let journey = world.drive_with(Delivery { late, ..Delivery::default() }).await;
    let has_failed = world.network.has_failed();
    let kills = has_failed && matches!(fault, Fault::DiesBefore | Fault::DiesAfter);
    assert_eq!(journey.deaths, usize::from(kills), "call {call} {fault:?}");
    let ending = Ending::of(&world, &actor("hero")).await;
    let calls = world.network.calls();
    match ending.compare(expected) {
        Ok(()) => Ok(has_failed),
        Err(difference) => {
            let around = &calls[call.saturating_sub(3)..(call + 3).min(calls.len())];
            Err(format!("{tale:?}, call {call} {fault:?}, amid {around:#?}\n{difference}"))
        }
    }
}

async fn try_every_call(tale: Tale, fault: Fault, late: bool) {
    let (expected, calls) = tale.undisturbed().await;
    match tale {
        Tale::Balances => expected.assert_balanced(),
        Tale::GivesUp | Tale::GivesUpAsked => expected.assert_given_up(1, 1),
        Tale::GivesUpAfterGeneration => expected.assert_given_up(2, 2),
        Tale::GivesUpAfterDeletion => expected.assert_given_up(0, 1),
    }
    let ends: Vec<_> = stream::iter(0..calls.len())
        .map(|call| disturbed(tale, call, fault, late, &expected))
        .buffer_unordered(SIDE_BY_SIDE)
        .collect()
        .await;
    let survived = ends.iter().filter(|end| **end == Ok(true)).count();
    let failures: Vec<&String> = ends.iter().filter_map(|end| end.as_ref().err()).collect();
    let how = if late { ", redelivered last" } else { "" };
    eprintln!("{tale:?}, {fault:?}{how}: {survived} of {} calls survived", survived + failures.len());
    assert!(failures.is_empty(), "{} failures; the first: {}", failures.len(), failures[0]);
    assert!(survived * 10 >= calls.len() * 9, "only {survived} of {} calls were tried", calls.len());
}

#[tokio::test]
async fn a_worker_that_dies_before_a_call_leaves_nothing_undone() {
    try_every_call(Tale::Balances, Fault::DiesBefore, false).await;
}

#[tokio::test]
async fn a_worker_that_dies_after_a_call_does_nothing_twice() {
    try_every_call(Tale::Balances, Fault::DiesAfter, false).await;
}

#[tokio::test]
async fn an_answer_that_gets_lost_changes_nothing() {
    try_every_call(Tale::Balances, Fault::AnswerLost, false).await;
}

#[tokio::test]
async fn a_service_that_has_a_problem_is_asked_again() {
    try_every_call(Tale::Balances, Fault::Unavailable, false).await;
}

#[tokio::test]
async fn an_item_that_a_transaction_is_at_is_written_a_moment_later() {
    try_every_call(Tale::Balances, Fault::Conflict, false).await;
}

#[tokio::test]
async fn a_set_that_is_given_up_gets_no_new_rounds_wherever_a_worker_dies() {
    for fault in [Fault::DiesBefore, Fault::DiesAfter] {
        try_every_call(Tale::GivesUp, fault, false).await;
    }
}

#[tokio::test]
async fn a_message_that_comes_back_when_all_is_done_gives_no_new_rounds_to_a_set_that_is_given_up() {
    for tale in [Tale::GivesUp, Tale::GivesUpAsked, Tale::GivesUpAfterGeneration, Tale::GivesUpAfterDeletion] {
        try_every_call(tale, Fault::DiesAfter, true).await;
    }
}

/// A plan is being carried out when a person insists on an evaluation, which then finds no base image any more. The worker
/// dies after this many calls. `false` if it made fewer.
async fn overtaken(calls: usize) -> bool {
    let (world, hero) = (World::coded(&[]).await, actor("hero"));
    world.upload_base_image(&hero).await;
    world.send(Queue::Evaluation, json!({ "actor_id": "hero" })).await;
    world.deliver_once(1, None, &mut Journey::default()).await;
    assert!(world.store.plans(&hero).await.unwrap()[0].is_under_way());
    world.bucket.delete(&format!("{}jpg", world.keys.base_image_stem(&hero))).await.unwrap();
    world.send(Queue::Evaluation, json!({ "actor_id": "hero", "force": true })).await;
    world.network.fail_after(calls, Fault::DiesAfter);
    world.drive().await;

    let plan = world.store.plans(&hero).await.unwrap().remove(0);
    assert_eq!(plan.state, PlanState::Superseded, "after {calls} calls");
    assert!((plan.generated as usize) < plan.slots.len() - 1, "after {calls} calls: {plan:?}");
    assert_eq!(world.replicate.charged(), plan.generated as usize, "after {calls} calls");
    world.network.has_failed()
}

#[tokio::test]
async fn a_plan_that_was_overtaken_is_not_gone_on_with_wherever_the_worker_dies_that_overtakes_it() {
    let mut deaths = 0;
    while overtaken(deaths).await {
        deaths += 1;
    }
    eprintln!("overtaken: {deaths} calls survived");
    assert!(deaths >= 20, "only {deaths} calls were tried");
}

#[tokio::test]
async fn messages_delivered_three_times_in_any_order_change_nothing() {
    let (expected, _) = Tale::Balances.undisturbed().await;
    for seed in 0..DELIVERIES {
        let world = Tale::Balances.begin().await;
        world.drive_with(Delivery { times: 3, shuffled_by: Some(seed), ..Delivery::default() }).await;
        let ending = Ending::of(&world, &actor("hero")).await;
        ending.compare(&expected).unwrap_or_else(|difference| panic!("shuffled by {seed}\n{difference}"));
    }
}
