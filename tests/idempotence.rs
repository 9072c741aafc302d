//! A repeated message or upload changes nothing.

use std::collections::BTreeMap;

use aws::queues::Queue;
use balancer_tests::pictures::{full_set, too_full_set};
use balancer_tests::runtime_api;
use balancer_tests::set::assert_balanced;
use balancer_tests::stack::{self, TestStack, actor};
use domain::actor::ActorId;
use domain::manifest::{BALANCING, GenerationBatch, Image};
use domain::plan::Plan;
use serde_json::json;

/// Everything about an actor that a repetition must not change.
#[derive(Debug, PartialEq)]
struct Snapshot {
    objects: Vec<(String, String)>,
    images: BTreeMap<String, Image>,
    generations: Vec<GenerationBatch>,
    plans: Vec<Plan>,
    grids_and_trash: Vec<String>,
}

async fn snapshot(stack: &TestStack, actor: &ActorId) -> Snapshot {
    let manifest = stack.manifest(actor).await;
    let objects = stack.bucket.list(&stack.keys.training_data(actor)).await.unwrap();
    let mut grids_and_trash = stack.keys_below("evaluations/").await;
    grids_and_trash.extend(stack.keys_below("trash/").await);
    Snapshot {
        objects: objects.into_iter().map(|object| (object.key, object.etag)).collect(),
        images: manifest.images,
        generations: manifest.generations,
        plans: stack.plans(actor).await,
        grids_and_trash,
    }
}

#[tokio::test]
async fn repeated_evaluation_requests_make_one_plan() {
    let (stack, actor) = (TestStack::without_triggers().await, actor("hero"));
    stack.upload_all(&actor, 1, &too_full_set()).await;
    for _ in 0..3 {
        stack.send(Queue::Evaluation, json!({ "actor_id": "hero" })).await;
    }
    stack.balanced(&actor).await;
    assert_balanced(&stack, &actor).await;
    assert_eq!(stack.plans(&actor).await.len(), 1);
    assert_eq!(stack.keys_below("trash/").await.len(), 2);
}

#[tokio::test]
async fn repeated_plan_messages_change_nothing() {
    let (stack, actor) = (TestStack::start().await, actor("hero"));
    stack.upload_base_image(&actor).await;
    stack.upload_all(&actor, 1, &too_full_set()[2..]).await;
    stack.balanced(&actor).await;
    let before = snapshot(&stack, &actor).await;
    let plan = &before.plans[0];
    assert!(!plan.delete.is_empty() && !plan.slots.is_empty());

    for _ in 0..3 {
        stack.send(Queue::Deletion, json!({ "actor_id": "hero", "plan_id": plan.plan_id })).await;
        for slot in &plan.slots {
            let message = json!({ "actor_id": "hero", "plan_id": plan.plan_id, "slot_id": slot.slot_id });
            stack.send(Queue::Generation, message).await;
        }
    }

    stack.balanced(&actor).await;
    assert_eq!(snapshot(&stack, &actor).await, before);
    assert_eq!(stack.dead_letters().await, 0);
}

#[tokio::test]
async fn repeated_manual_deletion_trashes_once() {
    let (stack, actor) = (TestStack::start().await, actor("hero"));
    let names = stack.upload_all(&actor, 1, &full_set()).await;
    stack.balanced(&actor).await;
    for _ in 0..3 {
        stack.send(Queue::Deletion, json!({ "actor_id": "hero", "filenames": [names[0]] })).await;
    }
    let reason = stack.needs_attention(&actor).await;
    assert!(reason.contains("There is no base image"), "{reason}");
    assert_eq!(stack.filenames(&actor).await, names[1..]);
    assert_eq!(stack.keys_below("trash/").await.len(), 1);
}

#[tokio::test]
async fn repeated_upload_of_same_bytes_changes_nothing() {
    let (stack, actor) = (TestStack::start().await, actor("hero"));
    stack.upload_base_image(&actor).await;
    let set = full_set();
    // One image is generated, because a repeated upload of a generated image changes nothing either.
    let names = stack.upload_all(&actor, 1, &set[1..]).await;
    let record = stack.balanced(&actor).await;
    let before = snapshot(&stack, &actor).await;

    for (name, picture) in names.iter().zip(&set[1..]) {
        stack.upload(&actor, name, &picture.jpeg).await;
    }
    let made = before.images.keys().find(|name| !names.contains(name)).unwrap();
    let bytes = stack.object(&stack.keys.image(&actor, made)).await;
    stack.upload(&actor, made, &bytes).await;

    stack.idle().await;
    assert_eq!(snapshot(&stack, &actor).await, before);
    assert_eq!(stack.balanced(&actor).await, record, "the table describes every object already");
}

#[tokio::test]
async fn evaluation_of_balanced_set_changes_nothing() {
    let (stack, actor) = (TestStack::start().await, actor("hero"));
    stack.upload_base_image(&actor).await;
    stack.upload_all(&actor, 1, &full_set()[..5]).await;
    stack.balanced(&actor).await;
    let before = snapshot(&stack, &actor).await;
    for force in [false, true] {
        let record = stack.balanced(&actor).await;
        stack.send(Queue::Evaluation, json!({ "actor_id": "hero", "force": force })).await;
        stack.evaluated_again(&actor, &record).await;
        assert_eq!(snapshot(&stack, &actor).await, before);
    }
    stack.balanced(&actor).await;
}

#[tokio::test]
async fn concurrent_evaluations_make_one_plan() {
    let (stack, actor) = (TestStack::without_triggers().await, actor("hero"));
    stack.upload_all(&actor, 1, &too_full_set()).await;
    let binary = &stack::binaries().await.evaluation;
    let event = |id: &str| {
        let record =
            json!({ "messageId": id, "receiptHandle": id, "body": r#"{"actor_id":"hero"}"#, "eventSource": "aws:sqs" });
        json!({ "Records": [record] }).to_string()
    };
    let (one, two) = (event("one"), event("two"));

    let answers = tokio::join!(
        runtime_api::invoke(binary, stack.variables(), &one),
        runtime_api::invoke(binary, stack.variables(), &two),
    );

    let nothing_failed = json!({ "batchItemFailures": [] });
    assert_eq!(answers, (nothing_failed.clone(), nothing_failed));
    stack.balanced(&actor).await;
    assert_balanced(&stack, &actor).await;
    assert_eq!(stack.plans(&actor).await.len(), 1);
}

#[tokio::test]
async fn burst_of_uploads_makes_one_plan() {
    let (stack, actor) = (TestStack::with(&[("QuietSeconds", "2")]).await, actor("hero"));
    let set = full_set();
    let names: Vec<_> = (1..=30).map(|number| format!("hero_{number}.jpg")).collect();
    for (name, picture) in names.iter().zip(set.iter().cycle()) {
        stack.upload(&actor, name, &picture.jpeg).await;
    }

    stack.balanced(&actor).await;

    let manifest = assert_balanced(&stack, &actor).await;
    assert_eq!(manifest.images.into_keys().collect::<Vec<_>>(), names[..6], "among equal images the oldest stay");
    assert_eq!(stack.plans(&actor).await.len(), 1);
    let grids = stack.keys_below("evaluations/").await;
    let evaluations: std::collections::BTreeSet<_> =
        grids.iter().filter_map(|key| key.split(['-', '.']).next()).collect();
    assert!((1..=2).contains(&evaluations.len()), "{grids:?}");
    assert!(manifest.generations.iter().all(|generation| generation.origin != BALANCING));
}
