//! Who is told when something is wrong, and what one sees.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use crate::CHAIN;
use crate::document::{at, fields, number, resources_of_type, text, yaml};

const GUIDE: &str = include_str!("../../docs/DEPLOY.md");

const OWN_NAMESPACE: &str = aws::metrics::NAMESPACE;

/// The names of what the functions write, as the one place says that gives each its name.
fn own_metrics() -> BTreeSet<&'static str> {
    let source = include_str!("../../shared/aws/src/metrics.rs");
    let (_, rest) = source.split_once("fn data_point(").unwrap();
    let (names, _) = rest.split_once("\n    }\n").unwrap();
    let names: BTreeSet<_> = names.split("(\"").skip(1).map(|after| after.split('"').next().unwrap()).collect();
    assert!(names.contains("HandlerSeconds") && names.len() >= 10, "{names:?}");
    names
}

/// What AWS measures, each with its one dimension.
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
fn an_alarm_goes_off_while_work_is_parked_and_lasts_from_one_look_for_money_to_the_next() {
    let alarm = "Resources.WorkParked.Properties";
    assert_eq!(text(&format!("{alarm}.MetricName")), "Parked");
    assert_goes_off_above(alarm, 0);
    assert!(number(&format!("{alarm}.Period")) >= number("Parameters.BudgetPollSeconds.MaxValue"));
    assert_eq!(number(&format!("{alarm}.DatapointsToAlarm")), 1);
    assert_eq!(number(&format!("{alarm}.EvaluationPeriods")), 2);
}

#[test]
fn an_alarm_goes_off_when_an_actor_comes_to_need_a_person() {
    let alarm = "Resources.SetsNeedAttention.Properties";
    assert_eq!(text(&format!("{alarm}.MetricName")), "SetsNeedingAttention");
    assert_goes_off_above(alarm, 0);
}

#[test]
fn an_alarm_goes_off_when_an_upload_is_not_delivered() {
    let alarm = "Resources.UploadsNotDelivered.Properties";
    assert_eq!(text(&format!("{alarm}.MetricName")), "FailedInvocations");
    assert_eq!(*at(&format!("{alarm}.Dimensions")), yaml("[{Name: RuleName, Value: {Ref: UploadRule}}]"));
    assert_goes_off_above(alarm, 0);
}

#[test]
fn every_alarm_watches_a_metric_that_exists_and_stays_quiet_where_nothing_happens() {
    let alarms = resources_of_type("AWS::CloudWatch::Alarm");
    assert_eq!(alarms.len(), 4 * CHAIN.len() + 4);
    let own = own_metrics();
    for alarm in alarms {
        let alarm = format!("Resources.{alarm}.Properties");
        let (namespace, metric) = (text(&format!("{alarm}.Namespace")), text(&format!("{alarm}.MetricName")));
        let dimensions = at(&format!("{alarm}.Dimensions"));
        if namespace == OWN_NAMESPACE {
            assert!(own.contains(metric), "{alarm}: {metric}");
            // Another stack of the account must not set it off.
            assert_eq!(*dimensions, yaml("[{Name: Stack, Value: {Ref: AWS::StackName}}]"), "{alarm}");
        } else {
            let dimension = dimensions[0]["Name"].as_str().unwrap();
            assert!(AWS_METRICS.contains(&(namespace, metric, dimension)), "{alarm}: {namespace} {metric}");
        }
        assert_eq!(text(&format!("{alarm}.TreatMissingData")), "notBreaching");
    }
}

#[test]
fn every_alarm_is_sent_by_mail_where_there_is_an_address() {
    let told = yaml("Fn::If: [HasAlarmEmail, [{Ref: AlarmTopic}], {Ref: AWS::NoValue}]");
    for alarm in resources_of_type("AWS::CloudWatch::Alarm") {
        let properties = fields(&format!("Resources.{alarm}.Properties"));
        assert_eq!(*properties["AlarmActions"], told, "{alarm}");
        // That something is over is told too, unless quiet only means that nothing more was lost, or nobody more asked.
        let over = (!["SetsNeedAttention", "UploadsNotDelivered"].contains(&alarm)).then_some(&told);
        assert_eq!(properties.get("OKActions").copied(), over, "{alarm}");
    }
    for resource in ["AlarmTopic", "AlarmTopicPolicy", "AlarmKey"] {
        assert_eq!(text(&format!("Resources.{resource}.Condition")), "HasAlarmEmail");
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

/// A metric on the dashboard.
struct Shown {
    namespace: String,
    name: String,
    /// Each with its value.
    dimensions: Vec<(String, String)>,
}

impl Shown {
    /// CloudWatch's list of words: namespace, name, then dimensions and values in turn, then perhaps how to draw it.
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
fn the_dashboard_shows_metrics_of_this_stack_that_exist() {
    let own = own_metrics();
    for Shown { namespace, name, dimensions } in metrics_shown().iter().filter(|shown| shown.namespace == OWN_NAMESPACE)
    {
        assert!(own.contains(name.as_str()), "{namespace} {name}");
        let (stack, others) = dimensions.split_first().unwrap();
        assert_eq!((stack.0.as_str(), stack.1.as_str()), ("Stack", "${AWS::StackName}"), "{name}");
        match others {
            [] => assert_ne!(name, "HandlerSeconds"),
            [(dimension, stage)] => {
                assert!(name == "HandlerSeconds" && dimension == "Handler", "{name} by {dimension}");
                assert!(["evaluation", "deletion", "generation"].contains(&stage.as_str()), "{stage}");
            }
            more => panic!("{name}: {more:?}"),
        }
    }
}

#[test]
fn the_dashboard_shows_what_aws_measures_of_resources_that_the_template_has() {
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
fn the_dashboard_shows_every_metric_that_the_functions_write_and_everything_that_has_an_alarm() {
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
