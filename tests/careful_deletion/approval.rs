//! A plan that would delete a large share of a set waits for approval.

use aws::queues::Queue;
use balancer_tests::pictures::{blurred, good, too_full_set};
use balancer_tests::stack::{TestStack, actor};
use domain::kind::Kind::BwStylized;
use domain::plan::PlanState;
use serde_json::json;

async fn stack_that_deletes_at_most(percent: &str) -> TestStack {
    TestStack::with(&[("AutomaticBalancing", "DISABLED"), ("MaxDeletedPercent", percent)]).await
}

#[tokio::test]
async fn plan_above_the_cap_needs_one_approval() {
    let (stack, actor) = (stack_that_deletes_at_most("50").await, actor("hero"));
    let names = stack.upload_all(&actor, 1, &good(BwStylized, 3)).await;
    let delete_only = json!({ "actor_id": "hero", "scope": "delete_only" });
    stack.send(Queue::Evaluation, delete_only.clone()).await;

    let reason = stack.needs_attention(&actor).await;
    assert!(reason.starts_with("The plan would delete 2 of 3 images (67 %)"), "{reason}");
    for words in ["MAX_DELETED_PERCENT=50", "balancer status hero --plan", "balancer approve hero"] {
        assert!(reason.contains(words), "{reason}");
    }
    assert_eq!(stack.filenames(&actor).await, names);
    let record = stack.store.actor(&actor).await.unwrap().unwrap();
    let waiting = stack.plans(&actor).await.pop().unwrap();
    assert_eq!((waiting.state, record.active_plan.as_ref()), (PlanState::AwaitingApproval, Some(&waiting.plan_id)));
    // A deletion message without approval is rejected.
    stack.send(Queue::Deletion, json!({ "actor_id": "hero", "plan_id": waiting.plan_id })).await;
    assert!(stack.rejections(1).await[0].reason.contains("awaiting_approval and accepts no work"));

    assert!(stack.store.approve(&actor, &waiting.plan_id).await.unwrap());
    stack.send(Queue::Evaluation, delete_only).await;
    stack.idle().await;
    let reason = stack.needs_attention(&actor).await;
    assert!(reason.starts_with("The set has 0/1/0"), "{reason}");
    assert_eq!(stack.manifest(&actor).await.trash.len(), 2);
    assert_eq!(stack.store.actor(&actor).await.unwrap().unwrap().approved_plan, None);
    let states: Vec<_> = stack.plans(&actor).await.iter().map(|plan| plan.state).collect();
    assert_eq!(states, [PlanState::Superseded, PlanState::Reviewed]);
    assert!(!stack.store.approve(&actor, &waiting.plan_id).await.unwrap(), "a plan can be approved only once");
}

#[tokio::test]
async fn approval_covers_only_images_of_its_plan() {
    let (stack, actor) = (stack_that_deletes_at_most("50").await, actor("hero"));
    stack.upload_all(&actor, 1, &good(BwStylized, 3)).await;
    let delete_only = json!({ "actor_id": "hero", "scope": "delete_only" });
    stack.send(Queue::Evaluation, delete_only.clone()).await;
    stack.needs_attention(&actor).await;
    let waiting = stack.plans(&actor).await.pop().unwrap();
    assert!(stack.store.approve(&actor, &waiting.plan_id).await.unwrap());

    stack.upload(&actor, "hero_4.jpg", &blurred()).await;
    stack.send(Queue::Evaluation, delete_only).await;
    stack.idle().await;

    let reason = stack.needs_attention(&actor).await;
    assert!(reason.starts_with("The plan would delete 3 of 4 images"), "{reason}");
    assert!(stack.keys_below("trash/").await.is_empty());
    assert_eq!(stack.store.actor(&actor).await.unwrap().unwrap().approved_plan, None);
}

#[tokio::test]
async fn plan_at_the_cap_needs_no_approval() {
    let (stack, actor) = (stack_that_deletes_at_most("25").await, actor("hero"));
    stack.upload_all(&actor, 1, &too_full_set()).await;
    stack.send(Queue::Evaluation, json!({ "actor_id": "hero" })).await;
    stack.balanced(&actor).await;
    assert_eq!(stack.manifest(&actor).await.trash.len(), 2, "2 of 8 are 25 %");
}
