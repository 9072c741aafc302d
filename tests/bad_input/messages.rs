//! Messages that can't be processed.

use std::time::Duration;

use aws::queues::Queue;
use aws_sdk_dynamodb::types::AttributeValue;
use balancer_tests::pictures;
use balancer_tests::runtime_api;
use balancer_tests::set::assert_balanced;
use balancer_tests::stack::{self, TestStack, actor};
use domain::actor::ActorId;
use domain::status::Status;
use handlers::Clock;
use handlers::lambda::MAX_DELIVERIES;
use serde_json::json;

/// Invalid messages, with their queues and the recorded reasons.
const REJECTED: [(Queue, &str, &str); 16] = [
    (Queue::Evaluation, "", "EOF"),
    (Queue::Evaluation, "{", "EOF"),
    (Queue::Evaluation, "[]", "the evaluation queue accepts"),
    (Queue::Evaluation, r#"{"actor":"hero"}"#, "unknown field `actor`"),
    (Queue::Evaluation, r#"{"actor_id":"hero","mode":"dryrun"}"#, "unknown variant `dryrun`"),
    (Queue::Evaluation, r#"{"actor_id":"../hero"}"#, "can't be an actor's id"),
    (Queue::Evaluation, r#"{"Records":[{"eventName":"ObjectCreated:Put"}]}"#, "missing field `s3`"),
    (Queue::Deletion, r#"{"actor_id":"hero"}"#, "exactly one of"),
    (Queue::Deletion, r#"{"actor_id":"hero","filenames":["../other/a_1.jpg"]}"#, "is not the file name of an image"),
    (Queue::Deletion, r#"{"actor_id":"..","filenames":["a_1.jpg"]}"#, "can't be an actor's id"),
    (Queue::Deletion, r#"{"actor_id":"stranger","plan_id":"p"}"#, "stranger has no plan p"),
    (Queue::Generation, r#"{"actor_id":"a/../b","generate":{"bw_stylized":1}}"#, "can't be an actor's id"),
    (Queue::Generation, r#"{"actor_id":"stranger","generate":{"sepia":1}}"#, "unknown field `sepia`"),
    (Queue::Generation, r#"{"actor_id":"stranger","generate":{"bw_stylized":101}}"#, "at most 100"),
    (Queue::Generation, r#"{"actor_id":"stranger","generate":{"bw_stylized":1}}"#, "no base image of stranger"),
    (Queue::Generation, r#"{"actor_id":"stranger","plan_id":"p","slot_id":"001"}"#, "stranger has no plan p"),
];

#[tokio::test]
async fn invalid_messages_are_rejected_and_change_nothing() {
    let (stack, actor) = (TestStack::start().await, actor("hero"));
    let set = pictures::full_set();
    let names = stack.upload_all(&actor, 1, &set).await;
    stack.balanced(&actor).await;

    for (queue, body, _) in REJECTED {
        // SQS accepts no empty body.
        stack.send_text(queue, if body.is_empty() { " " } else { body }).await;
    }

    let rejections = stack.rejections(REJECTED.len()).await;
    stack.idle().await;
    assert_eq!(rejections.len(), REJECTED.len());
    for (queue, body, reason) in REJECTED {
        let name = format!("{queue:?}").to_lowercase();
        let rejected = rejections.iter().find(|rejection| rejection.queue == name && rejection.body.trim() == body);
        let rejected = rejected.unwrap_or_else(|| panic!("{body} is not recorded: {rejections:#?}"));
        assert!(rejected.reason.contains(reason), "{body}: {}", rejected.reason);
    }
    assert_eq!(stack.filenames(&actor).await, names);
    assert_eq!(stack.store.actors().await.unwrap().into_keys().collect::<Vec<ActorId>>(), [actor]);
    assert_eq!(stack.dead_letters().await, 0);
}

#[tokio::test]
async fn unknown_actor_is_rejected_and_not_created() {
    let stack = TestStack::start().await;
    stack.send(Queue::Evaluation, json!({ "actor_id": "stranger" })).await;
    stack.send(Queue::Deletion, json!({ "actor_id": "stranger", "filenames": ["stranger_1.jpg"] })).await;
    let rejections = stack.rejections(2).await;
    stack.idle().await;
    for rejection in rejections {
        assert!(rejection.reason.contains("there is no actor stranger"), "{}", rejection.reason);
        assert!(rejection.reason.contains("system_actors/training_data/stranger/"), "{}", rejection.reason);
    }
    assert!(stack.store.actors().await.unwrap().is_empty());
    assert!(stack.keys_below("").await.is_empty());
}

#[tokio::test]
async fn longest_body_is_rejected_and_truncated() {
    let stack = TestStack::start().await;
    let long = format!("{{\"actor_id\":\"{}\"}}", "é".repeat(125_000));
    stack.send_text(Queue::Evaluation, &long).await;
    stack.send_text(Queue::Generation, &"[".repeat(250_000)).await;
    for rejection in stack.rejections(2).await {
        assert!(rejection.reason.len() < 1_000 && rejection.body.chars().count() <= 2_000, "{}", rejection.reason);
        assert!(long.starts_with(&rejection.body) || rejection.body.chars().all(|c| c == '['), "{}", rejection.body);
    }
    stack.idle().await;
    assert_eq!(stack.dead_letters().await, 0);
}

#[tokio::test]
async fn upload_to_another_bucket_is_rejected() {
    let stack = TestStack::start().await;
    let event = json!({
        "detail-type": "Object Created", "source": "aws.s3",
        "detail": { "bucket": { "name": "elsewhere" }, "object": { "key": "system_actors/training_data/hero/a_1.png" } },
    });
    stack.send(Queue::Evaluation, event).await;
    let rejections = stack.rejections(1).await;
    assert!(rejections[0].reason.contains("landed in the bucket elsewhere"), "{}", rejections[0].reason);
}

#[tokio::test]
async fn upload_after_a_dead_letter_is_evaluated() {
    let (stack, actor) = (TestStack::start().await, actor("hero"));
    let now = Clock::system().now() - Duration::from_secs(10);
    let raised = stack.store.raise_revision(&actor, now).await.unwrap();
    stack.store.mark_evaluation_scheduled(&actor, &raised, now).await.unwrap();
    let unreadable = [("pk", "ACTOR#hero"), ("sk", "IMAGE#broken_1.jpg"), ("image", "no map")];
    let unreadable = unreadable.map(|(name, value)| (name.to_owned(), AttributeValue::S(value.to_owned())));
    let put = stack.dynamodb.put_item().table_name(&stack.outputs().stack.table);
    put.set_item(Some(unreadable.into())).send().await.unwrap();

    let last_delivery = json!({ "Records": [{
        "messageId": "last", "receiptHandle": "last", "eventSource": "aws:sqs",
        "attributes": { "ApproximateReceiveCount": MAX_DELIVERIES.to_string() },
        "body": r#"{"actor_id":"hero","cause":"uploads","force":true}"#,
    }] });
    let binary = &stack::binaries().await.evaluation;
    let answer = runtime_api::invoke(binary, stack.variables(), &last_delivery.to_string()).await;
    assert_eq!(answer, json!({ "batchItemFailures": [{ "itemIdentifier": "last" }] }));
    let record = stack.store.actor(&actor).await.unwrap().unwrap();
    assert_eq!(record.status, Status::NeedsAttention);
    assert!(record.reason.as_deref().unwrap().contains("IMAGE#broken_1.jpg can't be read"), "{record:?}");

    let repair = stack.dynamodb.delete_item().table_name(&stack.outputs().stack.table);
    let key = [("pk", "ACTOR#hero"), ("sk", "IMAGE#broken_1.jpg")];
    let repair =
        repair.set_key(Some(key.map(|(name, value)| (name.to_owned(), AttributeValue::S(value.to_owned()))).into()));
    repair.send().await.unwrap();
    let set = pictures::full_set();
    stack.upload_all(&actor, 1, &set).await;
    stack.balanced(&actor).await;
    assert_balanced(&stack, &actor).await;
}
