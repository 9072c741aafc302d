//! Every log line about an actor, a plan or a slot names it.

use std::path::Path;

use balancer_tests::runtime_api;
use balancer_tests::stack::{self, TestStack};
use serde_json::{Value, json};

use crate::three_ways::invoked::example_set;

/// A log line, and the fields of its span.
struct Line {
    message: String,
    about: Value,
}

/// Invokes a function with one message and returns the log lines about it. Metrics are lines too, but without a span.
async fn lines_about(stack: &TestStack, binary: &Path, body: &Value) -> Vec<Line> {
    let attributes = json!({ "ApproximateReceiveCount": "2" });
    let record = json!({ "messageId": "m", "receiptHandle": "r", "body": body.to_string(), "attributes": attributes });
    let mut variables = stack.variables();
    variables.insert("AWS_LAMBDA_LOG_FORMAT".to_owned(), "JSON".to_owned());
    let event = json!({ "Records": [record] }).to_string();
    let log = runtime_api::invoke_watched(binary, variables, &event).await.log;
    let lines = log.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("not JSON: {line}")));
    let lines: Vec<_> =
        lines.filter(|line: &Value| line.get("_aws").is_none()).filter_map(|line| of_message(&line)).collect();
    assert!(!lines.is_empty(), "{log}");
    for line in &lines {
        assert_eq!((&line.about["message_id"], &line.about["attempt"]), (&json!("m"), &json!(2)), "{}", line.message);
    }
    lines
}

fn of_message(line: &Value) -> Option<Line> {
    let about = line["spans"].as_array()?.iter().find(|span| span["name"] == "message")?;
    Some(Line { message: line["fields"]["message"].as_str()?.to_owned(), about: about.clone() })
}

fn line<'a>(lines: &'a [Line], message: &str) -> &'a Line {
    lines.iter().find(|line| line.message == message).unwrap_or_else(|| {
        panic!("no line has the message {message:?}: {:?}", lines.iter().map(|line| &line.message).collect::<Vec<_>>())
    })
}

#[tokio::test]
async fn log_lines_name_actor_plan_slot_and_attempt() {
    let (stack, binaries) = (TestStack::without_triggers().await, stack::binaries().await);
    let hero = example_set(&stack).await;

    let lines = lines_about(&stack, &binaries.evaluation, &json!({ "actor_id": hero, "mode": "dry_run" })).await;
    assert!(lines.iter().all(|line| line.about["actor"] == hero.as_str()));
    let proposed = &stack.plans(&hero).await[0];
    assert_eq!(line(&lines, "dry run").about["plan"], proposed.plan_id.as_str());

    let request = json!({ "actor_id": hero, "generate": { "bw_stylized": 1 } });
    let lines = lines_about(&stack, &binaries.generation, &request).await;
    let plans = stack.plans(&hero).await;
    let manual = plans.iter().find(|plan| plan.plan_id != proposed.plan_id).unwrap();
    let planned = line(&lines, "manual plan adopted");
    assert_eq!((&planned.about["actor"], &planned.about["plan"]), (&json!(hero), &json!(manual.plan_id)));
    stack.idle().await;

    let slot = &manual.slots[0].slot_id;
    let message = json!({ "actor_id": hero, "plan_id": manual.plan_id, "slot_id": slot });
    let lines = lines_about(&stack, &binaries.generation, &message).await;
    let made = &line(&lines, "slot finished").about;
    assert_eq!((&made["actor"], &made["plan"], &made["slot"]), (&json!(hero), &json!(manual.plan_id), &json!(slot)));

    let message = json!({ "actor_id": hero, "plan_id": proposed.plan_id });
    let lines = lines_about(&stack, &binaries.deletion, &message).await;
    let rejected = &line(&lines, "rejected").about;
    assert_eq!((&rejected["actor"], &rejected["plan"]), (&json!(hero), &json!(proposed.plan_id)));
}

#[tokio::test]
async fn log_line_of_an_upload_names_its_actor() {
    let (stack, binaries) = (TestStack::without_triggers().await, stack::binaries().await);
    let hero = example_set(&stack).await;
    let key = stack.keys.image(&hero, "new_1.png");
    stack.bucket.put(&key, b"no image".to_vec(), "image/png").await.unwrap();
    let object = json!({ "key": key, "size": 8, "eTag": "e" });
    let notice = json!({ "Records": [{
        "eventName": "ObjectCreated:Put",
        "eventSource": "aws:s3",
        "s3": { "bucket": { "name": stack.bucket.name() }, "object": object },
    }] });
    let lines = lines_about(&stack, &binaries.evaluation, &notice).await;
    assert_eq!(line(&lines, "upload").about["actor"], hero.as_str());
}

#[tokio::test]
async fn parked_work_emits_a_metric_of_its_stack() {
    let (stack, binaries) = (TestStack::without_triggers().await, stack::binaries().await);
    let hero = example_set(&stack).await;
    let mut variables = stack.variables();
    for (name, value) in [
        ("STACK_NAME", "balancer-dev"),
        ("VISION_PROVIDER", "openai"),
        ("OPENAI_API_KEY", "never used"),
        ("DAILY_BUDGET_USD", "0"),
    ] {
        variables.insert(name.to_owned(), value.to_owned());
    }
    let record = json!({ "messageId": "m", "body": json!({ "actor_id": hero }).to_string() });
    let event = json!({ "Records": [record] }).to_string();
    let log = runtime_api::invoke_watched(&binaries.evaluation, variables, &event).await.log;
    let figures: Vec<Value> = log.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    for (name, value) in [("Parked", 1.0), ("BudgetUsedPercent", 100.0)] {
        let figure =
            figures.iter().find(|figure| figure.get(name).is_some()).unwrap_or_else(|| panic!("{name}: {log}"));
        assert_eq!((&figure[name], &figure["Stack"]), (&json!(value), &json!("balancer-dev")));
    }
}
