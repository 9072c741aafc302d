//! The bucket, the table, and the upload events that trigger an evaluation.

use std::collections::BTreeMap;

use domain::actor::ActorId;
use domain::keys::Keys;
use yaml_serde::Value;

use crate::template::document::{at, text, yaml};

#[test]
fn stack_creates_a_bucket_unless_one_is_named() {
    let own_or_named = yaml("Fn::If: [OwnBucket, {Ref: Bucket}, {Ref: BucketName}]");
    assert_eq!(*at("Conditions.OwnBucket"), yaml(r#"Fn::Equals: [{Ref: BucketName}, ""]"#));
    assert_eq!(text("Parameters.BucketName.Default"), "");
    for resource in ["Bucket", "BucketTlsOnly"] {
        assert_eq!(text(&format!("Resources.{resource}.Condition")), "OwnBucket");
    }
    assert_eq!(*at("Globals.Function.Environment.Variables.BUCKET"), own_or_named);
    assert_eq!(*at("Resources.UploadRule.Properties.EventPattern.detail.bucket.name.0"), own_or_named);
    assert_eq!(*at("Outputs.BucketName.Value"), own_or_named);
}

#[test]
fn stack_creates_a_table_unless_one_is_named() {
    let own_or_named = yaml("Fn::If: [OwnTable, {Ref: Table}, {Ref: TableName}]");
    assert_eq!(*at("Conditions.OwnTable"), yaml(r#"Fn::Equals: [{Ref: TableName}, ""]"#));
    assert_eq!(text("Parameters.TableName.Default"), "");
    assert_eq!(text("Resources.Table.Condition"), "OwnTable");
    assert_eq!(*at("Globals.Function.Environment.Variables.TABLE"), own_or_named);
    assert_eq!(*at("Outputs.TableName.Value"), own_or_named);
}

#[test]
fn bucket_and_table_outlive_a_created_stack() {
    for resource in ["Bucket", "BucketTlsOnly", "Table"] {
        assert_eq!(text(&format!("Resources.{resource}.DeletionPolicy")), "RetainExceptOnCreate");
        assert_eq!(text(&format!("Resources.{resource}.UpdateReplacePolicy")), "Retain");
    }
}

#[test]
fn upload_events_reach_the_evaluation_queue() {
    let events = "Resources.Bucket.Properties.NotificationConfiguration.EventBridgeConfiguration";
    assert_eq!(*at(&format!("{events}.EventBridgeEnabled")), Value::Bool(true));
    let rule = "Resources.UploadRule.Properties";
    assert_eq!(*at(&format!("{rule}.EventPattern.source")), yaml("[aws.s3]"));
    assert_eq!(*at(&format!("{rule}.EventPattern.detail-type")), yaml("[Object Created]"));
    assert_eq!(text(&format!("{rule}.Targets.0.Arn.Fn::GetAtt")), "EvaluationQueue.Arn");
    let statement = "Resources.EvaluationQueuePolicy.Properties.PolicyDocument.Statement.0";
    assert_eq!(text(&format!("{statement}.Principal.Service")), "events.amazonaws.com");
    assert_eq!(text(&format!("{statement}.Condition.ArnEquals.aws:SourceArn.Fn::GetAtt")), "UploadRule.Arn");
}

/// Whether EventBridge's `wildcard` matches: `*` stands for any characters, including slashes.
fn wildcard_matches(pattern: &str, key: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == key,
        Some((start, rest)) => key.strip_prefix(start).is_some_and(|tail| {
            (0..=tail.len()).any(|cut| tail.is_char_boundary(cut) && wildcard_matches(rest, &tail[cut..]))
        }),
    }
}

#[test]
fn rule_matches_training_images_only() {
    let pattern = text("Resources.UploadRule.Properties.EventPattern.detail.object.key.0.wildcard.Fn::Sub");
    let pattern = pattern.replace("${KeyPrefix}", "deep/prefix");
    let (keys, actor): (Keys, ActorId) = (Keys::new("deep/prefix"), "Jörg + 1".parse().unwrap());
    for name in ["a_1.png", "A.JPG", "ü +.webp", "x.jpeg", "x.jfif", "X.JPE"] {
        assert!(wildcard_matches(&pattern, &keys.image(&actor, name)), "{name}");
    }
    let own = [
        keys.base_image_stem(&actor) + "png",
        keys.grid(&actor, "plan", 1),
        keys.staging(&actor, "plan", "001"),
        keys.trash(&actor, "plan", "a_1.png"),
    ];
    for key in own {
        assert!(!wildcard_matches(&pattern, &key), "{key}");
    }
}

#[test]
fn only_trash_and_staging_expire_after_30_days() {
    let rules = at("Resources.Bucket.Properties.LifecycleConfiguration.Rules").as_sequence().unwrap();
    let expiring: BTreeMap<_, _> = rules
        .iter()
        .filter_map(|rule| Some((rule["Prefix"]["Fn::Sub"].as_str()?, rule["ExpirationInDays"].as_u64()?)))
        .collect();
    // An image in staging outlives its message, which SQS keeps for fourteen days.
    let expected = [("${KeyPrefix}/staging/", 30), ("${KeyPrefix}/trash/", 30)];
    assert_eq!(expiring, expected.into());
    assert_eq!(rules.iter().filter(|rule| rule.get("ExpirationInDays").is_some()).count(), expiring.len());
}

#[test]
fn table_keys_and_expiry_match_the_code() {
    let table = "Resources.Table.Properties";
    assert_eq!(*at(&format!("{table}.KeySchema.0")), yaml("{AttributeName: pk, KeyType: HASH}"));
    assert_eq!(*at(&format!("{table}.KeySchema.1")), yaml("{AttributeName: sk, KeyType: RANGE}"));
    assert_eq!(text(&format!("{table}.TimeToLiveSpecification.AttributeName")), "expires_at");
}
