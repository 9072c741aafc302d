//! Manual messages on the three queues.

use aws::queues::Queue;
use balancer_tests::pictures;
use balancer_tests::set::{TARGET, assert_balanced, assert_local_copy_equals_bucket, counts, numbers_made};
use balancer_tests::stack::{TestStack, actor};
use domain::kind::Kind::{BwStylized, ColorStylized, Photorealistic};
use domain::manifest::{BALANCING, UPLOADED};
use domain::plan::{Origin, PlanState};
use domain::status::Status;
use serde_json::json;

#[tokio::test]
async fn manual_evaluation_balances_the_set() {
    let (stack, actor) = (TestStack::without_triggers().await, actor("hero"));
    stack.upload_base_image(&actor).await;
    stack.upload_all(&actor, 1, &pictures::good(ColorStylized, 3)).await;
    stack.idle().await;
    assert_eq!(stack.store.actor(&actor).await.unwrap(), None, "uploads trigger nothing in this stack");

    stack.send(Queue::Evaluation, json!({ "actor_id": "hero" })).await;

    stack.balanced(&actor).await;
    assert_balanced(&stack, &actor).await;
}

#[tokio::test]
async fn dry_run_reports_its_plan_and_changes_nothing() {
    let (stack, actor) = (TestStack::without_triggers().await, actor("hero"));
    stack.upload_base_image(&actor).await;
    let names = stack.upload_all(&actor, 1, &pictures::good(BwStylized, 2)).await;

    stack.send(Queue::Evaluation, json!({ "actor_id": "hero", "mode": "dry_run" })).await;
    stack.idle().await;

    let [plan] = &stack.plans(&actor).await[..] else { panic!("expected one plan") };
    assert_eq!((plan.state, plan.before.to_string(), plan.result), (PlanState::DryRun, "0/2/0".to_owned(), TARGET));
    assert_eq!((plan.delete.len(), plan.slots.len()), (1, 5));
    assert_eq!(stack.filenames(&actor).await, names);
    assert!(stack.keys_below("trash/").await.is_empty());
    assert!(stack.manifest(&actor).await.generations.iter().all(|generation| generation.origin == UPLOADED));
    assert_ne!(stack.store.actor(&actor).await.unwrap().unwrap().status, Status::Balancing);
}

#[tokio::test]
async fn delete_only_generates_nothing() {
    let (stack, actor) = (TestStack::without_triggers().await, actor("hero"));
    stack.upload_base_image(&actor).await;
    stack.upload_all(&actor, 1, &pictures::good(BwStylized, 3)).await;

    stack.send(Queue::Evaluation, json!({ "actor_id": "hero", "scope": "delete_only" })).await;

    let reason = stack.needs_attention(&actor).await;
    assert!(reason.starts_with("The set has 0/1/0 of 4/1/1"), "{reason}");
    let manifest = stack.manifest(&actor).await;
    assert_eq!(counts(&manifest).to_string(), "0/1/0");
    assert!(manifest.generations.iter().all(|generation| generation.origin == UPLOADED));
    assert_eq!(stack.keys_below("trash/hero/").await.len(), 2);
    assert_eq!(stack.filenames(&actor).await.len(), 1);
}

#[tokio::test]
async fn generate_only_deletes_nothing() {
    let (stack, actor) = (TestStack::without_triggers().await, actor("hero"));
    stack.upload_base_image(&actor).await;
    let names = stack.upload_all(&actor, 1, &pictures::good(BwStylized, 3)).await;

    stack.send(Queue::Evaluation, json!({ "actor_id": "hero", "scope": "generate_only" })).await;

    stack.balanced_or_needs_attention(&actor).await;
    let counts = counts(&stack.manifest(&actor).await);
    assert!(counts.photorealistic >= 4 && counts.bw_stylized >= 3 && counts.color_stylized >= 1, "{counts}");
    let filenames = stack.filenames(&actor).await;
    assert!(names.iter().all(|name| filenames.contains(name)));
    assert!(stack.keys_below("trash/").await.is_empty());
}

#[tokio::test]
async fn manually_deleted_images_are_replaced() {
    let (stack, actor) = (TestStack::without_triggers().await, actor("hero"));
    stack.upload_base_image(&actor).await;
    let names = stack.upload_all(&actor, 1, &pictures::full_set()).await;

    stack.send(Queue::Deletion, json!({ "actor_id": "hero", "filenames": [names[0], "not-there.png"] })).await;

    stack.balanced(&actor).await;
    let manifest = assert_balanced(&stack, &actor).await;
    assert!(!manifest.images.contains_key(&names[0]));
    assert!(names[1..].iter().all(|name| manifest.images.contains_key(name)));
    let trash = stack.keys_below("trash/hero/").await;
    let manual: Vec<_> = trash.iter().filter(|key| key.starts_with("manual-")).collect();
    assert!(manual.len() == 1 && manual[0].ends_with(&format!("/{}", names[0])), "{trash:?}");
    assert_local_copy_equals_bucket(&stack, &actor).await;
}

#[tokio::test]
async fn manual_generation_is_followed_by_balancing() {
    let (stack, actor) = (TestStack::without_triggers().await, actor("hero"));
    stack.upload_base_image(&actor).await;
    let message = json!({ "actor_id": "hero", "generate": { "bw_stylized": 2, "photorealistic": 1 } });

    stack.send(Queue::Generation, message).await;

    stack.balanced(&actor).await;
    let manifest = assert_balanced(&stack, &actor).await;
    let plans = stack.plans(&actor).await;
    let manual = plans.iter().find(|plan| plan.origin == Origin::Manual).unwrap();
    assert_eq!((manual.generated, manual.state), (3, PlanState::Reviewed));
    let kinds: Vec<_> = manual.slots.iter().map(|slot| slot.kind).collect();
    assert_eq!(kinds, [Photorealistic, BwStylized, BwStylized]);
    let made = numbers_made(&stack, &actor, &manifest, 1).await;
    assert_eq!(made, (1..=made.len() as u64).collect::<Vec<_>>(), "no gap and no duplicate");
    assert!(manifest.images.values().all(|image| image.generation_type.as_deref() == Some(BALANCING)));
}
