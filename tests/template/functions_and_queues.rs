//! Three functions, each before its queue.

use std::time::Duration;

use domain::trash::WORKER_TIMEOUT;
use handlers::delete;
use handlers::evaluate::{LEASE_DURATION, READING_TIME_RESERVE};
use handlers::generate::SLOT_LEASE;
use handlers::lambda::{MAX_CONCURRENT_MESSAGES, MAX_DELIVERIES};
use providers::vision::LONGEST_TIMEOUT_SECONDS;
use providers::vision::time_budget;

use crate::CHAIN;
use crate::document::{at, fields, number, resources_of_type, text, yaml};

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
        assert_eq!(number(&format!("{policy}.maxReceiveCount")), u64::from(MAX_DELIVERIES));
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
fn a_batch_of_evaluations_ends_before_its_function_runs_out_of_time() {
    let batch = number("Resources.EvaluationFunction.Properties.Events.Queue.Properties.BatchSize");
    let waves = batch.div_ceil(MAX_CONCURRENT_MESSAGES as u64);
    // The last request may begin at the end of the session's time, and may take as long as the parameter allows.
    let timeout = number("Resources.EvaluationFunction.Properties.Timeout");
    for answer in 1..=LONGEST_TIMEOUT_SECONDS {
        let time_budget = time_budget(Duration::from_secs(answer));
        let longest = time_budget.as_secs() + answer + READING_TIME_RESERVE.as_secs();
        assert!(waves * longest < timeout, "{waves} x {longest} s do not fit into {timeout} s");
        assert!(time_budget >= Duration::from_secs(1), "some requests are begun");
    }
}

#[test]
fn a_batch_of_deletions_ends_before_its_function_runs_out_of_time() {
    let batch = number("Resources.DeletionFunction.Properties.Events.Queue.Properties.BatchSize");
    let waves = batch.div_ceil(MAX_CONCURRENT_MESSAGES as u64);
    let timeout = number("Resources.DeletionFunction.Properties.Timeout");
    // A third of the time is for the image that is deleted when the time_budget ends.
    assert!(waves * delete::TIME_BUDGET.as_secs() * 3 <= timeout * 2, "{waves} waves in {timeout} s");
}

#[test]
fn a_lease_or_a_claim_lasts_as_long_as_its_function_may_run() {
    for (function, lasts) in [("EvaluationFunction", LEASE_DURATION), ("GenerationFunction", SLOT_LEASE)] {
        let timeout = number(&format!("Resources.{function}.Properties.Timeout"));
        assert_eq!(lasts.as_secs().unsigned_abs(), timeout, "{function}");
    }
}

#[test]
fn nothing_is_put_back_before_the_function_that_deleted_it_must_have_ended_by_anybodys_clock() {
    let timeout = number("Resources.DeletionFunction.Properties.Timeout");
    assert_eq!(WORKER_TIMEOUT.as_secs().unsigned_abs(), timeout + 30);
}

#[test]
fn so_many_images_are_made_side_by_side_as_the_parameter_says() {
    let source = "Resources.GenerationFunction.Properties.Events.Queue.Properties";
    assert_eq!(text(&format!("{source}.ScalingConfig.MaximumConcurrency.Ref")), "GeneratorConcurrency");
    let parameter = fields("Parameters.GeneratorConcurrency");
    // What AWS allows.
    assert_eq!((parameter["MinValue"].as_u64(), parameter["MaxValue"].as_u64()), (Some(2), Some(1000)));
}

#[test]
fn one_message_of_the_generation_queue_is_one_image() {
    assert_eq!(number("Resources.GenerationFunction.Properties.Events.Queue.Properties.BatchSize"), 1);
}

#[test]
fn lambda_does_not_take_what_is_put_off_for_a_runaway_loop() {
    // With `Terminate`, its default, it drops a message that has come back to the same function some sixteen times.
    assert_eq!(text("Globals.Function.RecursiveLoop"), "Allow");
    for (function, ..) in CHAIN {
        assert!(!fields(&format!("Resources.{function}.Properties")).contains_key("RecursiveLoop"), "{function}");
    }
}
