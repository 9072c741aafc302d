//! Compares the calls that the functions make with what their roles allow. The emulator checks no permissions, so only
//! this test detects a missing one.

use std::collections::BTreeSet;
use std::time::Duration;

use aws::queues::Queue;
use balancer_tests::harness::KEY_PREFIX;
use balancer_tests::pictures;
use balancer_tests::recorder::{Call, Recorder, behind};
use balancer_tests::stack::{TEMPLATE, TestStack, actor, emulator};
use domain::actor::ActorId;
use domain::kind::Kind::Photorealistic;
use domain::messages::SWEEP;
use hyper::Method;
use local_stack::{Account, Outputs};
use serde_json::{Value as Json, json};

use crate::template::permissions::allowed;

type Permission = (String, String);

/// Permissions that the test does not exercise: function, resource, action, and the service or situation that needs it.
/// An empty function stands for all functions.
const USED_ELSEWHERE: [(&str, &str, &str, &str); 15] = [
    ("", "", "sqs:ReceiveMessage", "Lambda reads the queue on behalf of the function"),
    ("", "", "sqs:DeleteMessage", "Lambda"),
    ("", "", "sqs:GetQueueAttributes", "Lambda"),
    ("", "", "logs:CreateLogStream", "Lambda"),
    ("", "", "logs:PutLogEvents", "Lambda"),
    ("", "", "xray:PutTraceSegments", "Lambda"),
    ("", "", "xray:PutTelemetryRecords", "Lambda"),
    ("", "", "kms:Decrypt", "S3 and Secrets Manager on behalf of the function, if there are KMS keys"),
    ("", "", "kms:GenerateDataKey", "S3"),
    ("", "", "secretsmanager:GetSecretValue", "if the key of a paid service is stored there"),
    ("Deletion", "DeletionQueue", "sqs:SendMessage", "a deferred deletion"),
    ("Deletion", "training_data/*", "s3:GetObjectTagging", "S3, if a copied image has tags"),
    ("Deletion", "trash/*", "s3:PutObjectTagging", "S3"),
    ("Generation", "comfyui/*", "s3:GetObject", "a workflow of ComfyUI in the bucket"),
    ("Generation", "Table", "dynamodb:DeleteItem", "an upload has taken the number of an image meanwhile"),
];

/// Makes the functions exercise every call. The set has one surplus image with a caption and lacks others. Some manual
/// requests succeed, one finds nothing, and one image vanishes. Each function rejects one message and fails on another.
async fn do_everything(stack: &TestStack) {
    let hero = actor("hero");
    stack.upload_base_image(&hero).await;
    stack.upload_all(&hero, 1, &pictures::good(Photorealistic, 3)).await;
    stack.upload(&hero, "hero_4.jpg", &pictures::blurred()).await;
    stack.upload(&hero, "hero_4.txt", b"a caption").await;
    stack.balanced(&hero).await;
    for queue in [Queue::Evaluation, Queue::Deletion, Queue::Generation] {
        stack.send_text(queue, "this is not JSON").await;
    }
    stack.send(Queue::Deletion, json!({ "actor_id": "hero", "filenames": ["hero_1.jpg", "hero_99.jpg"] })).await;
    stack.idle().await;
    stack.balanced(&hero).await;
    stack.send(Queue::Deletion, json!({ "actor_id": "hero", "filenames": ["hero_99.jpg"] })).await;
    stack.idle().await;
    delete_unnoticed(stack, &hero).await;
    stack.send(Queue::Generation, json!({ "actor_id": "hero", "generate": { "bw_stylized": 1 } })).await;
    stack.idle().await;
    stack.send_text(Queue::Evaluation, SWEEP).await;
    stack.idle().await;
    fail_once(stack, &actor("broken")).await;
}

/// Deletes an image without the balancer.
async fn delete_unnoticed(stack: &TestStack, actor: &ActorId) {
    let name = &stack.filenames(actor).await[0];
    stack.bucket.delete(&stack.keys.image(actor, name)).await.unwrap();
}

/// Invalid records make every function fail.
async fn fail_once(stack: &TestStack, broken: &ActorId) {
    use aws_sdk_dynamodb::types::AttributeValue::{N, S};
    for kind in ["ACTOR", "PLAN#p"] {
        let item = [("pk", S(format!("ACTOR#{broken}"))), ("sk", S(kind.to_owned())), ("status", N("1".to_owned()))];
        let item = item.map(|(name, value)| (name.to_owned(), value)).into();
        stack.dynamodb.put_item().table_name(&stack.outputs().stack.table).set_item(Some(item)).send().await.unwrap();
    }
    stack.upload_all(broken, 1, &pictures::good(Photorealistic, 1)).await;
    stack.send(Queue::Evaluation, json!({ "actor_id": broken, "force": true })).await;
    stack.send(Queue::Deletion, json!({ "actor_id": broken, "plan_id": "p" })).await;
    stack.send(Queue::Generation, json!({ "actor_id": broken, "plan_id": "p", "slot_id": "001" })).await;
}

