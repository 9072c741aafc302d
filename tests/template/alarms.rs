//! Alarms, their notifications, and the dashboard.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use crate::template::CHAIN;
use crate::template::document::{at, fields, number, resources_of_type, text, yaml};

const GUIDE: &str = include_str!("../../docs/DEPLOY.md");

const OWN_NAMESPACE: &str = aws::metrics::NAMESPACE;

/// The names of the metrics that the functions write, from the source of the only function that names them.
fn own_metrics() -> BTreeSet<&'static str> {
    let source = include_str!("../../shared/aws/src/metrics.rs");
    let (_, rest) = source.split_once("fn data_point(").unwrap();
    let (names, _) = rest.split_once("\n    }\n").unwrap();
    let names: BTreeSet<_> = names.split("(\"").skip(1).map(|after| after.split('"').next().unwrap()).collect();
    assert!(names.contains("HandlerSeconds") && names.len() >= 10, "{names:?}");
    names
}

/// The metrics of AWS that the template uses: namespace, name, and the only dimension.
const AWS_METRICS: [(&str, &str, &str); 6] = [
    ("AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName"),
    ("AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName"),
    ("AWS/Lambda", "Errors", "FunctionName"),
    ("AWS/Lambda", "Throttles", "FunctionName"),
    ("AWS/Lambda", "ConcurrentExecutions", "FunctionName"),
    ("AWS/Events", "FailedInvocations", "RuleName"),
];

/// The alarm that watches this metric of this resource.
fn alarm_on(metric: &str, resource: &str) -> String {
    let watches = |alarm: &str| {
        let properties = fields(&format!("Resources.{alarm}.Properties"));
        let Some(value) = properties.get("Dimensions").map(|dimensions| &dimensions[0]["Value"]) else { return false };
        let queue = yaml(&format!("{{Fn::GetAtt: {resource}.QueueName}}"));
        let function = yaml(&format!("{{Ref: {resource}}}"));
        *properties["MetricName"] == metric && (*value == queue || *value == function)
    };
    let alarms = resources_of_type("AWS::CloudWatch::Alarm");
    let alarm =
        alarms.into_iter().find(|alarm| watches(alarm)).unwrap_or_else(|| panic!("no alarm on {metric} of {resource}"));
    format!("Resources.{alarm}.Properties")
}

fn assert_fires_above(alarm: &str, threshold: u64) {
    assert_eq!(number(&format!("{alarm}.Threshold")), threshold);
    assert_eq!(text(&format!("{alarm}.ComparisonOperator")), "GreaterThanThreshold");
}

#[test]
fn first_dead_letter_raises_an_alarm() {
    for (_, _, dead) in CHAIN {
        let alarm = alarm_on("ApproximateNumberOfMessagesVisible", dead);
        assert_fires_above(&alarm, 0);
        assert_eq!(text(&format!("{alarm}.Statistic")), "Maximum");
    }
}

#[test]
fn one_crashed_delivery_raises_no_age_alarm() {
    for (_, queue, _) in CHAIN {
        let alarm = alarm_on("ApproximateAgeOfOldestMessage", queue);
        let longest = number(&format!("Resources.{queue}.Properties.VisibilityTimeout"));
        assert!(number(&format!("{alarm}.Threshold")) > longest + number(&format!("{alarm}.Period")), "{queue}");
    }
}

#[test]
fn errors_and_lasting_throttling_raise_alarms() {
    for (function, ..) in CHAIN {
        assert_fires_above(&alarm_on("Errors", function), 0);
        let throttles = alarm_on("Throttles", function);
        assert_fires_above(&throttles, 0);
        assert!(number(&format!("{throttles}.EvaluationPeriods")) > 1, "Lambda throttles briefly while it scales up");
    }
}

#[test]
fn nearly_used_budget_raises_an_alarm() {
    let alarm = "Resources.BudgetNearlyUsed.Properties";
    assert_eq!(text(&format!("{alarm}.MetricName")), "BudgetUsedPercent");
    assert!((50..100).contains(&number(&format!("{alarm}.Threshold"))));
}

