//! The complete permissions of each function, so that a test fails if one is added.

use std::collections::BTreeSet;

use yaml_serde::Value;

use crate::template::CHAIN;
use crate::template::document::{DOCUMENT, at, fields, resources_of_type, text, yaml};

/// Role, resource, actions.
const PERMISSIONS: [(&str, &str, &str); 30] = [
    ("EvaluationRole", "EvaluationQueue", "sqs:ReceiveMessage sqs:DeleteMessage sqs:GetQueueAttributes"),
    ("EvaluationRole", "EvaluationQueue", "sqs:ChangeMessageVisibility sqs:SendMessage"),
    ("EvaluationRole", "DeletionQueue", "sqs:SendMessage"),
    ("EvaluationRole", "GenerationQueue", "sqs:SendMessage"),
    ("EvaluationRole", "Table", "dynamodb:GetItem dynamodb:PutItem dynamodb:UpdateItem dynamodb:DeleteItem"),
    ("EvaluationRole", "Table", "dynamodb:Query dynamodb:Scan"),
    ("EvaluationRole", "training_data/*", "s3:GetObject"),
    ("EvaluationRole", "base_images/*", "s3:GetObject"),
    ("EvaluationRole", "prompts.toml", "s3:GetObject"),
    ("EvaluationRole", "evaluations/*", "s3:PutObject"),
    ("EvaluationRole", "OpenAiApiKeySecretArn", "secretsmanager:GetSecretValue"),
    ("EvaluationRole", "SecretsKmsKeyArn", "kms:Decrypt"),
    ("DeletionRole", "DeletionQueue", "sqs:ReceiveMessage sqs:DeleteMessage sqs:GetQueueAttributes"),
    ("DeletionRole", "DeletionQueue", "sqs:ChangeMessageVisibility sqs:SendMessage"),
    ("DeletionRole", "EvaluationQueue", "sqs:SendMessage"),
    ("DeletionRole", "GenerationQueue", "sqs:SendMessage"),
    ("DeletionRole", "Table", "dynamodb:GetItem dynamodb:PutItem dynamodb:UpdateItem dynamodb:DeleteItem"),
    ("DeletionRole", "training_data/*", "s3:GetObject s3:GetObjectTagging s3:DeleteObject"),
    ("DeletionRole", "trash/*", "s3:GetObject s3:PutObject s3:PutObjectTagging"),
    ("GenerationRole", "GenerationQueue", "sqs:ReceiveMessage sqs:DeleteMessage sqs:GetQueueAttributes"),
    ("GenerationRole", "GenerationQueue", "sqs:ChangeMessageVisibility sqs:SendMessage"),
    ("GenerationRole", "EvaluationQueue", "sqs:SendMessage"),
    (
        "GenerationRole",
        "Table",
        "dynamodb:GetItem dynamodb:PutItem dynamodb:UpdateItem dynamodb:DeleteItem dynamodb:Query",
    ),
    ("GenerationRole", "training_data/*", "s3:GetObject s3:PutObject"),
    ("GenerationRole", "base_images/*", "s3:GetObject"),
    ("GenerationRole", "comfyui/*", "s3:GetObject"),
    ("GenerationRole", "prompts.toml", "s3:GetObject"),
    ("GenerationRole", "staging/*", "s3:GetObject s3:PutObject s3:DeleteObject"),
    ("GenerationRole", "ReplicateApiTokenSecretArn", "secretsmanager:GetSecretValue"),
    ("GenerationRole", "OpenAiImagesApiKeySecretArn", "secretsmanager:GetSecretValue"),
];

