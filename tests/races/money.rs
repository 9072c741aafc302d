//! Budgets: no worker spends what another has reserved.

use aws::queues::Queue;
use balancer_tests::replicate::Outcome;
use balancer_tests::stack::actor;
use balancer_tests::world::{World, any_picture};
use domain::actor::ActorId;
use domain::lifecycle::actor::{ActorEvent, OnBehalf};
use domain::money::MicroUsd;
use domain::status::Status;
use jiff::SignedDuration;
use serde_json::json;

/// The price of an image.
const PRICE: u64 = 40_000;

async fn world(variables: &[(&str, &str)]) -> World {
    World::with(variables, |_, _| Outcome::Succeeds, any_picture).await
}

async fn request_images(world: &World, actor: &ActorId, images: u32) {
    world.upload_base_image(actor).await;
    world.send(Queue::Generation, json!({ "actor_id": actor, "generate": { "photorealistic": images } })).await;
    // Only the message that creates the plan.
    world.deliver_once(1, None, &mut Default::default()).await;
}

/// Processes every waiting message once, with this many workers.
async fn process_once(world: &World, workers: usize) {
    let work = async || {
        for _ in 0..4 {
            world.generate_one().await;
        }
    };
    futures::future::join_all((0..workers).map(|_| work())).await;
}

#[tokio::test]
async fn fifty_workers_do_not_exceed_the_budget() {
    for (variable, words) in [
        ("DAILY_BUDGET_USD", "DAILY_BUDGET_USD is raised"),
        ("ACTOR_DAILY_BUDGET_USD", "ACTOR_DAILY_BUDGET_USD is raised"),
        ("PLAN_BUDGET_USD", "PLAN_BUDGET_USD is raised"),
    ] {
        // Ten and a half images. Polling the budget takes no time, so that the day doesn't end.
        let (mut world, hero) = (world(&[(variable, "0.42"), ("BUDGET_POLL_SECONDS", "1")]).await, actor("hero"));
        request_images(&world, &hero, 30).await;
        process_once(&world, 50).await;
        assert_eq!(world.replicate.charged(), 10, "{variable}");
        let record = world.store.actor(&hero).await.unwrap().unwrap();
        assert_eq!(record.status, Status::Parked);
        assert!(record.reason.unwrap().contains(words));
        let today = world.clock.today();
        let spending = world.store.spending(today).await.unwrap();
        assert_eq!((spending.spent, spending.committed), (MicroUsd(10 * PRICE), MicroUsd(10 * PRICE)));

        world.set(variable, "100");
        world.generate_with(10).await;
        assert_eq!(world.replicate.charged(), 30, "the work continues when {variable} is raised");
        assert_ne!(world.store.actor(&hero).await.unwrap().unwrap().status, Status::Parked);
        assert_eq!(world.dead_letters().await, 0);
    }
}

#[tokio::test]
async fn attention_reason_returns_after_parking() {
    let (world, hero) = (World::coded(&[]).await, actor("hero"));
    let status_and_reason = async || {
        let record = world.store.actor(&hero).await.unwrap().unwrap();
        (record.status, record.reason.unwrap())
    };
    let now = world.clock.now();
    let happened = async |behalf, event: ActorEvent| {
        assert!(world.store.change_standing(&hero, behalf, &event, now).await.unwrap(), "{event:?}");
    };
    for attention in ["The generation message failed 5 times.", "Another one did."] {
        world.store.raise_revision(&hero, now).await.unwrap();
        happened(OnBehalf::Request(None), ActorEvent::AttentionRequired { reason: attention.to_owned() }).await;
        for reason in ["No money.", "No money still."] {
            let parked = ActorEvent::WorkParked { limit: None, reason: reason.to_owned() };
            happened(OnBehalf::Plan("manual-1"), parked).await;
            assert_eq!(status_and_reason().await, (Status::Parked, reason.to_owned()));
        }
        happened(OnBehalf::Plan("manual-1"), ActorEvent::WorkResumed).await;
        assert_eq!(status_and_reason().await, (Status::NeedsAttention, attention.to_owned()));
    }
}

#[tokio::test]
async fn parked_work_resumes_the_next_day() {
    let (world, hero) = (world(&[("DAILY_BUDGET_USD", "0.20")]).await, actor("hero"));
    request_images(&world, &hero, 8).await;
    process_once(&world, 2).await;
    assert_eq!(world.replicate.charged(), 5);
    world.advance_clock(SignedDuration::from_hours(24));
    world.generate_with(2).await;
    assert_eq!(world.replicate.charged(), 8);
    assert_eq!(world.store.plans(&hero).await.unwrap()[0].spent, MicroUsd(8 * PRICE));
    assert_eq!(world.store.spending_ever_on(&hero).await.unwrap(), MicroUsd(8 * PRICE));
}

#[tokio::test]
async fn failed_or_rejected_prediction_costs_nothing() {
    let outcomes = |index: usize, _: &str| match index % 3 {
        0 => Outcome::Fails,
        1 => Outcome::ContentRejected,
        _ => Outcome::Succeeds,
    };
    let (world, hero) = (World::with(&[], outcomes, any_picture).await, actor("hero"));
    request_images(&world, &hero, 6).await;
    world.generate_with(1).await;
    let plan = &world.store.plans(&hero).await.unwrap()[0];
    assert_eq!(plan.remaining, 0);
    let charged = MicroUsd(world.replicate.charged() as u64 * PRICE);
    assert_eq!((plan.spent, plan.committed), (charged, charged));
    assert!(plan.generated > 0 && world.replicate.creations() > plan.slots.len());
}