#[test]
fn parked_work_keeps_its_alarm_on_between_checks() {
    let alarm = "Resources.WorkParked.Properties";
    assert_eq!(text(&format!("{alarm}.MetricName")), "Parked");
    assert_fires_above(alarm, 0);
    assert!(number(&format!("{alarm}.Period")) >= number("Parameters.BudgetPollSeconds.MaxValue"));
    assert_eq!(number(&format!("{alarm}.DatapointsToAlarm")), 1);
    assert_eq!(number(&format!("{alarm}.EvaluationPeriods")), 2);
}

#[test]
fn actor_that_needs_attention_raises_an_alarm() {
    let alarm = "Resources.SetsNeedAttention.Properties";
    assert_eq!(text(&format!("{alarm}.MetricName")), "SetsNeedingAttention");
    assert_fires_above(alarm, 0);
}

#[test]
fn undelivered_upload_raises_an_alarm() {
    let alarm = "Resources.UploadsNotDelivered.Properties";
    assert_eq!(text(&format!("{alarm}.MetricName")), "FailedInvocations");
    assert_eq!(*at(&format!("{alarm}.Dimensions")), yaml("[{Name: RuleName, Value: {Ref: UploadRule}}]"));
    assert_fires_above(alarm, 0);
}

#[test]
fn alarms_watch_existing_metrics_and_ignore_gaps() {
    let alarms = resources_of_type("AWS::CloudWatch::Alarm");
    assert_eq!(alarms.len(), 4 * CHAIN.len() + 4);
    let own = own_metrics();
    for alarm in alarms {
        let alarm = format!("Resources.{alarm}.Properties");
        let (namespace, metric) = (text(&format!("{alarm}.Namespace")), text(&format!("{alarm}.MetricName")));
        let dimensions = at(&format!("{alarm}.Dimensions"));
        if namespace == OWN_NAMESPACE {
            assert!(own.contains(metric), "{alarm}: {metric}");
            // Another stack of the account must not raise this stack's alarm.
            assert_eq!(*dimensions, yaml("[{Name: Stack, Value: {Ref: AWS::StackName}}]"), "{alarm}");
        } else {
            let dimension = dimensions[0]["Name"].as_str().unwrap();
            assert!(AWS_METRICS.contains(&(namespace, metric, dimension)), "{alarm}: {namespace} {metric}");
        }
        assert_eq!(text(&format!("{alarm}.TreatMissingData")), "notBreaching");
    }
}

#[test]
fn alarms_are_mailed_if_an_address_is_set() {
    let topic = yaml("Fn::If: [HasAlarmEmail, [{Ref: AlarmTopic}], {Ref: AWS::NoValue}]");
    for alarm in resources_of_type("AWS::CloudWatch::Alarm") {
        let properties = fields(&format!("Resources.{alarm}.Properties"));
        assert_eq!(*properties["AlarmActions"], topic, "{alarm}");
        // The end of an alarm is mailed too, except where it only means that no further upload or set is affected.
        let at_end = (!["SetsNeedAttention", "UploadsNotDelivered"].contains(&alarm)).then_some(&topic);
        assert_eq!(properties.get("OKActions").copied(), at_end, "{alarm}");
    }
    for resource in ["AlarmTopic", "AlarmTopicPolicy", "AlarmKey"] {
        assert_eq!(text(&format!("Resources.{resource}.Condition")), "HasAlarmEmail");
    }
    let subscription = at("Resources.AlarmTopic.Properties.Subscription");
    assert_eq!(*subscription, yaml("[{Protocol: email, Endpoint: {Ref: AlarmEmail}}]"));
}

#[test]
fn alarms_may_use_the_encrypted_topic() {
    for (document, actions) in [
        ("AlarmTopicPolicy.Properties.PolicyDocument", "sns:Publish"),
        ("AlarmKey.Properties.KeyPolicy", "[kms:Decrypt, kms:GenerateDataKey]"),
    ] {
        let statements = at(&format!("Resources.{document}.Statement")).as_sequence().unwrap();
        let statement = statements.iter().find(|statement| statement["Sid"] == "AlarmsOfThisAccount").unwrap();
        assert_eq!(statement["Principal"]["Service"], "cloudwatch.amazonaws.com");
        assert_eq!(statement["Action"], yaml(actions));
        assert_eq!(statement["Condition"], yaml("StringEquals: {aws:SourceAccount: {Ref: AWS::AccountId}}"));
    }
}

