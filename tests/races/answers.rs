//! Each request is answered exactly once.

use aws::queues::Queue;
use balancer_tests::coded::coded_picture;
use balancer_tests::stack::actor;
use balancer_tests::world::World;
use domain::actor::ActorId;
use domain::kind::Kind;
use domain::planner::Scope;
use domain::status::Status;
use handlers::{Handler, Message};
use jiff::SignedDuration;
use serde_json::json;

async fn status(world: &World, actor: &ActorId) -> Status {
    world.store.actor(actor).await.unwrap().unwrap().status
}

/// A set with one photograph too many and without stylized images.
async fn lopsided() -> (World, ActorId) {
    let (world, hero) = (World::coded(&[("TARGET_TOTAL", "6")]).await, actor("hero"));
    world.upload_base_image(&hero).await;
    for number in 1..=5 {
        world.upload(&hero, &format!("hero_{number}.jpg"), &coded_picture(Kind::Photorealistic, 9, number)).await;
    }
    world.wait_for_messages(5).await;
    world.lose_messages(Queue::Evaluation).await;
    world.lose_messages(Queue::Evaluation).await;
    (world, hero)
}

#[tokio::test]
async fn plan_of_one_scope_does_not_answer_the_other() {
    for (first, second, part) in
        [("generate_only", "delete_only", Scope::DeleteOnly), ("delete_only", "generate_only", Scope::GenerateOnly)]
    {
        let (world, hero) = lopsided().await;
        world.send(Queue::Evaluation, json!({ "actor_id": "hero", "scope": first })).await;
        world.drive().await;
        for (request_id, scope) in [("one", first), ("other", second), ("other", second)] {
            let body = json!({ "actor_id": "hero", "scope": scope }).to_string();
            world
                .evaluation()
                .await
                .handler
                .handle(Message { request_id, body: &body, first_sent_at: None })
                .await
                .unwrap();
            world.drive().await;
        }
        let scopes: Vec<Scope> = world.store.plans(&hero).await.unwrap().into_iter().map(|plan| plan.scope).collect();
        assert_eq!(scopes[1..], [part], "{first}");
        assert_eq!(world.manifest(&hero).await.images.len(), 6, "{first}");
    }
}

#[tokio::test]
async fn answered_forced_request_supersedes_nothing() {
    let (world, hero) = lopsided().await;
    let body = json!({ "actor_id": "hero", "force": true }).to_string();
    let message = Message { request_id: "m", body: &body, first_sent_at: None };
    world.evaluation().await.handler.handle(message).await.unwrap();
    let begun = world.store.plans(&hero).await.unwrap();
    assert!(begun.len() == 1 && begun[0].is_under_way());
    // An upload after the evaluation, whose quiet time is over.
    world.store.raise_revision(&hero, world.clock.now()).await.unwrap();
    world.advance_clock(SignedDuration::from_mins(30));
    world.evaluation().await.handler.handle(message).await.unwrap();
    let plans = world.store.plans(&hero).await.unwrap();
    assert!(plans.len() == 1 && plans[0].is_under_way(), "{plans:?}");
    world.drive().await;
    assert_eq!(status(&world, &hero).await, Status::Balanced);
    assert_eq!(world.replicate.charged(), 2);
}

#[tokio::test]
async fn manual_deletion_of_vanished_file_is_evaluated() {
    let (world, hero) = (World::coded(&[("TARGET_TOTAL", "3")]).await, actor("hero"));
    world.upload_base_image(&hero).await;
    let kinds = [Kind::Photorealistic, Kind::Photorealistic, Kind::BwStylized];
    let pictures: Vec<_> = (1..).zip(kinds).map(|(number, kind)| coded_picture(kind, 9, number)).collect();
    for (number, picture) in (1..).zip(&pictures) {
        world.upload(&hero, &format!("hero_{number}.jpg"), picture).await;
    }
    world.wait_for_messages(3).await;
    world.drive().await;
    let delete = json!({ "actor_id": "hero", "filenames": ["hero_3.jpg"] });
    world.send(Queue::Deletion, delete.clone()).await;
    world.drive().await;
    assert_eq!((status(&world, &hero).await, world.replicate.charged()), (Status::Balanced, 1));

    // The image is uploaded again instead of its replacement, disappears without a message, and is deleted once more.
    world.upload(&hero, "hero_3.jpg", &pictures[2]).await;
    world.wait_for_messages(1).await;
    world.send(Queue::Deletion, json!({ "actor_id": "hero", "filenames": ["hero_4.jpg"] })).await;
    world.drive().await;
    assert_eq!((status(&world, &hero).await, world.manifest(&hero).await.images.len()), (Status::Balanced, 3));
    world.bucket.delete(&world.keys.image(&hero, "hero_3.jpg")).await.unwrap();
    world.send(Queue::Deletion, delete).await;
    world.drive().await;
    assert_eq!((status(&world, &hero).await, world.manifest(&hero).await.images.len()), (Status::Balanced, 3));
    assert_eq!(world.bucket.list(&world.keys.training_data(&hero)).await.unwrap().len(), 3);
}
