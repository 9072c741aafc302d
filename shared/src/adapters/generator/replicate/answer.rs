//! Replicate's answers, read leniently.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::StatusCode;
use serde::Deserialize;
use serde_json::Value;

use super::error::ReplicateError;
use crate::adapters::http::Reply;

/// How long to leave Replicate alone where it asks for it without saying how long.
const PAUSE: Duration = Duration::from_secs(10);

/// What has become of a prediction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Prediction {
    /// It is still being made.
    Running,
    /// It is made, and lies at this address.
    Succeeded(String),
    /// The prompt or the image was found improper. The same prompt will be again.
    Improper(String),
    /// It failed for another reason, in Replicate's words.
    Failed(String),
    /// Replicate doesn't know it, or has removed its output.
    Gone,
}

#[derive(Deserialize)]
pub(super) struct PredictionAnswer {
    pub(super) id: String,
    #[serde(default)]
    pub(super) status: String,
    #[serde(default)]
    pub(super) output: Value,
    #[serde(default)]
    pub(super) error: Value,
    #[serde(default)]
    pub(super) data_removed: bool,
    #[serde(default)]
    pub(super) created_at: Option<Timestamp>,
    #[serde(default)]
    pub(super) input: Input,
}

/// What is told apart by it; the image beside it is skipped unread.
#[derive(Default, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct Input {
    pub(super) seed: Value,
}

#[derive(Deserialize)]
pub(super) struct ListAnswer {
    pub(super) next: Option<String>,
    pub(super) results: Vec<PredictionAnswer>,
}

impl From<PredictionAnswer> for Prediction {
    fn from(answer: PredictionAnswer) -> Self {
        let error = answer.error.as_str().map_or_else(|| answer.error.to_string(), str::to_owned);
        match answer.status.as_str() {
            "succeeded" if answer.data_removed => Self::Gone,
            "succeeded" => match answer.output.as_str().or_else(|| answer.output.get(0)?.as_str()) {
                Some(url) => Self::Succeeded(url.to_owned()),
                None => Self::Gone,
            },
            "failed" | "canceled" | "aborted" if is_improper(&error) => Self::Improper(error),
            "failed" | "canceled" | "aborted" => Self::Failed(error),
            // Whatever Replicate may call it one day, it isn't over.
            _ => Self::Running,
        }
    }
}

/// Replicate's E005: flagged as sensitive.
fn is_improper(error: &str) -> bool {
    error.contains("E005") || error.to_lowercase().contains("sensitive")
}

/// The answer, if it is a success.
pub(super) fn accepted(reply: Reply) -> Result<Reply, ReplicateError> {
    if reply.status.is_success() {
        return Ok(reply);
    }
    let said = detail(&reply.body);
    Err(match reply.status {
        StatusCode::TOO_MANY_REQUESTS => {
            ReplicateError::Throttled { pause: reply.retry_after.or_else(|| resets_in(&said)).unwrap_or(PAUSE) }
        }
        StatusCode::PAYMENT_REQUIRED => ReplicateError::NoCredit(said),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => ReplicateError::Unauthorized(said),
        status if status.is_server_error() => ReplicateError::Unavailable(format!("{status} {said}")),
        status => ReplicateError::Refused(format!("{status} {said}")),
    })
}

/// What an error says, without what surrounds it.
fn detail(body: &[u8]) -> String {
    let text =
        serde_json::from_slice::<Value>(body).ok().and_then(|value| Some(value.get("detail")?.as_str()?.to_owned()));
    text.unwrap_or_else(|| String::from_utf8_lossy(body).into_owned()).chars().take(300).collect()
}

/// The seconds in `Your rate limit resets in ~30s.`
fn resets_in(said: &str) -> Option<Duration> {
    let (_, after) = said.split_once("resets in")?;
    let digits: String = after.trim_start_matches([' ', '~']).chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok().map(Duration::from_secs)
}

/// What an answer says.
pub(super) fn read<T: for<'a> Deserialize<'a>>(reply: Reply) -> Result<T, ReplicateError> {
    serde_json::from_slice(&reply.body).map_err(|error| ReplicateError::Unreadable(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn prediction(answer: Value) -> Prediction {
        serde_json::from_value::<PredictionAnswer>(answer).unwrap().into()
    }

    #[test]
    fn the_wait_is_read_from_what_the_answer_says() {
        assert_eq!(resets_in("Request was throttled. Your rate limit resets in ~30s."), Some(Duration::from_secs(30)));
        assert_eq!(resets_in("Slow down"), None);
    }

    #[test]
    fn an_output_is_a_text_or_a_list_of_one() {
        let url = "https://replicate.delivery/x/out.jpg";
        for output in [json!(url), json!([url])] {
            let answer = prediction(json!({ "id": "p", "status": "succeeded", "output": output }));
            assert_eq!(answer, Prediction::Succeeded(url.to_owned()));
        }
    }

    #[test]
    fn a_status_nobody_knows_is_not_over() {
        assert_eq!(prediction(json!({ "id": "p", "status": "warming_up" })), Prediction::Running);
    }

    #[test]
    fn what_was_flagged_as_sensitive_is_told_from_other_failures() {
        let failed = |error: &str| prediction(json!({ "id": "p", "status": "failed", "error": error }));
        let flagged = "The input or output was flagged as sensitive. Please try again with different inputs. (E005)";
        assert!(matches!(failed(flagged), Prediction::Improper(_)));
        assert!(matches!(failed("CUDA out of memory"), Prediction::Failed(_)));
    }

    #[test]
    fn an_output_that_has_been_removed_is_gone() {
        let removed = json!({ "id": "p", "status": "succeeded", "output": null, "data_removed": true });
        assert_eq!(prediction(removed), Prediction::Gone);
    }
}
