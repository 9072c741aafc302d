//! Interrupted deletions are completed under their original id.

use std::time::Duration;

use aws::bucket::IfUnchanged;
use aws::queues::Queue;
use aws::store::deletions::Claim;
use balancer_tests::pictures::full_set;
use balancer_tests::stack::{TestStack, actor};
use balancer_tests::world::World;
use domain::actor::ActorId;
use domain::lifecycle::deletion::Version;
use domain::plan::{Origin, Plan, PlanState, PlannedDeletion};
use domain::trash::TrashRecord;
use handlers::{Clock, Handler, HandlerError, Message};
use serde_json::json;

/// A balanced set, and a plan whose only deletion was interrupted after the claim.
async fn interrupted_after_claim(stack: &TestStack, actor: &ActorId, state: PlanState) -> PlannedDeletion {
    let names = stack.upload_all(actor, 1, &full_set()).await;
    stack.send(Queue::Evaluation, json!({ "actor_id": actor.as_str() })).await;
    stack.balanced(actor).await;
    let image = stack.store.image(actor, &names[0]).await.unwrap().unwrap();
    let deletion = PlannedDeletion {
        filename: names[0].clone(),
        etag: image.etag.clone().unwrap(),
        reason: "Requested by a test.".to_owned(),
    };
    let now = Clock::system().now();
    let delete = vec![deletion.clone()];
    let plan = Plan { delete, remaining: 1, state, ..Plan::empty("p".to_owned(), now, Origin::Evaluation) };
    stack.store.record_plan(actor, &plan).await.unwrap();
    let (plan_id, reason) = ("p".to_owned(), deletion.reason.clone());
    let wanted = TrashRecord { plan_id, deleted_at: now, reason, image, sidecars: Vec::new() };
    let claim = stack.store.claim_deletion(actor, &deletion.filename, &wanted, Version::Assessed, "t").await.unwrap();
    assert!(matches!(claim, Claim::Granted(_)), "{claim:?}");
    deletion
}

async fn assert_deleted(stack: &TestStack, actor: &ActorId, filename: &str) {
    let manifest = stack.manifest(actor).await;
    assert!(!manifest.images.contains_key(filename), "{manifest:#?}");
    assert_eq!(manifest.trash[filename].iter().map(|kept| kept.plan_id.as_str()).collect::<Vec<_>>(), ["p"]);
    assert_eq!(stack.keys_below("trash/").await, [format!("{actor}/p/{filename}")]);
    assert!(stack.data.path().join(actor.as_str()).join("trash/p").join(filename).is_file());
    assert!(!stack.local_folder(actor).join(filename).exists());
}

#[tokio::test]
async fn evaluation_completes_deletion_of_a_gone_object() {
    let (stack, actor) = (TestStack::without_triggers().await, actor("hero"));
    let PlannedDeletion { filename, etag, .. } = interrupted_after_claim(&stack, &actor, PlanState::Adopted).await;
    let (key, trash) = (stack.keys.image(&actor, &filename), stack.keys.trash(&actor, "p", &filename));
    assert_eq!(stack.bucket.copy_if(&key, &trash, &etag).await.unwrap(), IfUnchanged::Done);
    assert_eq!(stack.bucket.delete_if(&key, &etag).await.unwrap(), IfUnchanged::Done);

    stack.send(Queue::Evaluation, json!({ "actor_id": "hero", "mode": "dry_run" })).await;
    stack.idle().await;
    assert_deleted(&stack, &actor, &filename).await;

    stack.send(Queue::Deletion, json!({ "actor_id": "hero", "plan_id": "p" })).await;
    stack.idle().await;
    let plan = stack.store.plan(&actor, "p").await.unwrap().unwrap();
    assert_eq!((plan.remaining, plan.deleted), (0, 1));
    assert_deleted(&stack, &actor, &filename).await;
}

#[tokio::test]
async fn superseded_plan_completes_only_begun_deletions() {
    let (stack, actor) = (TestStack::without_triggers().await, actor("hero"));
    let deletion = interrupted_after_claim(&stack, &actor, PlanState::Superseded).await;
    stack.send(Queue::Deletion, json!({ "actor_id": "hero", "plan_id": "p" })).await;
    assert!(stack.rejections(1).await[0].reason.contains("superseded and accepts no work"));
    assert_deleted(&stack, &actor, &deletion.filename).await;
    // The superseding evaluation may not have seen the deletion. Without a base image no replacement is generated.
    assert!(stack.needs_attention(&actor).await.contains("There is no base image"));
}

#[tokio::test]
async fn manual_deletion_resumes_under_the_original_id() {
    let (stack, actor) = (TestStack::without_triggers().await, actor("hero"));
    let deletion = interrupted_after_claim(&stack, &actor, PlanState::Adopted).await;
    stack.send(Queue::Deletion, json!({ "actor_id": "hero", "filenames": [deletion.filename] })).await;
    stack.needs_attention(&actor).await;
    assert_deleted(&stack, &actor, &deletion.filename).await;
}

#[tokio::test]
async fn long_deletion_continues_in_the_next_delivery() {
    let (mut world, hero) = (World::coded(&[]).await, actor("hero"));
    world.time_budget = Some(Duration::from_millis(50));
    let names: Vec<String> = (1..=30).map(|number| format!("hero_{number}.jpg")).collect();
    for name in &names {
        world.upload(&hero, name, name.as_bytes()).await;
    }
    let body = json!({ "actor_id": "hero", "filenames": names }).to_string();
    let mut deferrals = 0;
    while let Err(error) =
        world.deletion().handler.handle(Message { request_id: "m", body: &body, first_sent_at: None }).await
    {
        assert!(matches!(error, HandlerError::Deferred { .. }), "{error}");
        deferrals += 1;
    }
    assert!(deferrals > 0);
    assert_eq!(world.keys_below("trash/hero/").await.len(), 30);
    assert!(world.local_files(&hero).is_empty());
}
