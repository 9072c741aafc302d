//! The user's own images outlive generated ones, and generated images of a different kind than requested are deleted.

use aws::queues::Queue;
use balancer_tests::coded::coded_picture;
use balancer_tests::replicate::Outcome;
use balancer_tests::stack::actor;
use balancer_tests::world::World;
use domain::actor::ActorId;
use domain::kind::Kind;
use domain::manifest::BALANCING;
use domain::status::Status;
use serde_json::json;

const WRONG_KIND: &str = "Generated as photorealistic, but came out as color_stylized.";

/// A world in which this many photographs come out as colour drawings with quality 9.
async fn world_with_wrong_kinds(photographs: usize) -> World {
    let paint = move |kind, index| match kind {
        Kind::Photorealistic if index < photographs => coded_picture(Kind::ColorStylized, 9, 1_000 + index as u32),
        kind => coded_picture(kind, 8, 1_000 + index as u32),
    };
    World::with(&[], |_, _| Outcome::Succeeds, paint).await
}

/// Uploads a base image, this many photographs, and one drawing of each stylized kind.
async fn upload(world: &World, hero: &ActorId, photographs: usize) {
    world.upload_base_image(hero).await;
    let photographs = vec![(Kind::Photorealistic, 8); photographs];
    let images = [photographs, vec![(Kind::BwStylized, 8), (Kind::ColorStylized, 6)]].concat();
    let all = images.len();
    for (number, (kind, quality)) in (1..).zip(images) {
        world.upload(hero, &format!("hero_{number}.jpg"), &coded_picture(kind, quality, number)).await;
    }
    world.wait_for_messages(all).await;
}

async fn status(world: &World, hero: &ActorId) -> Status {
    world.store.actor(hero).await.unwrap().unwrap().status
}

/// The content of the trash, with the reasons.
async fn deleted(world: &World, hero: &ActorId) -> Vec<(String, String)> {
    let trash = world.store.trash(hero).await.unwrap().into_iter();
    trash.map(|(name, mut entries)| (name, entries.pop().unwrap().reason)).collect()
}

#[tokio::test]
async fn wrong_kind_is_replaced_within_its_kind() {
    let (world, hero) = (world_with_wrong_kinds(1).await, actor("hero"));
    upload(&world, &hero, 3).await;
    world.drive().await;
    assert_eq!(status(&world, &hero).await, Status::Balanced);
    assert_eq!(deleted(&world, &hero).await, [("hero_6.jpg".to_owned(), WRONG_KIND.to_owned())]);
    let manifest = world.manifest(&hero).await;
    let names: Vec<&str> = manifest.images.keys().map(String::as_str).collect();
    assert_eq!(names, ["hero_1.jpg", "hero_2.jpg", "hero_3.jpg", "hero_4.jpg", "hero_5.jpg", "hero_7.jpg"]);
    assert_eq!(manifest.images["hero_7.jpg"].requested_type, Some(Kind::Photorealistic));
    let rounds: Vec<u32> = world.store.plans(&hero).await.unwrap().iter().map(|plan| plan.round).collect();
    assert_eq!((rounds, world.replicate.charged()), (vec![1, 2], 2));
}

#[tokio::test]
async fn always_bad_images_end_in_needs_attention() {
    let (world, hero) = (world_with_wrong_kinds(usize::MAX).await, actor("hero"));
    upload(&world, &hero, 3).await;
    world.drive().await;
    assert_eq!(status(&world, &hero).await, Status::NeedsAttention);
    assert_eq!((world.store.plans(&hero).await.unwrap().len(), world.replicate.charged()), (3, 3));
    assert!(deleted(&world, &hero).await.iter().all(|(_, reason)| reason == WRONG_KIND));
    let manifest = world.manifest(&hero).await;
    let own = manifest.images.values().filter(|image| image.generation_type.as_deref() != Some(BALANCING));
    assert_eq!(own.count(), 5, "{manifest:#?}");
}

#[tokio::test]
async fn pin_keeps_a_generated_image_of_wrong_kind() {
    let (world, hero) = (world_with_wrong_kinds(usize::MAX).await, actor("hero"));
    upload(&world, &hero, 4).await;
    world.drive().await;
    world.send(Queue::Generation, json!({ "actor_id": "hero", "generate": { "photorealistic": 1 } })).await;
    world.drive().await;
    assert_eq!(
        deleted(&world, &hero).await,
        [("hero_7.jpg".to_owned(), WRONG_KIND.to_owned())],
        "the manually requested image"
    );
    assert_eq!(status(&world, &hero).await, Status::Balanced);

    world.send(Queue::Generation, json!({ "actor_id": "hero", "generate": { "photorealistic": 1 } })).await;
    while world.store.image(&hero, "hero_8.jpg").await.unwrap().is_none_or(|image| image.etag.is_none()) {
        world.deliver_once(1, None, &mut balancer_tests::world::Trace::default()).await;
    }
    world.store.set_pinned(&hero, "hero_8.jpg", true).await.unwrap();
    world.drive().await;
    assert_eq!(
        deleted(&world, &hero).await.len(),
        2,
        "the pinned image counts as a colour drawing, so another one is deleted"
    );
    assert!(world.manifest(&hero).await.images.contains_key("hero_8.jpg"));
}

#[tokio::test]
async fn upload_replaces_a_generated_image() {
    let (world, hero) = (world_with_wrong_kinds(0).await, actor("hero"));
    upload(&world, &hero, 3).await;
    world.drive().await;
    assert_eq!(status(&world, &hero).await, Status::Balanced);
    world.upload(&hero, "hero_20.jpg", &coded_picture(Kind::Photorealistic, 5, 20)).await;
    world.wait_for_messages(1).await;
    world.drive().await;
    assert_eq!(status(&world, &hero).await, Status::Balanced);
    let reason = "Surplus: 5 good photorealistic images, 4 wanted; a generated image goes before your own (8).";
    assert_eq!(deleted(&world, &hero).await, [("hero_6.jpg".to_owned(), reason.to_owned())]);
}
