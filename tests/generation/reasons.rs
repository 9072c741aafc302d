//! The actor's reason explains why images are missing.

use balancer_tests::coded::coded_picture;
use balancer_tests::replicate::Outcome;
use balancer_tests::stack::actor;
use balancer_tests::world::{World, any_picture};
use domain::kind::Kind;
use domain::status::Status;

use crate::generation::support::{always, rejection};

/// The final reason of an actor that lacks two of three images, if every creation has this outcome.
async fn final_reason(outcome: Outcome) -> String {
    let (world, hero) = (World::with(&[("TARGET_TOTAL", "3")], always(outcome), any_picture).await, actor("hero"));
    world.upload_base_image(&hero).await;
    world.upload(&hero, "hero_1.jpg", &coded_picture(Kind::Photorealistic, 8, 0)).await;
    world.wait_for_messages(1).await;
    world.drive().await;
    let record = world.store.actor(&hero).await.unwrap().unwrap();
    assert_eq!((record.status, world.replicate.charged(), world.dead_letters().await), (Status::NeedsAttention, 0, 0));
    record.reason.unwrap()
}

#[tokio::test]
async fn reason_explains_missing_images_after_all_rounds() {
    let flagged = final_reason(Outcome::ContentRejected).await;
    for words in
        ["After 3 rounds", "2 images 2 could not be generated", "flagged as sensitive", "replace the base image"]
    {
        assert!(flagged.contains(words), "{flagged}");
    }
    let rejected = final_reason(rejection(422, "input.prompt is too long")).await;
    assert!(rejected.contains("could not be generated: Replicate rejects the request"), "{rejected}");
    assert!(rejected.contains("input.prompt is too long"), "{rejected}");
}
