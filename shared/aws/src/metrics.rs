//! Figures for CloudWatch, written among the log lines in its embedded metric format.
//!
//! The format is described at
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>.

use std::io::Write;
use std::sync::{LazyLock, OnceLock};
use std::time::Duration;

use domain::money::MicroUsd;
use jiff::Timestamp;
use serde_json::{Value, json};
use tracing::warn;

/// Under which name CloudWatch keeps them; the template's alarms and dashboard say the same.
pub const NAMESPACE: &str = "TrainingDataBalancer";

/// What stacks that were not told their name are called.
pub const UNNAMED_STACK: &str = "balancer";

/// Which stack the figures are of: several may share an account, and each has alarms of its own.
static STACK: OnceLock<String> = OnceLock::new();

/// Says which stack this process belongs to. Only the first word counts: a process never changes stacks.
pub fn belong_to(stack: &str) {
    STACK.get_or_init(|| stack.to_owned());
}

/// Something that is counted or measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Metric {
    /// Images that a vision model has judged.
    ImagesJudged(usize),
    /// Images moved to the trash.
    ImagesDeleted(usize),
    /// Images made and put into their place.
    ImagesGenerated(usize),
    /// Messages recorded as rejected.
    Rejected,
    /// Money that was paid.
    DollarsSpent(MicroUsd),
    /// How much of the day's budget is spent or set aside.
    BudgetUsedPercent {
        /// Spent or set aside.
        committed: MicroUsd,
        /// What may be spent.
        budget: MicroUsd,
    },
    /// Evaluations that found a set as it should be.
    SetsBalanced,
    /// How often an actor came to need a person: an evaluation ended so, or a stage has given up.
    SetsNeedingAttention,
    /// Messages put off because there is no money for their work.
    Parked,
    /// How long a stage worked on a message.
    HandlerSeconds(&'static str, Duration),
}

impl Metric {
    /// Name, unit and value.
    fn measured(self) -> (&'static str, &'static str, f64) {
        match self {
            Self::ImagesJudged(images) => ("ImagesJudged", "Count", images as f64),
            Self::ImagesDeleted(images) => ("ImagesDeleted", "Count", images as f64),
            Self::ImagesGenerated(images) => ("ImagesGenerated", "Count", images as f64),
            Self::Rejected => ("Rejected", "Count", 1.0),
            Self::DollarsSpent(amount) => ("DollarsSpent", "None", amount.0 as f64 / 1e6),
            Self::BudgetUsedPercent { committed, budget } => {
                let share = if budget == MicroUsd::ZERO { 1.0 } else { committed.0 as f64 / budget.0 as f64 };
                ("BudgetUsedPercent", "Percent", share * 100.0)
            }
            Self::SetsBalanced => ("SetsBalanced", "Count", 1.0),
            Self::SetsNeedingAttention => ("SetsNeedingAttention", "Count", 1.0),
            Self::Parked => ("Parked", "Count", 1.0),
            Self::HandlerSeconds(_, time) => ("HandlerSeconds", "Seconds", time.as_secs_f64()),
        }
    }

    fn line(self, stack: &str, now: Timestamp) -> Value {
        let (name, unit, value) = self.measured();
        let mut dimensions = vec![("Stack", stack)];
        if let Self::HandlerSeconds(handler, _) = self {
            dimensions.push(("Handler", handler));
        }
        let names: Vec<&str> = dimensions.iter().map(|&(name, _)| name).collect();
        let mut line = json!({
            "_aws": {
                "Timestamp": now.as_millisecond(),
                "CloudWatchMetrics": [{
                    "Namespace": NAMESPACE,
                    "Dimensions": [names],
                    "Metrics": [{ "Name": name, "Unit": unit }],
                }],
            },
        });
        line[name] = json!(value);
        for (dimension, value) in dimensions {
            line[dimension] = json!(value);
        }
        line
    }

    /// Writes it to standard output, where Lambda looks for it; elsewhere nothing is written.
    pub fn emit(self) {
        static IN_LAMBDA: LazyLock<bool> = LazyLock::new(|| std::env::var_os("AWS_LAMBDA_FUNCTION_NAME").is_some());
        if !*IN_LAMBDA {
            return;
        }
        let stack = STACK.get().map_or(UNNAMED_STACK, String::as_str);
        if let Err(error) = writeln!(std::io::stdout(), "{}", self.line(stack, Timestamp::now())) {
            warn!("a metric can't be written: {error}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_is_written_as_cloudwatch_reads_it() {
        let line = Metric::HandlerSeconds("deletion", Duration::from_millis(1_500)).line("dev", Timestamp::UNIX_EPOCH);
        assert_eq!(line["HandlerSeconds"], 1.5);
        assert_eq!((&line["Stack"], &line["Handler"]), (&json!("dev"), &json!("deletion")));
        let described = &line["_aws"]["CloudWatchMetrics"][0];
        assert_eq!(described["Dimensions"], json!([["Stack", "Handler"]]));
        assert_eq!(described["Metrics"], json!([{ "Name": "HandlerSeconds", "Unit": "Seconds" }]));
    }

    #[test]
    fn the_figures_of_two_stacks_in_one_account_are_kept_apart() {
        let of = |stack: &str| Metric::Rejected.line(stack, Timestamp::UNIX_EPOCH);
        assert_eq!(of("prod")["_aws"]["CloudWatchMetrics"][0]["Dimensions"], json!([["Stack"]]));
        assert_eq!((&of("dev")["Stack"], &of("prod")["Stack"]), (&json!("dev"), &json!("prod")));
    }

    #[test]
    fn money_is_told_in_dollars_and_a_budget_of_nothing_is_used_up() {
        assert_eq!(Metric::DollarsSpent(MicroUsd(40_000)).measured().2, 0.04);
        let none = Metric::BudgetUsedPercent { committed: MicroUsd::ZERO, budget: MicroUsd::ZERO };
        assert_eq!(none.measured().2, 100.0);
    }
}
