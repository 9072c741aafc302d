//! Encryption, TLS, public access, logs, traces and secrets.

use std::collections::BTreeSet;

use yaml_serde::Value;

use crate::template::CHAIN;
use crate::template::document::{at, fields, number, resources_of_type, text, yaml};

/// The statement that denies requests without TLS.
fn tls_statement(policy: &str) -> &'static Value {
    let statements = at(&format!("Resources.{policy}.Properties.PolicyDocument.Statement")).as_sequence().unwrap();
    let statement = statements.iter().find(|statement| statement["Sid"] == "TlsOnly");
    let statement = statement.unwrap_or_else(|| panic!("{policy} allows requests without TLS"));
    assert_eq!((&statement["Effect"], &statement["Principal"]), (&Value::from("Deny"), &Value::from("*")), "{policy}");
    assert_eq!(statement["Condition"], yaml(r#"Bool: {aws:SecureTransport: "false"}"#), "{policy}");
    statement
}

#[test]
fn all_six_queues_require_tls() {
    for queue in CHAIN.iter().flat_map(|(_, queue, dead)| [queue, dead]) {
        let policy = format!("{queue}Policy");
        // A queue has one policy: a second one would replace the first.
        assert_eq!(*at(&format!("Resources.{policy}.Properties.Queues")), yaml(&format!("[{{Ref: {queue}}}]")));
        let statement = tls_statement(&policy);
        assert_eq!(statement["Action"], "sqs:*");
        assert_eq!(statement["Resource"]["Fn::GetAtt"], Value::from(format!("{queue}.Arn")));
    }
    assert_eq!(resources_of_type("AWS::SQS::QueuePolicy").len(), 6);
}

#[test]
fn own_bucket_requires_tls() {
    assert_eq!(text("Resources.BucketTlsOnly.Properties.Bucket.Ref"), "Bucket");
    let statement = tls_statement("BucketTlsOnly");
    assert_eq!(statement["Action"], "s3:*");
    assert_eq!(statement["Resource"], yaml("[{Fn::GetAtt: Bucket.Arn}, {Fn::Sub: '${Bucket.Arn}/*'}]"));
}

#[test]
fn stored_data_is_encrypted() {
    for queue in resources_of_type("AWS::SQS::Queue") {
        assert_eq!(*at(&format!("Resources.{queue}.Properties.SqsManagedSseEnabled")), Value::Bool(true), "{queue}");
    }
    let bucket = at("Resources.Bucket.Properties.BucketEncryption.ServerSideEncryptionConfiguration");
    assert_eq!(*bucket, yaml("[{ServerSideEncryptionByDefault: {SSEAlgorithm: AES256}}]"));
    assert_eq!(*at("Resources.Table.Properties.SSESpecification.SSEEnabled"), Value::Bool(true));
    assert_eq!(text("Resources.AlarmTopic.Properties.KmsMasterKeyId.Ref"), "AlarmKey");
}

#[test]
fn own_bucket_blocks_all_public_access() {
    let block = fields("Resources.Bucket.Properties.PublicAccessBlockConfiguration");
    let names: BTreeSet<_> = block.keys().copied().collect();
    let four = ["BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"];
    assert_eq!(names, BTreeSet::from(four));
    assert!(block.values().all(|is_on| **is_on == Value::Bool(true)));
}

#[test]
fn table_has_point_in_time_recovery() {
    let recovery = "Resources.Table.Properties.PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled";
    assert_eq!(*at(recovery), Value::Bool(true));
}

#[test]
fn each_function_has_its_own_expiring_json_log() {
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
fn all_functions_are_traced() {
    assert_eq!(text("Globals.Function.Tracing"), "Active");
    for (function, ..) in CHAIN {
        assert!(!fields(&format!("Resources.{function}.Properties")).contains_key("Tracing"), "{function}");
    }
}

#[test]
fn address_with_a_password_has_no_echo() {
    assert_eq!(*at("Parameters.ComfyUiUrl.NoEcho"), Value::Bool(true));
}

#[test]
fn service_keys_have_no_echo_and_a_secret_arn() {
    for key in ["OpenAiApiKey", "ReplicateApiToken", "OpenAiImagesApiKey"] {
        assert_eq!(*at(&format!("Parameters.{key}.NoEcho")), Value::Bool(true));
        assert_eq!(text(&format!("Parameters.{key}.Default")), "");
        assert_eq!(text(&format!("Parameters.{key}SecretArn.Default")), "");
    }
}
