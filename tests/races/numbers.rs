//! Image numbers are sequential for each actor, without gaps and duplicates.

use std::time::Duration;

use aws::bucket::PutNew;
use aws::store::slots::{SlotName, SlotRecord};
use balancer_tests::replicate::Outcome;
use balancer_tests::stack::actor;
use balancer_tests::world::{World, any_picture};
use domain::actor::ActorId;
use domain::lifecycle::slot::{SlotEvent, SlotState};
use domain::manifest::{BALANCING, Image};
use domain::messages::new_request_id;
use domain::numbering::{filename, highest, number_of};
use handlers::{Handler, Message};
use serde_json::json;

const NO_LIMITS: [(&str, &str); 3] =
    [("DAILY_BUDGET_USD", "1000"), ("ACTOR_DAILY_BUDGET_USD", "1000"), ("PLAN_BUDGET_USD", "1000")];

async fn world_without_limits() -> World {
    World::with(&NO_LIMITS, |_, _| Outcome::Succeeds, any_picture).await
}

/// Requests this many images of an actor, a hundred at a time, and leaves the messages of the images in the queue.
async fn request_images(world: &World, actor: &ActorId, images: u32) {
    world.upload_base_image(actor).await;
    let mut left = images;
    while left > 0 {
        let now = left.min(100);
        let body = json!({ "actor_id": actor, "generate": { "photorealistic": now } }).to_string();
        // Handled at once, because a worker ends at an empty queue: the messages of the images must precede the workers.
        let message = Message { request_id: &new_request_id(), body: &body, first_sent_at: None };
        world.generation().await.handler.handle(message).await.unwrap();
        left -= now;
    }
}

/// Uploads this many files, each under the next free number, as an operator would.
async fn upload_numbered(world: &World, actor: &ActorId, images: usize) {
    let mut uploaded = 0;
    while uploaded < images {
        let listed = world.keys_below(&format!("training_data/{actor}/")).await;
        let name = filename(actor, highest(listed.iter().map(String::as_str)) + 1);
        let picture = any_picture(domain::kind::Kind::Photorealistic, 100_000 + uploaded);
        let put = world.bucket.put_new(&world.keys.image(actor, &name), picture, "image/jpeg").await.unwrap();
        uploaded += usize::from(matches!(put, PutNew::Stored(_)));
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
}

/// Asserts that an actor's images have the numbers from 1 on, and that all generated ones are in the manifest.
async fn assert_sequential(world: &World, actor: &ActorId, made: usize, uploaded: usize) {
    let mut numbers: Vec<u64> =
        world.keys_below(&format!("training_data/{actor}/")).await.iter().map(|name| number_of(name)).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=(made + uploaded) as u64).collect::<Vec<_>>());
    let manifest = world.manifest(actor).await;
    let recorded: Vec<_> =
        manifest.images.values().filter(|image| image.generation_type.as_deref() == Some(BALANCING)).collect();
    assert_eq!(recorded.len(), made);
    assert!(recorded.iter().all(|image| image.etag.is_some()), "each is in its place");
    for plan in world.store.plans(actor).await.unwrap() {
        assert_eq!((plan.remaining, plan.generated as usize), (0, plan.slots.len()));
        for slot in &plan.slots {
            let name = SlotName { actor, plan_id: &plan.plan_id, slot_id: &slot.slot_id };
            let state = world.store.slot(name).await.unwrap().progress.state;
            assert!(matches!(state, SlotState::Done { .. }), "{state:?}");
        }
    }
}

#[tokio::test]
async fn fifty_workers_and_uploads_share_no_number() {
    let (world, hero) = (world_without_limits().await, actor("hero"));
    // Some writes fail with a transaction conflict, which the emulator never reports.
    world.network.conflict_every(20);
    request_images(&world, &hero, 200).await;
    tokio::join!(world.generate_with(50), upload_numbered(&world, &hero, 25));
    world.generate_with(1).await;
    assert_sequential(&world, &hero, 200, 25).await;
    assert_eq!(world.replicate.charged(), 200);
    assert_eq!(world.dead_letters().await, 0);
}

/// The attempts at a number for each image, when this many workers make `images` images of one actor.
async fn attempts_per_image(workers: usize, images: u32) -> f64 {
    let (world, hero) = (world_without_limits().await, actor("hero"));
    request_images(&world, &hero, images).await;
    world.generate_with(workers).await;
    assert_sequential(&world, &hero, images as usize, 0).await;
    assert_eq!((world.replicate.charged(), world.dead_letters().await), (images as usize, 0));
    // Each attempt lists the folder, and the placement once more.
    let calls = world.network.calls();
    let listings = calls.iter().filter(|call| call.starts_with("GET") && call.contains("list-type=2")).count();
    listings as f64 / f64::from(images) - 1.0
}

#[tokio::test]
async fn contention_grows_slower_than_the_workers() {
    let images = std::env::var("CONTENTION_IMAGES").map_or(100, |images| images.parse().unwrap());
    let (few, many) = (attempts_per_image(10, images).await, attempts_per_image(100, images).await);
    eprintln!("{images} images of one actor: {few:.2} attempts per image of 10 workers, {many:.2} of 100");
    assert!(few >= 1.0 && many < few * 10.0, "{few} and {many} attempts");
}

#[tokio::test]
async fn concurrent_actors_have_independent_numbers() {
    let world = world_without_limits().await;
    let actors: Vec<ActorId> = (0..20).map(|number| actor(&format!("actor {number}"))).collect();
    for actor in &actors {
        request_images(&world, actor, 5).await;
    }
    world.generate_with(20).await;
    for actor in &actors {
        assert_sequential(&world, actor, 5, 0).await;
    }
    assert_eq!(world.replicate.charged(), 100);
}

#[tokio::test]
async fn stale_worker_gets_no_number_of_a_removed_image() {
    let (world, hero) = (world_without_limits().await, actor("hero"));
    let slot = |slot_id| SlotName { actor: &hero, plan_id: "p", slot_id };
    let numbered = |index| Image { index, ..Image::default() };
    let mut staged = Vec::new();
    for slot_id in ["early", "late"] {
        let now = world.clock.now();
        let record = world.store.lease_slot(slot(slot_id), "worker", now).await.unwrap().unwrap();
        staged.push(world.store.advance_slot(slot(slot_id), &record, &SlotEvent::ImageStaged).await.unwrap().unwrap());
    }
    let assign = async |slot_id, record: &SlotRecord, after, index| {
        let (name, image) = (format!("hero_{index}.jpg"), numbered(index));
        world.store.assign_number(slot(slot_id), record, after, &name, &image).await.unwrap()
    };
    assert!(assign("early", &staged[0], 0, 1).await);
    world.store.forget_vanished(&hero, "hero_1.jpg", &numbered(1)).await.unwrap();
    assert!(!assign("late", &staged[1], 0, 1).await, "1 has been used");
    assert!(assign("late", &staged[1], 1, 2).await);
}
