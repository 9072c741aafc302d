//! Every error of the providers, with the response that it requires and whether the request may appear on the bill.

use std::time::Duration;

use aws::AwsError;
use aws::secrets::{Secret, reveal};
use domain::disposition::{Billed, Disposition};
use imaging::decode;
use reqwest::StatusCode;
use tokio::task::JoinError;

use crate::checks::Remedy;
use crate::generator::{Failure, GeneratorError, Replicate, ServiceError};
use crate::http::HttpError;
use crate::vision::{OpenAiError, VisionError};
use Billed::{No, Unknown, Yes};
use Disposition::{ContentRejected, NeedsFunds, NeedsOperator, Outage, Permanent, Retry, RetryAfter, Timeout};

const NO_DELAY: Disposition = Outage { retry_after: None };

fn text() -> String {
    "the service's words".to_owned()
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn unreachable() -> HttpError {
    HttpError::Unreachable { host: text(), cause: text() }
}

fn broken() -> HttpError {
    HttpError::Broken { host: text(), cause: text() }
}

fn timed_out() -> HttpError {
    HttpError::TimedOut { host: text() }
}

fn too_large() -> HttpError {
    HttpError::TooLarge { host: text(), max_bytes: 1 }
}

fn encoding() -> image::ImageError {
    image::load_from_memory(b"").unwrap_err()
}

async fn task_failed() -> JoinError {
    let task = tokio::spawn(std::future::pending::<()>());
    task.abort();
    task.await.unwrap_err()
}

/// Without a region the client sends nothing.
async fn secret() -> AwsError {
    let secret = Secret::Stored { arn: "arn:aws:secretsmanager:us-east-1:1:secret:key".to_owned() };
    reveal(secret, &aws::SdkConfig::builder().build()).await.unwrap_err()
}

#[tokio::test]
async fn every_vision_error_has_a_disposition() {
    let unavailable = |retry_after| OpenAiError::Unavailable { message: text(), retry_after };
    let throttled = |retry_after| OpenAiError::Throttled { retry_after };
    for (error, disposition, billed) in [
        (unreachable().into(), NO_DELAY, No),
        (broken().into(), NO_DELAY, Unknown),
        (timed_out().into(), Timeout, Unknown),
        (too_large().into(), NeedsOperator, Unknown),
        (throttled(Some(seconds(37))), RetryAfter(seconds(37)), No),
        (throttled(None), RetryAfter(seconds(30)), No),
        (OpenAiError::NoBudget { retry_of: None }, NeedsFunds, No),
        (OpenAiError::OutOfTime, RetryAfter(seconds(1)), No),
        (unavailable(Some(seconds(37))), Outage { retry_after: Some(seconds(37)) }, No),
        (unavailable(None), NO_DELAY, No),
        (OpenAiError::Unreadable(text()), NO_DELAY, Yes),
        (task_failed().await.into(), Retry, No),
        (OpenAiError::NoCredit(text()), NeedsOperator, No),
        (OpenAiError::Unauthorized(text()), NeedsOperator, No),
        (OpenAiError::Unknown(text()), NeedsOperator, No),
        (OpenAiError::Invalid(text()), NeedsOperator, No),
        (OpenAiError::Encoding(text()), NeedsOperator, No),
        (secret().await.into(), Retry, No),
    ] {
        assert_eq!((error.disposition(), error.billed()), (disposition, billed), "{error:?}");
        let message = error.to_string();
        assert_eq!(VisionError::from(error).disposition(), disposition, "{message}");
    }
    assert_eq!(VisionError::from(std::io::Error::other("no data")).disposition(), NeedsOperator);
    assert_eq!(VisionError::from(task_failed().await).disposition(), Retry);
}

#[tokio::test]
async fn every_generator_error_has_a_disposition() {
    let overloaded = Failure::Overloaded { message: text(), retry_after: Some(seconds(20)) };
    let unavailable = |retry_after| Failure::Unavailable { message: text(), retry_after };
    for (error, disposition, billed) in [
        (unreachable().into(), NO_DELAY, No),
        (broken().into(), NO_DELAY, Unknown),
        (timed_out().into(), Timeout, Unknown),
        (too_large().into(), Permanent, Unknown),
        (Failure::Throttled { retry_after: seconds(10) }, RetryAfter(seconds(10)), No),
        (Failure::NoCredit(text()), NeedsFunds, No),
        (Failure::Unauthorized(text()), NeedsOperator, No),
        (Failure::Unknown(text()), NeedsOperator, No),
        (Failure::UnusableModel { model: text(), problem: text() }, NeedsOperator, No),
        (unavailable(Some(seconds(20))), Outage { retry_after: Some(seconds(20)) }, Unknown),
        (unavailable(None), NO_DELAY, Unknown),
        (overloaded, Outage { retry_after: Some(seconds(20)) }, No),
        (Failure::Misconfigured { problem: text(), remedy: Remedy::new(text()) }, NeedsOperator, No),
        (Failure::NotRunning { address: text(), cause: text() }, NO_DELAY, No),
        (Failure::Unlisted, Retry, Unknown),
        (Failure::Interrupted(text()), NO_DELAY, No),
        (Failure::ContentRejected(text()), ContentRejected, No),
        (Failure::Rejected(text()), Permanent, No),
        (Failure::Unreadable(text()), NO_DELAY, Unknown),
        (Failure::ForeignAddress(text()), Permanent, Yes),
        (Failure::NotDelivered(StatusCode::FOUND), Retry, Yes),
        (decode(b"").unwrap_err().into(), Retry, Yes),
        (encoding().into(), Permanent, No),
        (secret().await.into(), Retry, No),
    ] {
        assert_eq!((error.disposition(), error.billed()), (disposition, billed), "{error:?}");
        let message = error.to_string();
        assert_eq!(GeneratorError::from(ServiceError::of::<Replicate>(error)).disposition(), disposition, "{message}");
    }
    assert_eq!(GeneratorError::from(task_failed().await).disposition(), Retry);
    assert_eq!(GeneratorError::from(encoding()).disposition(), Permanent);
    assert_eq!(GeneratorError::from(decode(b"").unwrap_err()).disposition(), Permanent);
}

#[test]
fn only_damaged_outputs_are_fetched_again() {
    for damaged in
        [too_large().into(), Failure::NotDelivered(StatusCode::FOUND), Failure::from(decode(b"").unwrap_err())]
    {
        assert!(damaged.is_damaged_output(), "{damaged:?}");
    }
    for other in [timed_out().into(), Failure::ForeignAddress(text()), encoding().into()] {
        assert!(!other.is_damaged_output(), "{other:?}");
    }
}