/// The permissions that a call needs, in the form of [`allowed`].
fn needed(call: &Call, outputs: &Outputs) -> Vec<Permission> {
    match call.target() {
        Some(target) if target.starts_with("DynamoDB_") => needed_of_table(call, target, outputs),
        Some(target) => {
            let body: Json = serde_json::from_slice(&call.body).unwrap();
            let action = target.strip_prefix("AmazonSQS.").unwrap().trim_end_matches("Batch");
            vec![(queue(body["QueueUrl"].as_str().unwrap(), outputs).to_owned(), format!("sqs:{action}"))]
        }
        None => needed_of_bucket(call, outputs),
    }
}

fn needed_of_table(call: &Call, target: &str, outputs: &Outputs) -> Vec<Permission> {
    let body: Json = serde_json::from_slice(&call.body).unwrap();
    let on_table = |part: &Json, action: &str| {
        assert_eq!(part["TableName"], outputs.stack.table);
        ("Table".to_owned(), format!("dynamodb:{action}"))
    };
    let operation = target.split_once('.').unwrap().1;
    if operation != "TransactWriteItems" {
        return vec![on_table(&body, operation)];
    }
    let parts = body["TransactItems"].as_array().unwrap().iter().flat_map(|item| item.as_object().unwrap());
    // IAM's name of each part: ConditionCheckItem, PutItem, UpdateItem or DeleteItem.
    parts.map(|(kind, part)| on_table(part, &format!("{kind}Item"))).collect()
}

fn queue(url: &str, outputs: &Outputs) -> &'static str {
    let queues = [
        (&outputs.stack.evaluation_queue_url, "EvaluationQueue"),
        (&outputs.stack.deletion_queue_url, "DeletionQueue"),
        (&outputs.stack.generation_queue_url, "GenerationQueue"),
    ];
    queues.into_iter().find(|(known, _)| *known == url).unwrap_or_else(|| panic!("{url}")).1
}

fn needed_of_bucket(call: &Call, outputs: &Outputs) -> Vec<Permission> {
    let (path, query) = call.path.split_once('?').unwrap_or((&call.path, ""));
    let key = path.strip_prefix(&format!("/{}", outputs.stack.bucket)).unwrap().trim_start_matches('/');
    let on = |key: &str, action: &str| (folder(key), action.to_owned());
    if key.is_empty() {
        assert!(query.contains(&format!("prefix={KEY_PREFIX}%2F")), "{query}");
        return vec![("bucket".to_owned(), "s3:ListBucket".to_owned())];
    }
    match (&call.method, call.headers.get("x-amz-copy-source")) {
        (&Method::GET | &Method::HEAD, _) => vec![on(key, "s3:GetObject")],
        (&Method::DELETE, _) => vec![on(key, "s3:DeleteObject")],
        (&Method::PUT, None) => vec![on(key, "s3:PutObject")],
        (&Method::PUT, Some(source)) => {
            let source = source.to_str().unwrap().strip_prefix(&format!("{}/", outputs.stack.bucket)).unwrap();
            vec![on(source, "s3:GetObject"), on(key, "s3:PutObject")]
        }
        other => panic!("{other:?}"),
    }
}

/// The folder of an object below the prefix, as `training_data/*`, or the object itself if it lies in none.
fn folder(key: &str) -> String {
    let below = key.strip_prefix(KEY_PREFIX).and_then(|key| key.strip_prefix('/')).unwrap_or_else(|| panic!("{key}"));
    below.split_once('/').map_or_else(|| below.to_owned(), |(folder, _)| format!("{folder}/*"))
}

/// Waits until the function has made a message visible again after a failure.
async fn wait_for_failure(recorder: &Recorder) {
    let is_failure = |call: &Call| call.target() == Some("AmazonSQS.ChangeMessageVisibility");
    for _ in 0..300 {
        if recorder.calls().iter().any(is_failure) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("nothing failed");
}

#[tokio::test]
async fn functions_use_exactly_their_permissions() {
    let aws = emulator().await.endpoint();
    let (mut template, mut recorders) = (TEMPLATE.to_owned(), Vec::new());
    for name in ["Evaluation", "Deletion", "Generation"] {
        let recorder = Recorder::start(aws).await;
        template = behind(&template, &format!("{name}Function"), recorder.address());
        recorders.push((name, recorder));
    }
    let stack = TestStack::from_template(&template, Account::unique(), &[("TargetTotal", "3")]).await;
    do_everything(&stack).await;

    for (name, recorder) in &recorders {
        wait_for_failure(recorder).await;
        let used: BTreeSet<_> = recorder.calls().iter().flat_map(|call| needed(call, stack.outputs())).collect();
        let allowed = allowed(&format!("{name}Role"));
        let missing: Vec<_> = used.difference(&allowed).collect();
        assert!(missing.is_empty(), "{name} needs {missing:?}");
        let is_used_elsewhere = |(resource, action): &&Permission| {
            USED_ELSEWHERE.iter().any(|(role, known, permitted, _)| {
                action == permitted && (role.is_empty() || (role == name && resource == known))
            })
        };
        let unused: Vec<_> = allowed.difference(&used).filter(|permission| !is_used_elsewhere(permission)).collect();
        assert!(unused.is_empty(), "{name} has permissions that it never uses: {unused:?}");
    }
}
