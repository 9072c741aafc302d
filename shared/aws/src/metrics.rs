//! CloudWatch metrics in embedded metric format, written to the log.
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

/// The namespace that the template's alarms and dashboard use.
pub const NAMESPACE: &str = "TrainingDataBalancer";

/// The stack name if none is configured.
pub const UNNAMED_STACK: &str = "balancer";

/// The stack dimension: several stacks may share an account, and each has its own alarms.
static STACK: OnceLock<String> = OnceLock::new();

/// Sets the stack dimension. Only the first call has an effect.
pub fn set_stack(stack: &str) {
    STACK.get_or_init(|| stack.to_owned());
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Metric {
    ImagesAssessed(usize),
    ImagesDeleted(usize),
    ImagesGenerated(usize),
    Rejected,
    DollarsSpent(MicroUsd),
    /// The used share of the day's budget.
    BudgetUsedPercent {
        committed: MicroUsd,
        budget: MicroUsd,
    },
    /// Evaluations that found a balanced set.
    SetsBalanced,
    /// Evaluations and dead letters that set an actor to needs attention.
    SetsNeedingAttention,
    /// Messages deferred because a budget or an account is exhausted.
    Parked,
    /// The processing time of one message, by handler.
    HandlerSeconds(&'static str, Duration),
}

impl Metric {
    /// Name, unit and value.
    fn data_point(self) -> (&'static str, &'static str, f64) {
        match self {
            Self::ImagesAssessed(images) => ("ImagesAssessed", "Count", images as f64),
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
        let (name, unit, value) = self.data_point();
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

    /// Writes the metric to standard output, if the process runs in Lambda.
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
    fn metric_has_embedded_metric_format() {
        let line = Metric::HandlerSeconds("deletion", Duration::from_millis(1_500)).line("dev", Timestamp::UNIX_EPOCH);
        assert_eq!(line["HandlerSeconds"], 1.5);
        assert_eq!((&line["Stack"], &line["Handler"]), (&json!("dev"), &json!("deletion")));
        let described = &line["_aws"]["CloudWatchMetrics"][0];
        assert_eq!(described["Dimensions"], json!([["Stack", "Handler"]]));
        assert_eq!(described["Metrics"], json!([{ "Name": "HandlerSeconds", "Unit": "Seconds" }]));
    }

    #[test]
    fn metrics_have_a_stack_dimension() {
        let of = |stack: &str| Metric::Rejected.line(stack, Timestamp::UNIX_EPOCH);
        assert_eq!(of("prod")["_aws"]["CloudWatchMetrics"][0]["Dimensions"], json!([["Stack"]]));
        assert_eq!((&of("dev")["Stack"], &of("prod")["Stack"]), (&json!("dev"), &json!("prod")));
    }

    #[test]
    fn metrics_of_money_use_dollars_and_percent() {
        assert_eq!(Metric::DollarsSpent(MicroUsd(40_000)).data_point().2, 0.04);
        let none = Metric::BudgetUsedPercent { committed: MicroUsd::ZERO, budget: MicroUsd::ZERO };
        assert_eq!(none.data_point().2, 100.0);
    }
}
