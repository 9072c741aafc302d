//! Replicate's answers, read leniently.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::StatusCode;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use super::error::ReplicateError;
use super::wording::{Meaning, meaning};
use crate::http::Reply;

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
    /// Replicate could not finish it. Nothing is charged for it, and the same request succeeds later.
    Interrupted(String),
    /// It failed for another reason, in Replicate's words. Nothing is taken for it.
    Failed(String),
    /// It was stopped while it ran, which is charged.
    Canceled(String),
    /// Replicate reports that it has removed the output.
    Gone,
    /// Replicate doesn't know the prediction, or names no output of it. The next poll may find them.
    Missing(&'static str),
}

/// Whatever may be null or left out is.
#[derive(Deserialize)]
pub(super) struct PredictionAnswer {
    pub(super) id: String,
    status: Option<String>,
    #[serde(default)]
    output: Value,
    #[serde(default)]
    error: Value,
    data_removed: Option<bool>,
    #[serde(default)]
    created_at: Value,
    input: Option<Input>,
}

/// What predictions are told apart by; the image beside it is skipped unread.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Input {
    seed: Value,
}

#[derive(Deserialize)]
pub(super) struct ListAnswer {
    pub(super) next: Option<String>,
    results: Vec<Listed>,
}

/// One odd entry must not hide the others.
#[derive(Deserialize)]
#[serde(untagged)]
enum Listed {
    Prediction(PredictionAnswer),
    Odd(IgnoredAny),
}

impl ListAnswer {
    pub(super) fn predictions(&self) -> impl Iterator<Item = &PredictionAnswer> {
        self.results.iter().filter_map(|listed| match listed {
            Listed::Prediction(prediction) => Some(prediction),
            Listed::Odd(_) => None,
        })
    }
}

impl PredictionAnswer {
    pub(super) fn has_seed(&self, seed: u32) -> bool {
        self.input.as_ref().is_some_and(|input| input.seed.as_u64() == Some(seed.into()))
    }

    pub(super) fn is_older_than(&self, since: Timestamp) -> bool {
        let created: Option<Timestamp> = self.created_at.as_str().and_then(|text| text.parse().ok());
        created.is_some_and(|created| created < since)
    }
}

impl From<PredictionAnswer> for Prediction {
    fn from(answer: PredictionAnswer) -> Self {
        let status = answer.status.unwrap_or_default();
        let error = match &answer.error {
            Value::Null => format!("it was {status}"),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        match status.as_str() {
            "succeeded" if answer.data_removed == Some(true) => Self::Gone,
            "succeeded" => match answer.output.as_str().or_else(|| answer.output.get(0)?.as_str()) {
                Some(url) => Self::Succeeded(url.to_owned()),
                None => Self::Missing("Replicate names no output of it"),
            },
            // Replicate takes nothing for what never began to run.
            "failed" | "aborted" => match meaning(&error) {
                Some(Meaning::ContentRefused) => Self::Improper(error),
                Some(Meaning::Interrupted) => Self::Interrupted(error),
                None => Self::Failed(error),
            },
            "canceled" => Self::Canceled(error),
            // Whatever Replicate may call it one day, it isn't over.
            _ => Self::Running,
        }
    }
}

/// The answer, if it is a success. `token` is struck out of what Replicate says.
pub(super) fn accepted(reply: Reply, token: &str) -> Result<Reply, ReplicateError> {
    if reply.status.is_success() {
        return Ok(reply);
    }
    let said = detail(&reply.body, token);
    let with_status = format!("{} {said}", reply.status).trim_end().to_owned();
    Err(match reply.status {
        StatusCode::TOO_MANY_REQUESTS => {
            ReplicateError::Throttled { pause: reply.retry_after.or_else(|| resets_in(&said)).unwrap_or(PAUSE) }
        }
        StatusCode::PAYMENT_REQUIRED => ReplicateError::NoCredit(said),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => ReplicateError::Unauthorized(said),
        StatusCode::NOT_FOUND => ReplicateError::Unknown(with_status),
        status => match meaning(&said) {
            Some(Meaning::ContentRefused) => ReplicateError::Improper(with_status),
            None if !status.is_server_error() => ReplicateError::Refused(with_status),
            _ => ReplicateError::Unavailable { said: with_status, asked: reply.retry_after },
        },
    })
}

/// What an error says, without what surrounds it.
fn detail(body: &[u8], token: &str) -> String {
    let text =
        serde_json::from_slice::<Value>(body).ok().and_then(|value| Some(value.get("detail")?.as_str()?.to_owned()));
    let text = text.unwrap_or_else(|| String::from_utf8_lossy(body).into_owned());
    text.replace(token, "…").chars().take(300).collect()
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
    use serde_json::json;

    use super::*;

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
    fn a_failure_is_told_by_its_words() {
        let failed = |error: &str| prediction(json!({ "id": "p", "status": "failed", "error": error }));
        let flagged = "The input or output was flagged as sensitive. Please try again with different inputs. (E005)";
        assert!(matches!(failed(flagged), Prediction::Improper(_)));
        let interrupted = "Prediction interrupted; please retry (code: PA)";
        assert!(matches!(failed(interrupted), Prediction::Interrupted(_)));
        assert!(matches!(failed("CUDA out of memory"), Prediction::Failed(_)));
    }

    #[test]
    fn a_refused_creation_is_told_by_its_words() {
        let refused = |status: u16, detail: &str| {
            let body = json!({ "detail": detail }).to_string().into_bytes();
            let status = StatusCode::from_u16(status).unwrap();
            accepted(Reply { status, retry_after: None, body }, "token").unwrap_err()
        };
        for status in [400, 422, 500] {
            assert!(matches!(refused(status, "Prompt blocked"), ReplicateError::Improper(_)), "{status}");
            let full = refused(status, "You have reached the queue limit");
            assert!(matches!(full, ReplicateError::Unavailable { .. }), "{status}");
        }
        assert!(matches!(refused(422, "input.prompt is too long"), ReplicateError::Refused(_)));
        assert!(matches!(refused(500, "oops"), ReplicateError::Unavailable { .. }));
    }

    #[test]
    fn what_was_stopped_as_it_ran_is_told_from_what_never_began() {
        let ended = |status: &str| prediction(json!({ "id": "p", "status": status, "error": null }));
        assert_eq!(ended("canceled"), Prediction::Canceled("it was canceled".to_owned()));
        assert_eq!(ended("aborted"), Prediction::Failed("it was aborted".to_owned()));
    }

    #[test]
    fn an_odd_entry_of_the_list_hides_no_other() {
        let odd = json!({ "id": "odd", "status": null, "input": null, "data_removed": null, "created_at": null });
        let wanted = json!({ "id": "wanted", "status": "starting", "input": { "seed": 7, "input_image": "data:…" } });
        let list = json!({ "next": null, "results": [odd, 1, null, { "id": 5 }, { "id": "x", "input": [] }, wanted] });
        let list: ListAnswer = serde_json::from_value(list).unwrap();
        let found: Vec<&str> = list.predictions().filter(|entry| entry.has_seed(7)).map(|entry| &*entry.id).collect();
        assert_eq!(found, ["wanted"]);
    }

    #[test]
    fn an_output_that_has_been_removed_is_gone() {
        let removed = json!({ "id": "p", "status": "succeeded", "output": null, "data_removed": true });
        assert_eq!(prediction(removed), Prediction::Gone);
        let nameless = json!({ "id": "p", "status": "succeeded", "output": null, "data_removed": false });
        assert!(matches!(prediction(nameless), Prediction::Missing(_)));
    }
}
