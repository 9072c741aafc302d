//! Encrypted, over TLS only, closed to the public, logged for as long as one wants, traced.

use std::collections::BTreeSet;

use yaml_serde::Value;

use crate::CHAIN;
use crate::document::{at, fields, number, resources_of_type, text, yaml};

/// The statement that refuses whatever doesn't come over TLS.
fn refusal_without_tls(policy: &str) -> &'static Value {
    let statements = at(&format!("Resources.{policy}.Properties.PolicyDocument.Statement")).as_sequence().unwrap();
    let refusal = statements.iter().find(|statement| statement["Sid"] == "TlsOnly");
    let refusal = refusal.unwrap_or_else(|| panic!("{policy} lets everybody in without TLS"));
    assert_eq!((&refusal["Effect"], &refusal["Principal"]), (&Value::from("Deny"), &Value::from("*")), "{policy}");
    assert_eq!(refusal["Condition"], yaml(r#"Bool: {aws:SecureTransport: "false"}"#), "{policy}");
    refusal
}

#[test]
fn each_of_the_six_queues_refuses_what_does_not_come_over_tls() {
    for queue in CHAIN.iter().flat_map(|(_, queue, dead)| [queue, dead]) {
        let policy = format!("{queue}Policy");
        // A queue has one policy: a second one would take the place of the first.
        assert_eq!(*at(&format!("Resources.{policy}.Properties.Queues")), yaml(&format!("[{{Ref: {queue}}}]")));
        let refusal = refusal_without_tls(&policy);
        assert_eq!(refusal["Action"], "sqs:*");
        assert_eq!(refusal["Resource"]["Fn::GetAtt"], Value::from(format!("{queue}.Arn")));
    }
    assert_eq!(resources_of_type("AWS::SQS::QueuePolicy").len(), 6);
}

#[test]
fn the_stacks_own_bucket_refuses_what_does_not_come_over_tls() {
    assert_eq!(text("Resources.BucketTlsOnly.Properties.Bucket.Ref"), "Bucket");
    let refusal = refusal_without_tls("BucketTlsOnly");
    assert_eq!(refusal["Action"], "s3:*");
    assert_eq!(refusal["Resource"], yaml("[{Fn::GetAtt: Bucket.Arn}, {Fn::Sub: '${Bucket.Arn}/*'}]"));
}

#[test]
fn everything_that_is_kept_is_encrypted() {
    for queue in resources_of_type("AWS::SQS::Queue") {
        assert_eq!(*at(&format!("Resources.{queue}.Properties.SqsManagedSseEnabled")), Value::Bool(true), "{queue}");
    }
    let bucket = at("Resources.Bucket.Properties.BucketEncryption.ServerSideEncryptionConfiguration");
    assert_eq!(*bucket, yaml("[{ServerSideEncryptionByDefault: {SSEAlgorithm: AES256}}]"));
    assert_eq!(*at("Resources.Table.Properties.SSESpecification.SSEEnabled"), Value::Bool(true));
    assert_eq!(text("Resources.AlarmTopic.Properties.KmsMasterKeyId.Ref"), "AlarmKey");
}

#[test]
fn the_stacks_own_bucket_is_closed_to_the_public_in_all_four_ways() {
    let block = fields("Resources.Bucket.Properties.PublicAccessBlockConfiguration");
    let names: BTreeSet<_> = block.keys().copied().collect();
    let four = ["BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"];
    assert_eq!(names, BTreeSet::from(four));
    assert!(block.values().all(|is_on| **is_on == Value::Bool(true)));
}

#[test]
fn the_table_can_be_put_back_to_any_moment_of_the_last_weeks() {
    let recovery = "Resources.Table.Properties.PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled";
    assert_eq!(*at(recovery), Value::Bool(true));
}

#[test]
fn each_function_writes_json_into_a_log_of_its_own_that_is_not_kept_for_ever() {
    for (function, ..) in CHAIN {
        let group = function.replace("Function", "LogGroup");
        let logging = at(&format!("Resources.{function}.Properties.LoggingConfig"));
        assert_eq!(*logging, yaml(&format!("{{LogFormat: JSON, LogGroup: {{Ref: {group}}}}}")));
        assert_eq!(text(&format!("Resources.{group}.Properties.RetentionInDays.Ref")), "LogRetentionDays");
    }
    assert_eq!(resources_of_type("AWS::Logs::LogGroup").len(), CHAIN.len());
    assert!(number("Parameters.LogRetentionDays.Default") >= 7);
}

#[test]
fn every_call_is_traced() {
    assert_eq!(text("Globals.Function.Tracing"), "Active");
    for (function, ..) in CHAIN {
        assert!(!fields(&format!("Resources.{function}.Properties")).contains_key("Tracing"), "{function}");
    }
}

#[test]
fn each_key_of_a_paid_service_can_lie_in_secrets_manager_and_is_never_echoed() {
    for key in ["OpenAiApiKey", "ReplicateApiToken"] {
        assert_eq!(*at(&format!("Parameters.{key}.NoEcho")), Value::Bool(true));
        assert_eq!(text(&format!("Parameters.{key}.Default")), "");
        assert_eq!(text(&format!("Parameters.{key}SecretArn.Default")), "");
    }
}
