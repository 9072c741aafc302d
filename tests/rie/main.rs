//! The three functions under the emulator of Lambda's runtime interface that `sam local invoke` uses.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "that is how a test fails, or says why not"
)]

mod glibc;
mod rie;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use balancer_tests::pictures;
use balancer_tests::stack::{self, TestStack, actor};
use domain::status::Status;
use handlers::wiring::EMULATOR_ACCESS_KEY_ID;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::rie::Rie;

const EVENTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../infra/events");

/// A function that panics when it is told to.
const PANICKING: &str = env!("CARGO_BIN_EXE_panicking-function");

/// The sample events whose names start so, with the stack's bucket in the place of the example's.
fn sample_events(prefix: &str, stack: &TestStack) -> Vec<(String, String)> {
    let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
    let mut paths: Vec<PathBuf> = fs::read_dir(EVENTS).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| name(path).starts_with(prefix));
    paths.sort();
    assert!(!paths.is_empty());
    let read = |path: &PathBuf| fs::read_to_string(path).unwrap().replace("example-training-data", stack.bucket.name());
    paths.iter().map(|path| (name(path), read(path))).collect()
}

/// The variables that `sam local invoke` passes: its caller's own credentials and region, and those of `env.json` that
/// the template names.
fn handed_on_by_sam(stack: &TestStack) -> BTreeMap<String, String> {
    let mut variables = stack.variables();
    let key = variables["AWS_ACCESS_KEY_ID"].clone();
    let of_caller = [
        ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
        ("AWS_SESSION_TOKEN", "AQoDYXdzEJr"),
        ("AWS_REGION", "eu-central-1"),
        (EMULATOR_ACCESS_KEY_ID, &key),
    ];
    variables.extend(of_caller.map(|(name, value)| (name.to_owned(), value.to_owned())));
    variables
}

/// One process answers one sample event after the other, as a warm function does.
async fn answers_its_sample_events(name: &str, binary: &Path) {
    let stack = TestStack::by_hand().await;
    let Some(function) = Rie::start(binary, handed_on_by_sam(&stack)).await else { return };
    let actor = actor("example_actor");
    stack.upload_base_image(&actor).await;
    let pictures = pictures::full_set();
    stack.upload(&actor, "0001_european_20_female_12.png", &pictures[0].jpeg).await;
    stack.upload_all(&actor, 1, &pictures[1..]).await;
    for (file, event) in sample_events(name, &stack) {
        assert_eq!(function.invoke(&event).await, json!({ "batchItemFailures": [] }), "{file}");
    }
    stack.balanced(&actor).await;
}

#[tokio::test]
async fn the_evaluation_function_answers_its_sample_events() {
    answers_its_sample_events("evaluation-", &stack::binaries().await.evaluation).await;
}

#[tokio::test]
async fn the_deletion_function_answers_its_sample_events() {
    answers_its_sample_events("deletion-", &stack::binaries().await.deletion).await;
}

#[tokio::test]
async fn the_generation_function_answers_its_sample_events() {
    answers_its_sample_events("generation-", &stack::binaries().await.generation).await;
}

fn text<'a>(answer: &'a Value, field: &str) -> &'a str {
    answer[field].as_str().unwrap_or_else(|| panic!("{answer}"))
}

#[tokio::test]
async fn an_event_that_is_none_of_a_queue_is_an_error_with_a_readable_type_and_the_next_event_is_answered() {
    let stack = TestStack::by_hand().await;
    let Some(function) = Rie::start(&stack::binaries().await.deletion, stack.variables()).await else { return };
    let answer = function.invoke(r#"{"detail-type":"Scheduled Event"}"#).await;
    assert!(text(&answer, "errorType").ends_with("DeserializeError"), "{answer}");
    assert!(text(&answer, "errorMessage").contains("missing field `Records`"), "{answer}");
    assert_eq!(function.invoke(r#"{"Records":[]}"#).await, json!({ "batchItemFailures": [] }));
}

#[tokio::test]
async fn a_message_that_fails_is_named_and_the_next_event_is_answered() {
    let stack = TestStack::by_hand().await;
    let mut variables = stack.variables();
    variables.insert("TABLE".to_owned(), "no-such-table".to_owned());
    let Some(function) = Rie::start(&stack::binaries().await.deletion, variables).await else { return };
    let answer = function.invoke(&event("this is not JSON")).await;
    assert_eq!(answer, json!({ "batchItemFailures": [{ "itemIdentifier": "m" }] }));
    assert_eq!(function.invoke(r#"{"Records":[]}"#).await, json!({ "batchItemFailures": [] }));
}

#[tokio::test]
async fn a_message_that_makes_its_stage_panic_fails_alone_and_its_actor_says_so_in_the_end() {
    let (stack, hero) = (TestStack::by_hand().await, actor("hero"));
    stack.store.record_upload(&hero, None, Timestamp::now()).await.unwrap();
    let Some(function) = Rie::start(Path::new(PANICKING), stack.variables()).await else { return };
    let fifth = json!({ "ApproximateReceiveCount": "5" });
    let batch = json!({ "Records": [
        { "messageId": "first", "body": "go on" },
        { "messageId": "second", "body": r#"{"actor_id":"hero","filenames":["panic"]}"#, "attributes": fifth },
        { "messageId": "third", "body": "go on" },
    ] });
    let answer = function.invoke(&batch.to_string()).await;
    assert_eq!(answer, json!({ "batchItemFailures": [{ "itemIdentifier": "second" }] }));
    let said = stack.store.actor(&hero).await.unwrap().unwrap();
    assert_eq!(said.status, Status::NeedsAttention);
    assert!(said.reason.unwrap().contains("this message makes me panic"));
}

#[tokio::test]
async fn a_panic_outside_of_the_stage_is_an_error_with_a_readable_type_and_the_next_event_is_answered() {
    let stack = TestStack::by_hand().await;
    let Some(function) = Rie::start(Path::new(PANICKING), stack.variables()).await else { return };
    let answer = function.invoke(&event("break the clock")).await;
    assert_eq!(text(&answer, "errorType"), "Panic");
    assert!(text(&answer, "errorMessage").ends_with("the clock makes me panic"), "{answer}");
    assert_eq!(function.invoke(&event("go on")).await, json!({ "batchItemFailures": [] }));
}

fn event(body: &str) -> String {
    json!({ "Records": [{ "messageId": "m", "receiptHandle": "r", "body": body }] }).to_string()
}
