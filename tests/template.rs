//! What the template promises: asserted on its text, since an emulator forgives what AWS does not.
#![allow(clippy::unwrap_used, clippy::panic, reason = "that is how a test fails")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use balancer::config::{Config, EvaluationConfig, GenerationConfig, Section, from_variables, names_read};
use balancer::domain::actor::ActorId;
use balancer::keys::Keys;
use balancer::lambda::MOST_DELIVERIES;
use balancer_tests::stack::TEMPLATE;
use yaml_serde::Value;

const SAMCONFIG: &str = include_str!("../samconfig.toml");

/// Function, its queue and that queue's dead-letter queue.
const CHAIN: [(&str, &str, &str); 3] = [
    ("EvaluationFunction", "EvaluationQueue", "EvaluationDlq"),
    ("DeletionFunction", "DeletionQueue", "DeletionDlq"),
    ("GenerationFunction", "GenerationQueue", "GenerationDlq"),
];

/// The template with its intrinsic functions in the long form: `!Ref X` as `{Ref: X}`, `!GetAtt X.Y` as
/// `{Fn::GetAtt: X.Y}`.
static DOCUMENT: LazyLock<Value> = LazyLock::new(|| long_form(yaml_serde::from_str(TEMPLATE).unwrap()));

fn long_form(value: Value) -> Value {
    match value {
        Value::Tagged(tagged) => {
            let tag = tagged.tag.to_string();
            let name = tag.trim_start_matches('!');
            let name = if ["Ref", "Condition"].contains(&name) { name.to_owned() } else { format!("Fn::{name}") };
            Value::Mapping([(Value::from(name), long_form(tagged.value))].into_iter().collect())
        }
        Value::Sequence(items) => Value::Sequence(items.into_iter().map(long_form).collect()),
        Value::Mapping(fields) => {
            Value::Mapping(fields.into_iter().map(|(name, value)| (name, long_form(value))).collect())
        }
        plain => plain,
    }
}

/// What lies at a path such as `Resources.Bucket.Condition`.
fn at(path: &str) -> &'static Value {
    path.split('.').fold(&*DOCUMENT, |value, name| {
        let found = match name.parse::<usize>() {
            Ok(index) => value.get(index),
            Err(_) => value.get(name),
        };
        found.unwrap_or_else(|| panic!("the template has no {path}"))
    })
}

fn text(path: &str) -> &'static str {
    at(path).as_str().unwrap_or_else(|| panic!("{path} is no text"))
}

fn number(path: &str) -> u64 {
    at(path).as_u64().unwrap_or_else(|| panic!("{path} is no number"))
}

fn yaml(text: &str) -> Value {
    yaml_serde::from_str(text).unwrap()
}

fn fields(path: &str) -> BTreeMap<&'static str, &'static Value> {
    at(path).as_mapping().unwrap().iter().map(|(name, value)| (name.as_str().unwrap(), value)).collect()
}

fn resources_of_type(kind: &str) -> BTreeSet<&'static str> {
    fields("Resources").into_iter().filter(|(_, resource)| resource["Type"] == kind).map(|(name, _)| name).collect()
}

// --- Functions and queues -----------------------------------------------------------------------

#[test]
fn there_are_three_functions_and_all_run_on_amazon_linux_2023() {
    let functions = CHAIN.iter().map(|(function, ..)| *function).collect();
    assert_eq!(resources_of_type("AWS::Serverless::Function"), functions);
    assert_eq!(text("Globals.Function.Runtime"), "provided.al2023");
    assert_eq!(text("Globals.Function.Handler"), "bootstrap");
    for function in functions {
        let own = fields(&format!("Resources.{function}.Properties"));
        assert!(!own.contains_key("Runtime"), "{function} follows the globals");
        assert_eq!(text(&format!("Resources.{function}.Metadata.BuildMethod")), "rust-cargolambda");
        let binary = text(&format!("Resources.{function}.Metadata.BuildProperties.Binary"));
        assert_eq!(format!("{binary}function"), function.to_lowercase());
    }
}

#[test]
fn each_function_reads_its_queue_and_reports_failures_one_by_one() {
    for (function, queue, _) in CHAIN {
        let source = format!("Resources.{function}.Properties.Events.Queue");
        assert_eq!(text(&format!("{source}.Type")), "SQS");
        assert_eq!(text(&format!("{source}.Properties.Queue.Fn::GetAtt")), format!("{queue}.Arn"));
        assert_eq!(*at(&format!("{source}.Properties.FunctionResponseTypes")), yaml("[ReportBatchItemFailures]"));
    }
}

