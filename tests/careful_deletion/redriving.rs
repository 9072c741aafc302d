//! Redriven dead letters succeed once their cause is fixed.

use aws::queues::Queue;
use aws_sdk_dynamodb::types::AttributeValue;
use balancer_tests::pictures::full_set;
use balancer_tests::stack::{TestStack, actor};
use domain::plan::{Origin, Plan, PlannedDeletion};
use domain::status::Status;
use handlers::Clock;
use serde_json::json;

#[tokio::test]
async fn redriven_deletion_succeeds_after_its_plan_is_fixed() {
    let (stack, actor) = (TestStack::without_triggers().await, actor("hero"));
    let names = stack.upload_all(&actor, 1, &full_set()).await;
    stack.send(Queue::Evaluation, json!({ "actor_id": "hero" })).await;
    stack.balanced(&actor).await;
    let unreadable = [("pk", "ACTOR#hero"), ("sk", "PLAN#p"), ("state", "no state")];
    let unreadable = unreadable.map(|(name, value)| (name.to_owned(), AttributeValue::S(value.to_owned())));
    let put = stack.dynamodb.put_item().table_name(&stack.outputs().stack.table);
    put.set_item(Some(unreadable.into())).send().await.unwrap();

    let key = [("pk", "ACTOR#hero"), ("sk", "ACTOR")];
    let key = key.map(|(name, value)| (name.to_owned(), AttributeValue::S(value.to_owned())));
    let activate = stack.dynamodb.update_item().table_name(&stack.outputs().stack.table).set_key(Some(key.into()));
    let activate = activate.update_expression("SET active_plan = :p");
    activate.expression_attribute_values(":p", AttributeValue::S("p".to_owned())).send().await.unwrap();

    stack.send(Queue::Deletion, json!({ "actor_id": "hero", "plan_id": "p" })).await;
    let reason = stack.needs_attention(&actor).await;
    assert!(reason.contains("dead-letter queue") && reason.contains("PLAN#p"), "{reason}");
    assert_eq!(stack.dead_letters().await, 1);

    let image = stack.store.image(&actor, &names[0]).await.unwrap().unwrap();
    let delete = vec![PlannedDeletion {
        filename: names[0].clone(),
        etag: image.etag.unwrap(),
        reason: "Requested by a test.".to_owned(),
    }];
    let repaired =
        Plan { delete, remaining: 1, ..Plan::empty("p".to_owned(), Clock::system().now(), Origin::Evaluation) };
    let key = [("pk", "ACTOR#hero"), ("sk", "PLAN#p")];
    let key = key.map(|(name, value)| (name.to_owned(), AttributeValue::S(value.to_owned())));
    let remove = stack.dynamodb.delete_item().table_name(&stack.outputs().stack.table);
    remove.set_key(Some(key.into())).send().await.unwrap();
    stack.store.record_plan(&actor, &repaired).await.unwrap();
    let outputs = stack.outputs();
    assert_eq!(stack.queues.redrive(Queue::Generation, &outputs.stack.generation_dlq_url).await.unwrap(), 0);
    assert_eq!(stack.queues.redrive(Queue::Deletion, &outputs.stack.deletion_dlq_url).await.unwrap(), 1);

    stack.idle().await;
    assert_eq!(stack.dead_letters().await, 0);
    let plan = stack.store.plan(&actor, "p").await.unwrap().unwrap();
    assert_eq!((plan.remaining, plan.deleted), (0, 1));
    assert_eq!(stack.filenames(&actor).await, names[1..]);
    assert_ne!(stack.store.actor(&actor).await.unwrap().unwrap().status, Status::Waiting);
}
