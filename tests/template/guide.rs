//! The table of parameters in `docs/CONFIGURE.md`, and the figures that documents quote, match the template.

use std::collections::BTreeSet;

use crate::template::CHAIN;
use crate::template::document::{at, fields, number, resources_of_type};

const CONFIGURE: &str = include_str!("../../docs/CONFIGURE.md");

/// The parameters and defaults of each row of the table. One default may apply to all parameters of a row.
fn rows() -> Vec<(Vec<String>, Vec<String>)> {
    let (_, after) = CONFIGURE.split_once("| parameter | default | |").unwrap();
    let (table, _) = after.split_once("\n\n").unwrap();
    let items =
        |cell: &str| -> Vec<String> { cell.split(',').map(|item| item.trim().trim_matches('`').to_owned()).collect() };
    let row = |line: &str| {
        let columns: Vec<&str> = line.split('|').collect();
        (items(columns[1]), items(columns[2]))
    };
    table.lines().filter(|line| line.starts_with("| `")).map(row).collect()
}

#[test]
fn guide_lists_every_parameter_with_its_default() {
    let parameters = fields("Parameters");
    let mut listed = BTreeSet::new();
    for (names, defaults) in rows() {
        for (index, name) in names.into_iter().enumerate() {
            let parameter = parameters.get(name.as_str()).unwrap_or_else(|| panic!("there is no parameter {name}"));
            let default = &parameter["Default"];
            let default = default.as_str().map_or_else(|| default.as_u64().unwrap().to_string(), str::to_owned);
            let written = defaults.get(index).unwrap_or(&defaults[0]);
            let is_same = match default.as_str() {
                "" => written == "none" || written.starts_with("own "),
                // The table shortens `black-forest-labs/flux-kontext-pro`.
                default => default == written || default.ends_with(&format!("/{written}")),
            };
            assert!(is_same, "{name}: {written} instead of {default}");
            assert!(listed.insert(name.clone()), "{name} is listed twice");
        }
    }
    let existing: BTreeSet<String> = parameters.into_keys().map(str::to_owned).collect();
    assert_eq!(listed, existing);
}

/// Documents quote these figures. Change them together.
#[test]
fn quoted_figures_match_the_template() {
    const DAY: u64 = 86_400;
    for (function, queue, dead) in CHAIN {
        assert_eq!(number(&format!("Resources.{queue}.Properties.MessageRetentionPeriod")), 14 * DAY);
        assert_eq!(number(&format!("Resources.{dead}.Properties.MessageRetentionPeriod")), 14 * DAY);
        let late = queue.replace("Queue", "QueueLate");
        assert_eq!(number(&format!("Resources.{late}.Properties.Threshold")), 3_600);
        let throttles = format!("Resources.{}.Properties", function.replace("Function", "Throttles"));
        assert_eq!(number(&format!("{throttles}.Period")) * number(&format!("{throttles}.EvaluationPeriods")), 900);
    }
    assert_eq!(number("Resources.BudgetNearlyUsed.Properties.Threshold"), 90);
    let rules = at("Resources.Bucket.Properties.LifecycleConfiguration.Rules").as_sequence().unwrap();
    for id in ["EmptyTrash", "ClearStaging"] {
        let rule = rules.iter().find(|rule| rule["Id"] == id).unwrap();
        assert_eq!(rule["ExpirationInDays"].as_u64(), Some(30), "{id}");
    }
    assert_eq!(resources_of_type("AWS::CloudWatch::Alarm").len(), 16);
}