#[test]
fn what_fails_as_often_as_the_code_says_goes_to_the_dead_letter_queue_and_is_kept_there_longer() {
    for (_, queue, dead) in CHAIN {
        let policy = format!("Resources.{queue}.Properties.RedrivePolicy");
        assert_eq!(number(&format!("{policy}.maxReceiveCount")), u64::from(MOST_DELIVERIES));
        assert_eq!(text(&format!("{policy}.deadLetterTargetArn.Fn::GetAtt")), format!("{dead}.Arn"));
        // A message keeps its age when it moves.
        let kept = |queue: &str| number(&format!("Resources.{queue}.Properties.MessageRetentionPeriod"));
        assert!(kept(dead) > kept(queue), "{dead}");
    }
    let queues = CHAIN.iter().flat_map(|(_, queue, dead)| [*queue, *dead]).collect();
    assert_eq!(resources_of_type("AWS::SQS::Queue"), queues);
}

#[test]
fn a_message_stays_invisible_for_six_timeouts_and_the_batching_window() {
    for (function, queue, _) in CHAIN {
        let timeout = number(&format!("Resources.{function}.Properties.Timeout"));
        let source = fields(&format!("Resources.{function}.Properties.Events.Queue.Properties"));
        let window = source.get("MaximumBatchingWindowInSeconds").map_or(0, |window| window.as_u64().unwrap());
        let visibility = number(&format!("Resources.{queue}.Properties.VisibilityTimeout"));
        assert!(visibility >= 6 * timeout + window, "{queue}: {visibility} s for {timeout} s and {window} s");
        assert!(visibility <= 43_200, "SQS allows no more than twelve hours");
    }
}

#[test]
fn one_message_of_the_generation_queue_is_one_image() {
    assert_eq!(number("Resources.GenerationFunction.Properties.Events.Queue.Properties.BatchSize"), 1);
}

// --- Variables ----------------------------------------------------------------------------------

/// What the template sets for a function, for all of them or for it alone.
fn variables_set(function: &str) -> BTreeMap<&'static str, &'static Value> {
    let mut set = fields("Globals.Function.Environment.Variables");
    let own = format!("Resources.{function}.Properties.Environment.Variables");
    if own.split('.').try_fold(&*DOCUMENT, |value, name| value.get(name)).is_some() {
        set.extend(fields(&own));
    }
    set
}

fn variables(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect()
}

#[test]
fn every_variable_that_a_function_reads_is_set_for_it_and_every_one_that_is_set_is_read() {
    let live = variables(&[("VISION_PROVIDER", "openai"), ("GENERATOR", "replicate")]);
    for (function, read) in [
        ("EvaluationFunction", names_read::<EvaluationConfig>(live.clone())),
        ("DeletionFunction", names_read::<Config>(live.clone())),
        ("GenerationFunction", names_read::<GenerationConfig>(live)),
    ] {
        let set: BTreeSet<String> = variables_set(function).into_keys().map(str::to_owned).collect();
        assert_eq!(set, read, "{function}");
    }
}

/// What a function is told by the template's defaults, each provider being the embedded one or the live one.
fn assert_defaults_are_those_of_the_code<T: Section + std::fmt::Debug>(function: &str, least: &[(&str, &str)]) {
    let required = ["BUCKET", "TABLE", "EVALUATION_QUEUE_URL", "DELETION_QUEUE_URL", "GENERATION_QUEUE_URL"];
    let mut least = variables(least);
    least.extend(required.map(|name| (name.to_owned(), "x".to_owned())));
    let mut with_defaults = least.clone();
    for (variable, value) in variables_set(function) {
        let parameter = value.get("Ref").and_then(Value::as_str).filter(|name| at("Parameters").get(name).is_some());
        if let Some(parameter) = parameter.filter(|_| !least.contains_key(variable)) {
            let default = at(&format!("Parameters.{parameter}.Default"));
            let default = default.as_str().map_or_else(|| default.as_u64().unwrap().to_string(), str::to_owned);
            with_defaults.insert(variable.to_owned(), default);
        }
    }
    assert!(with_defaults.len() > least.len(), "{function}");
    let config = |variables| format!("{:?}", from_variables::<T>(variables).unwrap());
    assert_eq!(config(with_defaults), config(least), "{function}");
}

#[test]
fn the_templates_defaults_are_those_of_the_code() {
    assert_defaults_are_those_of_the_code::<EvaluationConfig>(
        "EvaluationFunction",
        &[("VISION_PROVIDER", "openai"), ("OPENAI_API_KEY", "k")],
    );
    assert_defaults_are_those_of_the_code::<Config>("DeletionFunction", &[]);
    assert_defaults_are_those_of_the_code::<GenerationConfig>(
        "GenerationFunction",
        &[("GENERATOR", "replicate"), ("REPLICATE_API_TOKEN", "t")],
    );
}

#[test]
fn secrets_are_not_echoed_and_have_no_default() {
    for parameter in ["OpenAiApiKey", "ReplicateApiToken"] {
        assert_eq!(*at(&format!("Parameters.{parameter}.NoEcho")), Value::Bool(true));
        assert_eq!(text(&format!("Parameters.{parameter}.Default")), "");
    }
}

// --- The bucket and its events ------------------------------------------------------------------

