//! The three functions under the emulator of Lambda's runtime interface that `sam local invoke` uses.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test fails by panicking, and prints why it is skipped"
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

/// A function that panics if a message requests it.
const PANICKING: &str = env!("CARGO_BIN_EXE_panicking-function");

/// Name and text of the sample events whose names start with `prefix`. The stack's bucket replaces the placeholder.
fn sample_events(prefix: &str, stack: &TestStack) -> Vec<(String, String)> {
    let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
    let mut paths: Vec<PathBuf> = fs::read_dir(EVENTS).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| name(path).starts_with(prefix));
    paths.sort();
    assert!(!paths.is_empty());
    let read = |path: &PathBuf| fs::read_to_string(path).unwrap().replace("example-training-data", stack.bucket.name());
    paths.iter().map(|path| (name(path), read(path))).collect()
}

/// The variables that `sam local invoke` passes: the caller's own credentials and region, and the variables of
/// `env.json` that the template names.
fn sam_variables(stack: &TestStack) -> BTreeMap<String, String> {
    let mut variables = stack.variables();
    let key = variables["AWS_ACCESS_KEY_ID"].clone();
    let overrides = [
        ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
        ("AWS_SESSION_TOKEN", "AQoDYXdzEJr"),
        ("AWS_REGION", "eu-central-1"),
        (EMULATOR_ACCESS_KEY_ID, &key),
    ];
    variables.extend(overrides.map(|(name, value)| (name.to_owned(), value.to_owned())));
    variables
}

/// One process answers the sample events one after the other, as a warm function does.
async fn answers_its_sample_events(name: &str, binary: &Path) {
    let stack = TestStack::without_triggers().await;
    let Some(function) = Rie::start(binary, sam_variables(&stack)).await else { return };
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
async fn evaluation_function_answers_its_sample_events() {
    answers_its_sample_events("evaluation-", &stack::binaries().await.evaluation).await;
}

#[tokio::test]
async fn deletion_function_answers_its_sample_events() {
    answers_its_sample_events("deletion-", &stack::binaries().await.deletion).await;
}

#[tokio::test]
async fn generation_function_answers_its_sample_events() {
    answers_its_sample_events("generation-", &stack::binaries().await.generation).await;
}

fn text<'a>(answer: &'a Value, field: &str) -> &'a str {
    answer[field].as_str().unwrap_or_else(|| panic!("{answer}"))
}

#[tokio::test]
async fn foreign_event_fails_and_the_next_is_answered() {
    let stack = TestStack::without_triggers().await;
    let Some(function) = Rie::start(&stack::binaries().await.deletion, stack.variables()).await else { return };
    let answer = function.invoke(r#"{"detail-type":"Scheduled Event"}"#).await;
    assert!(text(&answer, "errorType").ends_with("DeserializeError"), "{answer}");
    assert!(text(&answer, "errorMessage").contains("missing field `Records`"), "{answer}");
    assert_eq!(function.invoke(r#"{"Records":[]}"#).await, json!({ "batchItemFailures": [] }));
}

#[tokio::test]
async fn failed_message_is_named_and_the_next_answered() {
    let stack = TestStack::without_triggers().await;
    let mut variables = stack.variables();
    variables.insert("TABLE".to_owned(), "no-such-table".to_owned());
    let Some(function) = Rie::start(&stack::binaries().await.deletion, variables).await else { return };
    let answer = function.invoke(&event("this is not JSON")).await;
    assert_eq!(answer, json!({ "batchItemFailures": [{ "itemIdentifier": "m" }] }));
    assert_eq!(function.invoke(r#"{"Records":[]}"#).await, json!({ "batchItemFailures": [] }));
}

#[tokio::test]
async fn message_that_panics_the_handler_fails_alone() {
    let (stack, hero) = (TestStack::without_triggers().await, actor("hero"));
    stack.store.raise_revision(&hero, Timestamp::now()).await.unwrap();
    let Some(function) = Rie::start(Path::new(PANICKING), stack.variables()).await else { return };
    let fifth = json!({ "ApproximateReceiveCount": "5" });
    let batch = json!({ "Records": [
        { "messageId": "first", "body": "succeed" },
        { "messageId": "second", "body": r#"{"actor_id":"hero","filenames":["panic"]}"#, "attributes": fifth },
        { "messageId": "third", "body": "succeed" },
    ] });
    let answer = function.invoke(&batch.to_string()).await;
    assert_eq!(answer, json!({ "batchItemFailures": [{ "itemIdentifier": "second" }] }));
    let record = stack.store.actor(&hero).await.unwrap().unwrap();
    assert_eq!(record.status, Status::NeedsAttention);
    assert!(record.reason.unwrap().contains("the message requests a panic"));
}

#[tokio::test]
async fn panic_outside_the_handler_is_a_readable_error() {
    let stack = TestStack::without_triggers().await;
    let Some(function) = Rie::start(Path::new(PANICKING), stack.variables()).await else { return };
    let answer = function.invoke(&event("break the clock")).await;
    assert_eq!(text(&answer, "errorType"), "Panic");
    assert!(text(&answer, "errorMessage").ends_with("the clock is broken"), "{answer}");
    assert_eq!(function.invoke(&event("succeed")).await, json!({ "batchItemFailures": [] }));
}

fn event(body: &str) -> String {
    json!({ "Records": [{ "messageId": "m", "receiptHandle": "r", "body": body }] }).to_string()
}
