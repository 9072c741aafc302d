//! Trash records, and files that are not deleted.

use std::fs;

use aws::queues::Queue;
use aws_sdk_dynamodb::types::AttributeValue;
use balancer_tests::pictures::{blurred, full_set, too_full_set};
use balancer_tests::stack::{TestStack, actor};
use domain::plan::{Origin, Plan, PlannedDeletion};
use handlers::Clock;
use serde_json::json;

const THIRTY_DAYS: i64 = 30 * 24 * 60 * 60;

#[tokio::test]
async fn trash_record_is_complete_and_kept_for_thirty_days() {
    let (stack, actor) = (TestStack::without_triggers().await, actor("hero"));
    stack.upload_all(&actor, 1, &too_full_set()).await;
    stack.send(Queue::Evaluation, json!({ "actor_id": "hero" })).await;
    stack.balanced(&actor).await;

    let plan = stack.plans(&actor).await.remove(0);
    for deletion in &plan.delete {
        let kept = stack.store.trashed(&actor, &deletion.filename, &plan.plan_id).await.unwrap().unwrap();
        assert_eq!((&kept.reason, kept.image.etag.as_ref()), (&deletion.reason, Some(&deletion.etag)));
        assert!(kept.image.quality.is_some() && kept.image.facts.is_some(), "{kept:#?}");
        assert!(!stack.object(&stack.keys.trash(&actor, &plan.plan_id, &deletion.filename)).await.is_empty());
        let sort = format!("TRASH#{}#{}", deletion.filename, plan.plan_id);
        let key = [("pk", "ACTOR#hero"), ("sk", &sort)];
        let key = key.map(|(name, value)| (name.to_owned(), AttributeValue::S(value.to_owned())));
        let item = stack.dynamodb.get_item().table_name(&stack.outputs().stack.table).set_key(Some(key.into()));
        let item = item.send().await.unwrap().item.unwrap();
        let expires_at: i64 = item["expires_at"].as_n().unwrap().parse().unwrap();
        assert_eq!(expires_at, kept.deleted_at.as_second() + THIRTY_DAYS);
    }
}

#[tokio::test]
async fn unassessed_file_gets_a_trash_record() {
    let (stack, actor) = (TestStack::without_triggers().await, actor("hero"));
    stack.upload(&actor, "hero_1.jpg", &blurred()).await;
    stack.send(Queue::Deletion, json!({ "actor_id": "hero", "filenames": ["hero_1.jpg"] })).await;
    stack.needs_attention(&actor).await;
    let manifest = stack.manifest(&actor).await;
    assert!(manifest.images.is_empty(), "{manifest:#?}");
    let [kept] = &manifest.trash["hero_1.jpg"][..] else { panic!("expected one record: {manifest:#?}") };
    assert!(stack.object(&stack.keys.trash(&actor, &kept.plan_id, "hero_1.jpg")).await == blurred());
}

#[tokio::test]
async fn replaced_file_stays_without_a_trash_record() {
    let (stack, actor) = (TestStack::without_triggers().await, actor("hero"));
    let names = stack.upload_all(&actor, 1, &full_set()).await;
    stack.send(Queue::Evaluation, json!({ "actor_id": "hero" })).await;
    stack.balanced(&actor).await;
    let image = stack.store.image(&actor, &names[0]).await.unwrap().unwrap();
    let deletion = PlannedDeletion {
        filename: names[0].clone(),
        etag: image.etag.unwrap(),
        reason: "Requested by a test.".to_owned(),
    };
    let plan = Plan {
        delete: vec![deletion],
        remaining: 1,
        ..Plan::empty("p".to_owned(), Clock::system().now(), Origin::Evaluation)
    };
    stack.store.record_plan(&actor, &plan).await.unwrap();
    stack.upload(&actor, &names[0], &blurred()).await;

    stack.send(Queue::Deletion, json!({ "actor_id": "hero", "plan_id": "p" })).await;

    stack.idle().await;
    let plan = stack.store.plan(&actor, "p").await.unwrap().unwrap();
    assert_eq!((plan.remaining, plan.deleted), (0, 0));
    assert!(stack.object(&stack.keys.image(&actor, &names[0])).await == blurred());
    assert!(fs::read(stack.local_folder(&actor).join(&names[0])).unwrap() == blurred());
    let manifest = stack.manifest(&actor).await;
    assert!(manifest.trash.is_empty() && manifest.images[&names[0]].deleting.is_none(), "{manifest:#?}");
    assert!(stack.keys_below("trash/").await.is_empty());
}
