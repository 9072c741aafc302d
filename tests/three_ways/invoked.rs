//! Functions are invoked with an event, as by `sam local invoke`.

use std::fs;
use std::path::{Path, PathBuf};

use balancer_tests::pictures;
use balancer_tests::runtime_api;
use balancer_tests::set::assert_balanced;
use balancer_tests::stack::{self, TestStack, actor};
use domain::actor::ActorId;
use domain::plan::Origin;
use serde_json::{Value, json};

const EVENTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../infra/events");

/// The sample events whose names start with this prefix.
pub(crate) fn sample_events(prefix: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(EVENTS).unwrap().map(|entry| entry.unwrap().path());
    let mut events: Vec<_> =
        entries.filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with(prefix)).collect();
    events.sort();
    assert!(!events.is_empty());
    events
}

/// Invokes a function of the stack with a sample event that names the stack's bucket.
async fn invoke(stack: &TestStack, binary: &Path, event: &Path) -> Value {
    let event = fs::read_to_string(event).unwrap().replace("example-training-data", stack.bucket.name());
    runtime_api::invoke(binary, stack.variables(), &event).await
}

fn nothing_failed() -> Value {
    json!({ "batchItemFailures": [] })
}

pub(crate) async fn example_set(stack: &TestStack) -> ActorId {
    let actor = actor("example_actor");
    stack.upload_base_image(&actor).await;
    let pictures = pictures::full_set();
    stack.upload(&actor, "0001_european_20_female_12.png", &pictures[0].jpeg).await;
    stack.upload_all(&actor, 1, &pictures[1..]).await;
    actor
}

#[tokio::test]
async fn evaluation_function_answers_its_sample_events() {
    let stack = TestStack::without_triggers().await;
    let actor = example_set(&stack).await;
    for event in sample_events("evaluation-") {
        let answer = invoke(&stack, &stack::binaries().await.evaluation, &event).await;
        assert_eq!(answer, nothing_failed(), "{}", event.display());
    }
    stack.balanced(&actor).await;
    assert_balanced(&stack, &actor).await;
}

#[tokio::test]
async fn deletion_function_answers_its_sample_events() {
    let stack = TestStack::without_triggers().await;
    let actor = example_set(&stack).await;
    for event in sample_events("deletion-") {
        let answer = invoke(&stack, &stack::binaries().await.deletion, &event).await;
        assert_eq!(answer, nothing_failed(), "{}", event.display());
    }
    let rejections = stack.rejections(1).await;
    assert!(rejections[0].reason.contains("example_actor has no plan plan-0001"), "{rejections:?}");
    stack.balanced(&actor).await;
    let manifest = assert_balanced(&stack, &actor).await;
    assert!(!manifest.images.contains_key("0001_european_20_female_12.png"));
}

#[tokio::test]
async fn generation_function_answers_its_sample_events() {
    let stack = TestStack::without_triggers().await;
    let actor = example_set(&stack).await;
    for event in sample_events("generation-") {
        let answer = invoke(&stack, &stack::binaries().await.generation, &event).await;
        assert_eq!(answer, nothing_failed(), "{}", event.display());
    }
    let rejections = stack.rejections(1).await;
    assert!(rejections[0].reason.contains("example_actor has no plan plan-0001"), "{rejections:?}");
    stack.balanced(&actor).await;
    assert_balanced(&stack, &actor).await;
    let plans = stack.plans(&actor).await;
    assert!(plans.iter().any(|plan| plan.origin == Origin::Manual && plan.generated == 2), "{plans:?}");
}

#[tokio::test]
async fn bad_message_in_a_batch_is_rejected_alone() {
    let stack = TestStack::without_triggers().await;
    let actor = example_set(&stack).await;
    let event = Path::new(EVENTS).join("evaluation-batch-with-one-bad-message.json");

    let answer = invoke(&stack, &stack::binaries().await.evaluation, &event).await;

    assert_eq!(answer, nothing_failed());
    let [rejection] = &stack.rejections(1).await[..] else { panic!("expected one rejection") };
    assert_eq!((rejection.queue.as_str(), rejection.body.as_str()), ("evaluation", "this is not JSON"));
    assert_eq!(rejection.message_id, "00000000-0000-4000-8000-000000000002");
    stack.balanced(&actor).await;
    assert_balanced(&stack, &actor).await;
}

#[tokio::test]
async fn unreadable_key_is_logged_with_a_remedy() {
    let (stack, binaries) = (TestStack::without_triggers().await, stack::binaries().await);
    for (binary, provider, key) in [
        (&binaries.evaluation, ("VISION_PROVIDER", "openai"), "OPENAI_API_KEY"),
        (&binaries.generation, ("GENERATOR", "replicate"), "REPLICATE_API_TOKEN"),
    ] {
        let mut variables = stack.variables();
        let arn = "arn:aws:secretsmanager:us-east-1:000000000000:secret:nowhere";
        let key_in_secret = format!("{key}_SECRET_ARN");
        for (name, value) in [provider, (&key_in_secret, arn), ("AWS_LAMBDA_LOG_FORMAT", "JSON")] {
            variables.insert(name.to_owned(), value.to_owned());
        }
        let log = runtime_api::fail_to_start(binary, variables).await;
        let errors: Vec<Value> = log.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        let [error] = &errors[..] else { panic!("expected one line: {log}") };
        assert_eq!(error["level"], "ERROR");
        let message = error["fields"]["message"].as_str().unwrap();
        for words in [&format!("{key} can't be read"), arn, "holds the key and nothing else", "SecretsKmsKeyArn"] {
            assert!(message.contains(words), "{message}");
        }
    }
}

#[tokio::test]
async fn invalid_environment_names_every_variable() {
    let binaries = stack::binaries().await;
    for (binary, own) in [
        (&binaries.evaluation, &["VISION_PROVIDER is `eyes`", "MAX_ROUNDS is `0`"][..]),
        (&binaries.deletion, &[]),
        (&binaries.generation, &["GENERATOR is `pencil`"]),
    ] {
        let variables = [("BUCKET", "b"), ("GENERATOR", "pencil"), ("VISION_PROVIDER", "eyes"), ("MAX_ROUNDS", "0")];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let log = runtime_api::fail_to_start(binary, variables).await;
        let common = ["TABLE", "EVALUATION_QUEUE_URL", "DELETION_QUEUE_URL", "GENERATION_QUEUE_URL"];
        for name in common.iter().chain(own) {
            assert!(log.contains(name), "{}: {log}", binary.display());
        }
    }
}