/// Resource and action of the permissions that several roles share.
fn shared_permissions(role: &str) -> BTreeSet<(String, String)> {
    let log = role.replace("Role", "LogGroup");
    let mut all = vec![
        ("bucket", "s3:ListBucket"),
        ("BucketKmsKeyArn", "kms:Decrypt"),
        ("BucketKmsKeyArn", "kms:GenerateDataKey"),
        (log.as_str(), "logs:CreateLogStream"),
        (log.as_str(), "logs:PutLogEvents"),
        ("*", "xray:PutTraceSegments"),
        ("*", "xray:PutTelemetryRecords"),
    ];
    if role != "DeletionRole" {
        all.push(("SecretsKmsKeyArn", "kms:Decrypt"));
    }
    all.into_iter().map(|(resource, action)| (resource.to_owned(), action.to_owned())).collect()
}

/// The statements of a role's policies, including those that depend on a condition of the stack.
pub(crate) fn statements(role: &str) -> Vec<&'static Value> {
    let policies = at(&format!("Resources.{role}.Properties.Policies")).as_sequence().unwrap();
    let all = policies.iter().flat_map(|policy| policy["PolicyDocument"]["Statement"].as_sequence().unwrap());
    all.map(|statement| match statement.get("Fn::If") {
        None => statement,
        Some(branches) => {
            assert_eq!(branches[2], yaml("{Ref: AWS::NoValue}"), "{role}");
            &branches[1]
        }
    })
    .collect()
}

