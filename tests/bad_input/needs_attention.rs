//! Nothing is generated or deleted while the base image or the actor's profile is unknown.

use aws::queues::Queue;
use balancer_tests::pictures;
use balancer_tests::set::assert_balanced;
use balancer_tests::stack::{TestStack, actor};
use balancer_tests::world::World;
use domain::kind::Kind::BwStylized;
use imaging::MAX_BYTES;
use serde_json::json;

#[tokio::test]
async fn empty_actor_gets_a_full_set() {
    let (stack, actor) = (TestStack::start().await, actor("newcomer"));
    stack.upload_base_image(&actor).await;

    stack.send(Queue::Evaluation, json!({ "actor_id": "newcomer" })).await;

    stack.balanced(&actor).await;
    let manifest = assert_balanced(&stack, &actor).await;
    assert!(manifest.images.values().all(|image| image.prompt.as_deref().unwrap().contains("person")));
}

#[tokio::test]
async fn missing_base_image_prevents_deletions() {
    let (stack, actor) = (TestStack::start().await, actor("hero"));
    stack.upload_all(&actor, 1, &pictures::good(BwStylized, 3)).await;
    stack.upload(&actor, "hero_4.jpg", &pictures::blurred()).await;

    let reason = stack.needs_attention(&actor).await;
    assert!(reason.contains(" at system_actors/base_images/hero_base.{png,jpg,jpeg,jpe,jfif,webp}"), "{reason}");
    assert_eq!(stack.filenames(&actor).await.len(), 4);
    assert!(stack.keys_below("trash/").await.is_empty());
    assert!(stack.plans(&actor).await.is_empty());

    stack.upload_base_image(&actor).await;
    stack.send(Queue::Evaluation, json!({ "actor_id": "hero" })).await;
    stack.balanced(&actor).await;
    assert_balanced(&stack, &actor).await;
}

#[tokio::test]
async fn unreadable_base_image_prevents_deletions() {
    let (stack, actor) = (TestStack::start().await, actor("hero"));
    let key = format!("{}png", stack.keys.base_image_stem(&actor));
    stack.bucket.put(&key, b"<html>404</html>".to_vec(), "image/png").await.unwrap();
    stack.upload_all(&actor, 1, &pictures::good(BwStylized, 2)).await;

    let reason = stack.needs_attention(&actor).await;
    assert!(reason.contains(&format!("{key} is unusable: the content is not PNG, JPEG or WebP")), "{reason}");
    assert_eq!(stack.filenames(&actor).await.len(), 2);
}

#[tokio::test]
async fn too_large_files_are_named_and_not_read() {
    let (world, actor) = (World::coded(&[]).await, actor("hero"));
    let base = format!("{}png", world.keys.base_image_stem(&actor));
    let file = world.keys.image(&actor, "actor.json");
    let evaluate = async || {
        world.send(Queue::Evaluation, json!({ "actor_id": "hero" })).await;
        world.drive().await;
        world.store.actor(&actor).await.unwrap().unwrap().reason.unwrap()
    };
    world.bucket.put(&base, vec![0; MAX_BYTES as usize + 1], "image/png").await.unwrap();
    let reason = evaluate().await;
    assert!(reason.contains(&format!("{base} is unusable: the file has 50 MB")), "{reason}");
    world.bucket.put(&file, vec![b' '; 100_000], "application/json").await.unwrap();
    let reason = evaluate().await;
    assert!(reason.contains(&format!("{file} can't be read: it has 100000 bytes")), "{reason}");
}

#[tokio::test]
async fn invalid_actor_file_stops_the_actor() {
    let (stack, actor) = (TestStack::start().await, actor("hero"));
    stack.upload_base_image(&actor).await;
    let key = stack.keys.image(&actor, "actor.json");
    stack.bucket.put(&key, br#"{"sexe":"female"}"#.to_vec(), "application/json").await.unwrap();
    stack.upload_all(&actor, 1, &pictures::good(BwStylized, 2)).await;

    let reason = stack.needs_attention(&actor).await;
    assert!(reason.contains(&key) && reason.contains("unknown field `sexe`"), "{reason}");
    assert_eq!(stack.keys_below("training_data/hero/").await.len(), 3);
}