#[test]
fn the_bucket_is_the_stacks_own_unless_an_existing_one_is_named() {
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
fn what_people_own_outlives_the_stack() {
    for resource in ["Bucket", "Table"] {
        assert_eq!(text(&format!("Resources.{resource}.DeletionPolicy")), "Retain");
        assert_eq!(text(&format!("Resources.{resource}.UpdateReplacePolicy")), "Retain");
    }
}

#[test]
fn the_stacks_own_bucket_sends_its_events_to_the_rule_and_the_rule_to_the_evaluation_queue() {
    let events = "Resources.Bucket.Properties.NotificationConfiguration.EventBridgeConfiguration";
    assert_eq!(*at(&format!("{events}.EventBridgeEnabled")), Value::Bool(true));
    let rule = "Resources.UploadRule.Properties";
    assert_eq!(*at(&format!("{rule}.EventPattern.source")), yaml("[aws.s3]"));
    assert_eq!(*at(&format!("{rule}.EventPattern.detail-type")), yaml("[Object Created]"));
    assert_eq!(text(&format!("{rule}.Targets.0.Arn.Fn::GetAtt")), "EvaluationQueue.Arn");
    let statement = "Resources.UploadsMayEnterEvaluationQueue.Properties.PolicyDocument.Statement.0";
    assert_eq!(text(&format!("{statement}.Principal.Service")), "events.amazonaws.com");
    assert_eq!(text(&format!("{statement}.Condition.ArnEquals.aws:SourceArn.Fn::GetAtt")), "UploadRule.Arn");
}

/// Whether EventBridge's `wildcard` matches: `*` stands for any characters, slashes too.
fn wildcard_matches(pattern: &str, key: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == key,
        Some((start, rest)) => key.strip_prefix(start).is_some_and(|tail| {
            (0..=tail.len()).any(|cut| tail.is_char_boundary(cut) && wildcard_matches(rest, &tail[cut..]))
        }),
    }
}

#[test]
fn the_rule_sees_every_training_image_and_none_of_what_the_balancer_keeps_for_itself() {
    let pattern = text("Resources.UploadRule.Properties.EventPattern.detail.object.key.0.wildcard.Fn::Sub");
    let pattern = pattern.replace("${KeyPrefix}", "deep/prefix");
    let (keys, actor): (Keys, ActorId) = (Keys::new("deep/prefix"), "Jörg + 1".parse().unwrap());
    for name in ["a_1.png", "A.JPG", "ü +.webp", "x.jpeg"] {
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
fn trash_is_emptied_after_thirty_days_and_nothing_else_of_the_actors_ever_is() {
    let rules = at("Resources.Bucket.Properties.LifecycleConfiguration.Rules").as_sequence().unwrap();
    let expiring: BTreeMap<_, _> = rules
        .iter()
        .filter_map(|rule| Some((rule["Prefix"]["Fn::Sub"].as_str()?, rule["ExpirationInDays"].as_u64()?)))
        .collect();
    let wanted = [("${KeyPrefix}/staging/", 7), ("${KeyPrefix}/trash/", 30)];
    assert_eq!(expiring, wanted.into());
    assert_eq!(rules.iter().filter(|rule| rule.get("ExpirationInDays").is_some()).count(), expiring.len());
}

#[test]
fn the_tables_keys_and_expiry_are_those_the_code_writes() {
    let table = "Resources.Table.Properties";
    assert_eq!(*at(&format!("{table}.KeySchema.0")), yaml("{AttributeName: pk, KeyType: HASH}"));
    assert_eq!(*at(&format!("{table}.KeySchema.1")), yaml("{AttributeName: sk, KeyType: RANGE}"));
    assert_eq!(text(&format!("{table}.TimeToLiveSpecification.AttributeName")), "expires_at");
}

// --- Deploying ----------------------------------------------------------------------------------

#[test]
fn samconfig_has_dev_and_prod_and_overrides_only_what_the_template_has() {
    let samconfig: toml::Table = SAMCONFIG.parse().unwrap();
    let parameters = fields("Parameters");
    for environment in ["default", "dev", "prod"] {
        let commands = &samconfig[environment];
        assert!(commands["global"]["parameters"]["stack_name"].is_str(), "{environment}");
        let deploy = commands["deploy"]["parameters"].as_table().unwrap();
        let overrides = deploy.get("parameter_overrides").map_or("", |overrides| overrides.as_str().unwrap());
        for pair in overrides.split_whitespace() {
            let (name, value) = pair.split_once('=').unwrap();
            let parameter = parameters.get(name).unwrap_or_else(|| panic!("{environment}: {name}"));
            if let Some(allowed) = parameter.get("AllowedValues").and_then(Value::as_sequence) {
                let allowed: Vec<_> = allowed
                    .iter()
                    .map(|value| value.as_str().map_or_else(|| value.as_u64().unwrap().to_string(), str::to_owned))
                    .collect();
                assert!(allowed.contains(&value.to_owned()), "{environment}: {pair}");
            }
            assert!(!name.contains("Key") && !name.contains("Token"), "{environment}: secrets stay out of files");
        }
    }
}