/// The elements of a list, or the single value.
pub(crate) fn each(value: &'static Value) -> Vec<&'static Value> {
    value.as_sequence().map_or_else(|| vec![value], |values| values.iter().collect())
}

/// The short name of a resource: its logical id, a folder of the bucket, or the parameter that contains its ARN.
pub(crate) fn short_name(resource: &Value) -> String {
    if let Some(name) = resource.get("Fn::GetAtt") {
        return name.as_str().unwrap().strip_suffix(".Arn").unwrap().to_owned();
    }
    if let Some(parameter) = resource.get("Ref") {
        return parameter.as_str().unwrap().to_owned();
    }
    let Some(parts) = resource.get("Fn::Sub") else { return resource.as_str().unwrap().to_owned() };
    if parts[0] == "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/${Name}" {
        assert_eq!(parts[1]["Name"], yaml("Fn::If: [OwnTable, {Ref: Table}, {Ref: TableName}]"));
        return "Table".to_owned();
    }
    assert_eq!(parts[1]["Name"], yaml("Fn::If: [OwnBucket, {Ref: Bucket}, {Ref: BucketName}]"));
    let path = parts[0].as_str().unwrap().strip_prefix("arn:${AWS::Partition}:s3:::${Name}").unwrap();
    match path {
        "" => "bucket".to_owned(),
        path => path.strip_prefix("/${KeyPrefix}/").unwrap().to_owned(),
    }
}

/// Resource and action of every permission of a role.
pub(crate) fn allowed(role: &str) -> BTreeSet<(String, String)> {
    let mut allowed = BTreeSet::new();
    for statement in statements(role) {
        assert_eq!(statement["Effect"], "Allow");
        for resource in each(&statement["Resource"]) {
            for action in each(&statement["Action"]) {
                allowed.insert((short_name(resource), action.as_str().unwrap().to_owned()));
            }
        }
    }
    allowed
}

#[test]
fn roles_allow_exactly_what_this_table_lists() {
    for (function, ..) in CHAIN {
        let role = function.replace("Function", "Role");
        let mut expected = shared_permissions(&role);
        for (_, resource, actions) in PERMISSIONS.iter().filter(|(name, ..)| *name == role) {
            expected.extend(actions.split(' ').map(|action| ((*resource).to_owned(), action.to_owned())));
        }
        assert_eq!(allowed(&role), expected, "{role}");
    }
}

#[test]
fn each_function_has_only_its_own_lambda_role() {
    for (function, ..) in CHAIN {
        let role = function.replace("Function", "Role");
        assert_eq!(text(&format!("Resources.{function}.Properties.Role.Fn::GetAtt")), format!("{role}.Arn"));
        let own = fields(&format!("Resources.{function}.Properties"));
        assert!(!own.contains_key("Policies"), "{function}: SAM ignores policies if the function has a role");
        let properties = fields(&format!("Resources.{role}.Properties"));
        assert!(
            !properties.contains_key("ManagedPolicyArns"),
            "{role}: managed policies of AWS apply to all resources"
        );
        let trusted = at(&format!("Resources.{role}.Properties.AssumeRolePolicyDocument.Statement"));
        let lambda = "[{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: sts:AssumeRole}]";
        assert_eq!(*trusted, yaml(lambda), "{role}");
    }
    let roles: BTreeSet<_> = resources_of_type("AWS::IAM::Role");
    assert_eq!(roles, BTreeSet::from(["EvaluationRole", "DeletionRole", "GenerationRole"]));
    for kind in ["AWS::IAM::ManagedPolicy", "AWS::IAM::Policy"] {
        assert!(resources_of_type(kind).is_empty(), "{kind}");
    }
    assert!(DOCUMENT["Globals"]["Function"].get("Policies").is_none());
}

#[test]
fn only_x_ray_permissions_have_a_wildcard() {
    for (function, ..) in CHAIN {
        for (resource, action) in allowed(&function.replace("Function", "Role")) {
            assert!(!action.contains('*'), "{function}: {action}");
            let is_folder = resource.strip_suffix("/*").is_some_and(|folder| !folder.contains('*'));
            assert!(!resource.contains('*') || is_folder || action.starts_with("xray:"), "{function}: {resource}");
        }
    }
}

#[test]
fn functions_list_only_keys_below_the_prefix() {
    for (function, ..) in CHAIN {
        let role = function.replace("Function", "Role");
        let listing: Vec<_> =
            statements(&role).into_iter().filter(|statement| statement["Action"] == "s3:ListBucket").collect();
        let [statement] = listing[..] else { panic!("{role}: {listing:?}") };
        let prefix = "StringLikeIfExists: {s3:prefix: {Fn::Sub: '${KeyPrefix}/*'}}";
        assert_eq!(statement["Condition"], yaml(prefix), "{role}");
    }
}

#[test]
fn kms_keys_are_used_only_through_their_service() {
    for (function, ..) in CHAIN {
        let role = function.replace("Function", "Role");
        for statement in statements(&role) {
            let key = short_name(each(&statement["Resource"])[0]);
            let service = match key.as_str() {
                "BucketKmsKeyArn" => "s3",
                "SecretsKmsKeyArn" => "secretsmanager",
                _ => continue,
            };
            let through =
                format!("StringEquals: {{kms:ViaService: {{Fn::Sub: '{service}.${{AWS::Region}}.amazonaws.com'}}}}");
            assert_eq!(statement["Condition"], yaml(&through), "{role}");
            assert_eq!(text(&format!("Parameters.{key}.Default")), "");
        }
    }
}

#[test]
fn queue_policies_admit_only_the_event_rules() {
    for policy in resources_of_type("AWS::SQS::QueuePolicy") {
        let statements = at(&format!("Resources.{policy}.Properties.PolicyDocument.Statement")).as_sequence().unwrap();
        let allowing: Vec<_> = statements.iter().filter(|statement| statement["Effect"] == "Allow").collect();
        match policy {
            "EvaluationQueuePolicy" => {
                let source =
                    |statement: &&Value| statement["Condition"]["ArnEquals"]["aws:SourceArn"]["Fn::GetAtt"].clone();
                assert_eq!(allowing.iter().map(source).collect::<Vec<_>>(), ["UploadRule.Arn", "SweepRule.Arn"]);
                for statement in allowing {
                    assert_eq!(statement["Principal"]["Service"], "events.amazonaws.com");
                    assert_eq!(statement["Action"], "sqs:SendMessage");
                }
            }
            _ => assert!(allowing.is_empty(), "{policy}"),
        }
    }
}
