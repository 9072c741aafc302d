//! What the guide and the README say of the template in numbers is what the template says.

use balancer::lambda::MOST_DELIVERIES;

use crate::CHAIN;
use crate::alarms::own_metrics;
use crate::document::{at, fields, number, resources_of_type};

const GUIDE: &str = include_str!("../../docs/DEPLOY.md");
const README: &str = include_str!("../../README.md");

const WORDS: [&str; 15] = [
    "no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen",
];

const DAY: u64 = 86_400;

fn in_words(number: u64) -> &'static str {
    WORDS[usize::try_from(number).unwrap()]
}

fn assert_guide_says(sentence: &str) {
    let text = GUIDE.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains(sentence), "the guide does not say: {sentence}");
}

#[test]
fn how_long_trash_and_staging_are_kept() {
    let rules = at("Resources.Bucket.Properties.LifecycleConfiguration.Rules").as_sequence().unwrap();
    let days = |id: &str| rules.iter().find(|rule| rule["Id"] == id).unwrap()["ExpirationInDays"].as_u64().unwrap();
    assert_guide_says(&format!(
        "drops what is in `system_actors/trash/` after {} days and in `system_actors/staging/` after {} days",
        days("EmptyTrash"),
        days("ClearStaging")
    ));
}

#[test]
fn how_long_messages_are_kept_and_how_often_they_are_tried() {
    for (_, queue, dead) in CHAIN {
        let days = |queue: &str| number(&format!("Resources.{queue}.Properties.MessageRetentionPeriod")) / DAY;
        assert_guide_says(&format!("within {} days, or messages expire", in_words(days(queue))));
        assert_guide_says(&format!("after {} days in them", in_words(days(queue))));
        assert_guide_says(&format!("They are kept for {} days", days(dead)));
        let late = queue.replace("Queue", "QueueLate");
        assert_eq!(number(&format!("Resources.{late}.Properties.Threshold")), 3_600);
        assert_guide_says("a message has waited for an hour");
    }
    assert_guide_says(&format!("a message has failed {} times", in_words(u64::from(MOST_DELIVERIES))));
    assert_guide_says("Twenty seconds after the last image has landed");
    assert_eq!(number("Parameters.QuietSeconds.Default"), 20);
}

#[test]
fn when_an_alarm_goes_off() {
    let tenths = number("Resources.BudgetNearlyUsed.Properties.Threshold") / 10;
    assert_guide_says(&format!("{} tenths of `DailyBudgetUsd`", in_words(tenths)));
    for (function, ..) in CHAIN {
        let alarm = format!("Resources.{}.Properties", function.replace("Function", "Throttles"));
        let minutes = number(&format!("{alarm}.Period")) * number(&format!("{alarm}.EvaluationPeriods")) / 60;
        assert_eq!(minutes, 15);
    }
    assert_guide_says("refused to start functions for a quarter of an hour");
}

#[test]
fn what_alarms_and_metrics_cost() {
    let alarms = resources_of_type("AWS::CloudWatch::Alarm").len();
    assert_guide_says(&format!("the {alarms} alarms ${:.2}", alarms as f64 * 0.10));
    // `StageSeconds` is one for each stage.
    let metrics = own_metrics().len() - 1 + CHAIN.len();
    assert_guide_says(&format!("the {metrics} metrics of the functions up to ${:.2}", metrics as f64 * 0.30));
}

/// The rows of the README's table of parameters: their names, and what it says of their defaults.
fn rows() -> Vec<(Vec<String>, Vec<String>)> {
    let (_, after) = README.split_once("| parameter | default | |").unwrap();
    let (table, _) = after.split_once("\n\n").unwrap();
    let cells = |cell: &str, separator: &str| -> Vec<String> {
        cell.split(separator).map(|word| word.trim().trim_matches('`').to_owned()).collect()
    };
    let row = |line: &str| {
        let columns: Vec<&str> = line.split('|').collect();
        (cells(&columns[1].replace(" or ", ", "), ","), cells(columns[2], ","))
    };
    table.lines().filter(|line| line.starts_with("| `")).map(row).collect()
}

#[test]
fn the_readme_names_parameters_that_exist_with_their_defaults() {
    let (parameters, mut compared) = (fields("Parameters"), 0);
    for (names, defaults) in rows() {
        for name in names.iter().filter(|name| !name.contains('…')) {
            assert!(parameters.contains_key(name.as_str()), "{name}");
        }
        // One word such as `none` may stand for several parameters.
        for (name, said) in names.iter().zip(&defaults).filter(|_| names.len() == defaults.len()) {
            let default = &parameters[name.as_str()]["Default"];
            let default = default.as_str().map_or_else(|| default.as_u64().unwrap().to_string(), str::to_owned);
            let is_said = match default.as_str() {
                "" => said == "none" || said.starts_with("own "),
                default => default.ends_with(said.as_str()),
            };
            assert!(is_said, "{name}: {said} instead of {default}");
            compared += 1;
        }
    }
    assert!(compared > 20, "only {compared} defaults were found");
}
