//! The sample events define the message formats for senders. Each must parse to what its file name states.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use domain::messages::{DeletionMessage, EvaluationCommand, EvaluationMessage, GenerationMessage, Mode};
use domain::planner::Scope;
use serde_json::Value;

const EVENTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../infra/events");

fn records(name: &str) -> Vec<Value> {
    let text = fs::read_to_string(Path::new(EVENTS).join(name)).unwrap();
    let event: Value = serde_json::from_str(&text).unwrap();
    event["Records"].as_array().unwrap().clone()
}

fn body(record: &Value) -> &str {
    record["body"].as_str().unwrap()
}

/// The only message of an evaluation event.
fn evaluation(name: &str) -> EvaluationMessage {
    let records = records(name);
    assert_eq!(records.len(), 1, "{name}");
    EvaluationMessage::parse(body(&records[0])).unwrap()
}

fn command(name: &str) -> EvaluationCommand {
    match evaluation(name) {
        EvaluationMessage::Command(command) => command,
        other => panic!("{name}: {other:?}"),
    }
}

fn uploaded_key(name: &str) -> String {
    match evaluation(name) {
        EvaluationMessage::Uploads(uploads) if uploads.len() == 1 => uploads[0].key.clone(),
        other => panic!("{name}: {other:?}"),
    }
}

#[test]
fn only_bad_sample_messages_are_rejected() {
    let names: Vec<_> =
        fs::read_dir(EVENTS).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert!(names.len() >= 15);
    for name in names {
        let queue = name.split('-').next().unwrap();
        let is_rejected = |record: &&Value| match queue {
            "evaluation" => EvaluationMessage::parse(body(record)).is_err(),
            "deletion" => DeletionMessage::parse(body(record)).is_err(),
            "generation" => GenerationMessage::parse(body(record)).is_err(),
            other => panic!("{name}: there is no {other} queue"),
        };
        let records = records(&name);
        let expected = if name.contains("one-bad") { 1 } else { 0 };
        assert_eq!(records.iter().filter(is_rejected).count(), expected, "{name}");
        for record in &records {
            let source = record["eventSourceARN"].as_str().unwrap().to_lowercase();
            assert!(source.contains(&format!("{queue}queue")), "{name}: {source}");
        }
        let ids: BTreeSet<_> = records.iter().map(|record| record["messageId"].as_str().unwrap()).collect();
        assert_eq!(ids.len(), records.len(), "{name}: two messages have the same id");
    }
}

#[test]
fn all_upload_events_give_the_same_key() {
    let encoded = uploaded_key("evaluation-s3-notification-encoded-key.json");
    assert_eq!(encoded, "system_actors/training_data/example_actor/portrait (two) grün_13.png");
    assert_eq!(uploaded_key("evaluation-eventbridge-plain-key.json"), encoded);
    let plain = uploaded_key("evaluation-s3-notification.json");
    assert_eq!(uploaded_key("evaluation-eventbridge-upload.json"), plain);
    assert_eq!(evaluation("evaluation-s3-test-event.json"), EvaluationMessage::StorageTest);
}

#[test]
fn manual_evaluations_match_their_file_names() {
    let plain = command("evaluation-manual.json");
    assert_eq!((plain.actor_id.as_str(), plain.mode, plain.scope), ("example_actor", Mode::Execute, Scope::All));
    assert!(!plain.force);
    assert_eq!(command("evaluation-manual-dry-run.json").mode, Mode::DryRun);
    assert_eq!(command("evaluation-manual-delete-only.json").scope, Scope::DeleteOnly);
    assert_eq!(command("evaluation-manual-generate-only.json").scope, Scope::GenerateOnly);
    assert!(command("evaluation-manual-forced.json").force);
}

#[test]
fn deletions_and_generations_match_their_file_names() {
    let deletion = |name: &str| DeletionMessage::parse(body(&records(name)[0])).unwrap();
    assert!(matches!(deletion("deletion-of-a-plan.json"), DeletionMessage::Planned { .. }));
    assert!(matches!(deletion("deletion-manual.json"), DeletionMessage::Manual { .. }));
    let generation = |name: &str| GenerationMessage::parse(body(&records(name)[0])).unwrap();
    assert!(matches!(generation("generation-of-a-slot.json"), GenerationMessage::Planned { .. }));
    assert!(matches!(generation("generation-manual.json"), GenerationMessage::Manual { .. }));
}