#[test]
fn guide_explains_every_alarm() {
    for alarm in resources_of_type("AWS::CloudWatch::Alarm") {
        assert!(GUIDE.contains(&format!("`{alarm}`")), "{alarm}");
    }
}

fn widgets() -> Vec<Json> {
    let body = text("Resources.Dashboard.Properties.DashboardBody.Fn::Sub");
    let body: Json = serde_json::from_str(body).unwrap();
    body["widgets"].as_array().unwrap().clone()
}

/// A metric on the dashboard.
struct Shown {
    namespace: String,
    name: String,
    /// Name and value.
    dimensions: Vec<(String, String)>,
}

impl Shown {
    /// From CloudWatch's list: namespace, name, alternating dimensions and values, and an optional object of options.
    fn of(metric: &Json) -> Self {
        let word = |word: &Json| word.as_str().map(str::to_owned);
        let words: Vec<String> = metric.as_array().unwrap().iter().filter_map(word).collect();
        let dimensions = words[2..].chunks(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect();
        Self { namespace: words[0].clone(), name: words[1].clone(), dimensions }
    }
}

fn metrics_shown() -> Vec<Shown> {
    let metrics = |widget: &Json| widget["properties"]["metrics"].as_array().unwrap().clone();
    widgets().iter().flat_map(metrics).map(|metric| Shown::of(&metric)).collect()
}

#[test]
fn dashboard_shows_existing_metrics_of_this_stack() {
    let own = own_metrics();
    for Shown { namespace, name, dimensions } in metrics_shown().iter().filter(|shown| shown.namespace == OWN_NAMESPACE)
    {
        assert!(own.contains(name.as_str()), "{namespace} {name}");
        let (stack, others) = dimensions.split_first().unwrap();
        assert_eq!((stack.0.as_str(), stack.1.as_str()), ("Stack", "${AWS::StackName}"), "{name}");
        match others {
            [] => assert_ne!(name, "HandlerSeconds"),
            [(dimension, handler)] => {
                assert!(name == "HandlerSeconds" && dimension == "Handler", "{name} by {dimension}");
                assert!(["evaluation", "deletion", "generation"].contains(&handler.as_str()), "{handler}");
            }
            more => panic!("{name}: {more:?}"),
        }
    }
}

#[test]
fn dashboard_shows_aws_metrics_of_own_resources() {
    for Shown { namespace, name, dimensions } in metrics_shown().iter().filter(|shown| shown.namespace != OWN_NAMESPACE)
    {
        let [(dimension, value)] = dimensions.as_slice() else { panic!("{name}: {dimensions:?}") };
        let known = (namespace.as_str(), name.as_str(), dimension.as_str());
        assert!(AWS_METRICS.contains(&known), "{known:?}");
        let resource = value.trim_start_matches("${").trim_end_matches('}').trim_end_matches(".QueueName");
        let kind = match dimension.as_str() {
            "QueueName" => "AWS::SQS::Queue",
            "RuleName" => "AWS::Events::Rule",
            _ => "AWS::Serverless::Function",
        };
        assert!(resources_of_type(kind).contains(resource), "{value}");
    }
}

#[test]
fn dashboard_shows_all_own_and_alarmed_metrics() {
    let shown: BTreeSet<String> = metrics_shown().into_iter().map(|shown| shown.name).collect();
    for name in own_metrics() {
        assert!(shown.contains(name), "{name}");
    }
    for alarm in resources_of_type("AWS::CloudWatch::Alarm") {
        let metric = text(&format!("Resources.{alarm}.Properties.MetricName"));
        assert!(shown.contains(metric), "{alarm}");
    }
}

#[test]
fn dashboard_widgets_fit_without_overlap() {
    let mut rows: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
    for widget in widgets() {
        let place = |name: &str| widget[name].as_u64().unwrap();
        assert!(place("x") + place("width") <= 24);
        rows.entry(place("y")).or_default().push(place("x"));
    }
    for columns in rows.values() {
        assert_eq!(columns.iter().collect::<BTreeSet<_>>().len(), columns.len());
    }
}
