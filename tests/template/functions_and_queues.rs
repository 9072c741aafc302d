//! The three functions, their queues, and the time limits that must match.

use std::time::Duration;

use domain::trash::WORKER_TIMEOUT;
use handlers::delete;
use handlers::evaluate::READING_TIME_RESERVE;
use handlers::lambda::{MAX_CONCURRENT_MESSAGES, MAX_DELIVERIES};
use providers::vision::LONGEST_TIMEOUT_SECONDS;
use providers::vision::time_budget;

use crate::template::CHAIN;
use crate::template::document::{at, fields, number, resources_of_type, text, yaml};

#[test]
fn three_functions_run_on_amazon_linux_2023() {
    let functions = CHAIN.iter().map(|(function, ..)| *function).collect();
    assert_eq!(resources_of_type("AWS::Serverless::Function"), functions);
    assert_eq!(text("Globals.Function.Runtime"), "provided.al2023");
    assert_eq!(text("Globals.Function.Handler"), "bootstrap");
    for function in functions {
        let own = fields(&format!("Resources.{function}.Properties"));
        assert!(!own.contains_key("Runtime"), "{function} must use the global runtime");
        assert_eq!(text(&format!("Resources.{function}.Metadata.BuildMethod")), "rust-cargolambda");
        let binary = text(&format!("Resources.{function}.Metadata.BuildProperties.Binary"));
        assert_eq!(format!("{binary}function"), function.to_lowercase());
    }
}

#[test]
fn functions_report_failures_of_single_messages() {
    for (function, queue, _) in CHAIN {
        let source = format!("Resources.{function}.Properties.Events.Queue");
        assert_eq!(text(&format!("{source}.Type")), "SQS");
        assert_eq!(text(&format!("{source}.Properties.Queue.Fn::GetAtt")), format!("{queue}.Arn"));
        assert_eq!(*at(&format!("{source}.Properties.FunctionResponseTypes")), yaml("[ReportBatchItemFailures]"));
    }
}

#[test]
fn failed_messages_become_long_lived_dead_letters() {
    for (_, queue, dead) in CHAIN {
        let policy = format!("Resources.{queue}.Properties.RedrivePolicy");
        assert_eq!(number(&format!("{policy}.maxReceiveCount")), u64::from(MAX_DELIVERIES));
        assert_eq!(text(&format!("{policy}.deadLetterTargetArn.Fn::GetAtt")), format!("{dead}.Arn"));
        // The longest retention of SQS.
        let kept = |queue: &str| number(&format!("Resources.{queue}.Properties.MessageRetentionPeriod"));
        assert_eq!((kept(queue), kept(dead)), (14 * 24 * 3600, 14 * 24 * 3600), "{queue}");
    }
    let queues = CHAIN.iter().flat_map(|(_, queue, dead)| [*queue, *dead]).collect();
    assert_eq!(resources_of_type("AWS::SQS::Queue"), queues);
}

#[test]
fn message_stays_invisible_for_six_timeouts() {
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
fn evaluation_batch_ends_before_the_timeout() {
    let batch = number("Resources.EvaluationFunction.Properties.Events.Queue.Properties.BatchSize");
    let waves = batch.div_ceil(MAX_CONCURRENT_MESSAGES as u64);
    // The last request may begin at the end of the time budget, and may take as long as the parameter allows.
    let timeout = number("Resources.EvaluationFunction.Properties.Timeout");
    for request in 1..=LONGEST_TIMEOUT_SECONDS {
        let time_budget = time_budget(Duration::from_secs(request));
        let longest = time_budget.as_secs() + request + READING_TIME_RESERVE.as_secs();
        assert!(waves * longest < timeout, "{waves} x {longest} s exceed {timeout} s");
        assert!(time_budget >= Duration::from_secs(1), "no request would start");
    }
}

#[test]
fn deletion_batch_ends_before_the_timeout() {
    let batch = number("Resources.DeletionFunction.Properties.Events.Queue.Properties.BatchSize");
    let waves = batch.div_ceil(MAX_CONCURRENT_MESSAGES as u64);
    let timeout = number("Resources.DeletionFunction.Properties.Timeout");
    // A third of the timeout is reserved for the image that the function is deleting when the time budget ends.
    assert!(waves * delete::TIME_BUDGET.as_secs() * 3 <= timeout * 2, "{waves} waves in {timeout} s");
}

#[test]
fn restore_waits_for_the_end_of_the_deleting_worker() {
    let timeout = number("Resources.DeletionFunction.Properties.Timeout");
    // The margin allows for clocks that differ.
    assert_eq!(WORKER_TIMEOUT.as_secs().unsigned_abs(), timeout + 30);
}

#[test]
fn generator_concurrency_limits_parallel_generation() {
    let source = "Resources.GenerationFunction.Properties.Events.Queue.Properties";
    assert_eq!(text(&format!("{source}.ScalingConfig.MaximumConcurrency.Ref")), "GeneratorConcurrency");
    let parameter = fields("Parameters.GeneratorConcurrency");
    // The limits of AWS.
    assert_eq!((parameter["MinValue"].as_u64(), parameter["MaxValue"].as_u64()), (Some(2), Some(1000)));
}

#[test]
fn generation_batch_has_one_message() {
    assert_eq!(number("Resources.GenerationFunction.Properties.Events.Queue.Properties.BatchSize"), 1);
}

#[test]
fn lambda_does_not_stop_deferred_messages() {
    // With `Terminate`, the default, Lambda drops a message that has reached the same function about sixteen times.
    assert_eq!(text("Globals.Function.RecursiveLoop"), "Allow");
    for (function, ..) in CHAIN {
        assert!(!fields(&format!("Resources.{function}.Properties")).contains_key("RecursiveLoop"), "{function}");
    }
}
