//! Who is told when something is wrong, and what one sees.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use crate::CHAIN;
use crate::document::{at, fields, number, resources_of_type, text, yaml};

const GUIDE: &str = include_str!("../../docs/DEPLOY.md");

/// What the functions write, in the namespace `TrainingDataBalancer`; `StageSeconds` once for each stage.
const OWN_METRICS: [&str; 9] = [
    "BudgetUsedPercent",
    "DollarsSpent",
    "ImagesDeleted",
    "ImagesGenerated",
    "ImagesJudged",
    "Refused",
    "SetsBalanced",
    "SetsNeedingAttention",
    "StageSeconds",
];

/// What AWS measures, each with its one dimension.
const AWS_METRICS: [(&str, &str, &str); 5] = [
    ("AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName"),
    ("AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName"),
    ("AWS/Lambda", "Errors", "FunctionName"),
    ("AWS/Lambda", "Throttles", "FunctionName"),
    ("AWS/Lambda", "ConcurrentExecutions", "FunctionName"),
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

fn assert_goes_off_above(alarm: &str, threshold: u64) {
    assert_eq!(number(&format!("{alarm}.Threshold")), threshold);
    assert_eq!(text(&format!("{alarm}.ComparisonOperator")), "GreaterThanThreshold");
}

#[test]
fn each_dead_letter_queue_has_an_alarm_that_goes_off_at_the_first_message() {
    for (_, _, dead) in CHAIN {
        let alarm = alarm_on("ApproximateNumberOfMessagesVisible", dead);
        assert_goes_off_above(&alarm, 0);
        assert_eq!(text(&format!("{alarm}.Statistic")), "Maximum");
    }
}

#[test]
fn each_queue_has_an_alarm_on_its_oldest_message_that_one_crashed_delivery_does_not_set_off() {
    for (_, queue, _) in CHAIN {
        let alarm = alarm_on("ApproximateAgeOfOldestMessage", queue);
        let longest = number(&format!("Resources.{queue}.Properties.VisibilityTimeout"));
        assert!(number(&format!("{alarm}.Threshold")) > longest + number(&format!("{alarm}.Period")), "{queue}");
    }
}

#[test]
fn each_function_has_an_alarm_on_its_errors_and_one_on_lasting_throttling() {
    for (function, ..) in CHAIN {
        assert_goes_off_above(&alarm_on("Errors", function), 0);
        let throttles = alarm_on("Throttles", function);
        assert_goes_off_above(&throttles, 0);
        assert!(number(&format!("{throttles}.EvaluationPeriods")) > 1, "a short one is how Lambda grows");
    }
}

#[test]
fn an_alarm_goes_off_before_the_daily_budget_is_used_up() {
    let alarm = "Resources.BudgetNearlyUsed.Properties";
    assert_eq!(text(&format!("{alarm}.MetricName")), "BudgetUsedPercent");
    assert!((50..100).contains(&number(&format!("{alarm}.Threshold"))));
}

#[test]
fn every_alarm_watches_a_metric_that_exists_and_stays_quiet_where_nothing_happens() {
    let alarms = resources_of_type("AWS::CloudWatch::Alarm");
    assert_eq!(alarms.len(), 4 * CHAIN.len() + 1);
    for alarm in alarms {
        let alarm = format!("Resources.{alarm}.Properties");
        let (namespace, metric) = (text(&format!("{alarm}.Namespace")), text(&format!("{alarm}.MetricName")));
        let is_own = namespace == "TrainingDataBalancer" && OWN_METRICS.contains(&metric);
        let dimension = (!is_own).then(|| text(&format!("{alarm}.Dimensions.0.Name")));
        let is_known = |dimension| AWS_METRICS.contains(&(namespace, metric, dimension));
        assert!(dimension.is_none_or(is_known), "{alarm}: {namespace} {metric}");
        assert_eq!(text(&format!("{alarm}.TreatMissingData")), "notBreaching");
    }
}

#[test]
fn every_alarm_is_sent_by_mail_where_there_is_an_address() {
    let told = yaml("Fn::If: [SomebodyIsTold, [{Ref: AlarmTopic}], {Ref: AWS::NoValue}]");
    for alarm in resources_of_type("AWS::CloudWatch::Alarm") {
        assert_eq!(*at(&format!("Resources.{alarm}.Properties.AlarmActions")), told, "{alarm}");
    }
    for resource in ["AlarmTopic", "AlarmTopicPolicy", "AlarmKey"] {
        assert_eq!(text(&format!("Resources.{resource}.Condition")), "SomebodyIsTold");
    }
    let subscription = at("Resources.AlarmTopic.Properties.Subscription");
    assert_eq!(*subscription, yaml("[{Protocol: email, Endpoint: {Ref: AlarmEmail}}]"));
}

#[test]
fn alarms_may_use_the_topic_and_the_key_that_it_is_encrypted_with() {
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
fn the_guide_says_what_to_do_for_every_alarm() {
    for alarm in resources_of_type("AWS::CloudWatch::Alarm") {
        assert!(GUIDE.contains(&format!("`{alarm}`")), "{alarm}");
    }
}

fn widgets() -> Vec<Json> {
    let body = text("Resources.Dashboard.Properties.DashboardBody.Fn::Sub");
    let body: Json = serde_json::from_str(body).unwrap();
    body["widgets"].as_array().unwrap().clone()
}

/// Namespace, name, and a dimension with its value.
type Metric = (String, String, Option<(String, String)>);

/// The metrics on the dashboard.
fn metrics_shown() -> Vec<Metric> {
    let word = |word: &Json| word.as_str().map(str::to_owned);
    let metric = |metric: &Json| {
        let words: Vec<String> = metric.as_array().unwrap().iter().filter_map(word).collect();
        let dimension = words.get(2).map(|name| (name.clone(), words[3].clone()));
        (words[0].clone(), words[1].clone(), dimension)
    };
    widgets()
        .iter()
        .flat_map(|widget| widget["properties"]["metrics"].as_array().unwrap().clone())
        .map(|shown| metric(&shown))
        .collect()
}

#[test]
fn the_dashboard_shows_metrics_that_exist_of_resources_that_the_template_has() {
    let stages = ["evaluation", "deletion", "generation"];
    for (namespace, name, dimension) in metrics_shown() {
        match dimension {
            None => assert!(namespace == "TrainingDataBalancer" && OWN_METRICS.contains(&name.as_str()), "{name}"),
            Some((dimension, stage)) if dimension == "Stage" => {
                assert!(name == "StageSeconds" && stages.contains(&stage.as_str()), "{name} of {stage}");
            }
            Some((dimension, value)) => {
                let known = (namespace.as_str(), name.as_str(), dimension.as_str());
                assert!(AWS_METRICS.contains(&known), "{known:?}");
                let resource = value.trim_start_matches("${").trim_end_matches('}').trim_end_matches(".QueueName");
                let kind = if dimension == "QueueName" { "AWS::SQS::Queue" } else { "AWS::Serverless::Function" };
                assert!(resources_of_type(kind).contains(resource), "{value}");
            }
        }
    }
}

#[test]
fn the_dashboard_shows_every_metric_that_the_functions_write_and_everything_that_has_an_alarm() {
    let shown: BTreeSet<String> = metrics_shown().into_iter().map(|(_, name, _)| name).collect();
    for name in OWN_METRICS {
        assert!(shown.contains(name), "{name}");
    }
    for alarm in resources_of_type("AWS::CloudWatch::Alarm") {
        let metric = text(&format!("Resources.{alarm}.Properties.MetricName"));
        assert!(shown.contains(metric), "{alarm}");
    }
}

#[test]
fn the_dashboards_widgets_lie_side_by_side_within_its_24_columns() {
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
