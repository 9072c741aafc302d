//! Replicate's answers, read leniently.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::StatusCode;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use super::mark::has_mark;
use crate::generator::failure::Failure;
use crate::generator::service::Prediction;
use crate::http::Response;
use crate::wording::{Meaning, meaning};

/// The delay after a 429 that names none.
const DEFAULT_RETRY_AFTER: Duration = Duration::from_secs(10);

/// Any field but the id may be null or missing.
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
    input: Option<Box<Input>>,
}

/// The part of the input that identifies a prediction. The image is skipped unread.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Input {
    seed: Value,
    prompt: Value,
}

#[derive(Deserialize)]
pub(super) struct ListAnswer {
    pub(super) next: Option<String>,
    results: Vec<Listed>,
}

/// A malformed entry must not hide the others.
#[derive(Deserialize)]
#[serde(untagged)]
enum Listed {
    Prediction(PredictionAnswer),
    Malformed(IgnoredAny),
}

impl ListAnswer {
    pub(super) fn predictions(&self) -> impl Iterator<Item = &PredictionAnswer> {
        self.results.iter().filter_map(|listed| match listed {
            Listed::Prediction(prediction) => Some(prediction),
            Listed::Malformed(_) => None,
        })
    }
}

impl PredictionAnswer {
    /// Whether the input has this seed, or its mark if the model has no seed.
    pub(super) fn is_for(&self, seed: u32) -> bool {
        self.input.as_ref().is_some_and(|input| {
            input.seed.as_u64() == Some(seed.into())
                || input.prompt.as_str().is_some_and(|prompt| has_mark(prompt, seed))
        })
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
            // Replicate charges nothing for a prediction that never began to run.
            "failed" | "aborted" => match meaning(&error) {
                Some(Meaning::ContentRejected) => Self::ContentRejected(error),
                Some(Meaning::Interrupted) => Self::Interrupted(error),
                None => Self::Failed(error),
            },
            "canceled" => Self::Canceled(error),
            // An unknown status is not an end.
            _ => Self::Running,
        }
    }
}

/// The response if it is a success, and otherwise its meaning. Masks `token` in what Replicate reports.
pub(super) fn accepted(response: Response, token: &str) -> Result<Response, Failure> {
    if response.status.is_success() {
        return Ok(response);
    }
    let message = detail(&response.body, token);
    let with_status = format!("{} {message}", response.status).trim_end().to_owned();
    Err(match response.status {
        StatusCode::TOO_MANY_REQUESTS => Failure::Throttled {
            retry_after: response.retry_after.or_else(|| resets_in(&message)).unwrap_or(DEFAULT_RETRY_AFTER),
        },
        StatusCode::PAYMENT_REQUIRED => Failure::NoCredit(message),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Failure::Unauthorized(message),
        StatusCode::NOT_FOUND => Failure::Unknown(with_status),
        status => match meaning(&message) {
            Some(Meaning::ContentRejected) => Failure::ContentRejected(with_status),
            None if !status.is_server_error() => Failure::Rejected(with_status),
            _ => Failure::Unavailable { message: with_status, retry_after: response.retry_after },
        },
    })
}

/// The message of an error body.
fn detail(body: &[u8], token: &str) -> String {
    let text =
        serde_json::from_slice::<Value>(body).ok().and_then(|value| Some(value.get("detail")?.as_str()?.to_owned()));
    let text = text.unwrap_or_else(|| String::from_utf8_lossy(body).into_owned());
    text.replace(token, "…").chars().take(300).collect()
}

/// The seconds in `Your rate limit resets in ~30s.`
fn resets_in(message: &str) -> Option<Duration> {
    let (_, after) = message.split_once("resets in")?;
    let digits: String = after.trim_start_matches([' ', '~']).chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok().map(Duration::from_secs)
}

pub(super) fn read<T: for<'a> Deserialize<'a>>(response: Response) -> Result<T, Failure> {
    serde_json::from_slice(&response.body).map_err(|error| Failure::Unreadable(error.to_string()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn prediction(answer: Value) -> Prediction {
        serde_json::from_value::<PredictionAnswer>(answer).unwrap().into()
    }

    #[test]
    fn delay_is_read_from_the_message() {
        assert_eq!(resets_in("Request was throttled. Your rate limit resets in ~30s."), Some(Duration::from_secs(30)));
        assert_eq!(resets_in("Slow down"), None);
    }

    #[test]
    fn output_is_a_string_or_a_list_of_one() {
        let url = "https://replicate.delivery/x/out.jpg";
        for output in [json!(url), json!([url])] {
            let answer = prediction(json!({ "id": "p", "status": "succeeded", "output": output }));
            assert_eq!(answer, Prediction::Succeeded(url.to_owned()));
        }
    }

    #[test]
    fn unknown_status_means_running() {
        assert_eq!(prediction(json!({ "id": "p", "status": "warming_up" })), Prediction::Running);
    }

    #[test]
    fn failure_is_classified_by_its_message() {
        let failed = |error: &str| prediction(json!({ "id": "p", "status": "failed", "error": error }));
        let flagged = "The input or output was flagged as sensitive. Please try again with different inputs. (E005)";
        assert!(matches!(failed(flagged), Prediction::ContentRejected(_)));
        let interrupted = "Prediction interrupted; please retry (code: PA)";
        assert!(matches!(failed(interrupted), Prediction::Interrupted(_)));
        assert!(matches!(failed("CUDA out of memory"), Prediction::Failed(_)));
    }

    #[test]
    fn rejected_creation_is_classified_by_its_message() {
        let rejected = |status: u16, detail: &str| {
            let body = json!({ "detail": detail }).to_string().into_bytes();
            let status = StatusCode::from_u16(status).unwrap();
            accepted(Response { status, retry_after: None, body }, "token").unwrap_err()
        };
        for status in [400, 422, 500] {
            assert!(matches!(rejected(status, "Prompt blocked"), Failure::ContentRejected(_)), "{status}");
            let full = rejected(status, "You have reached the queue limit");
            assert!(matches!(full, Failure::Unavailable { .. }), "{status}");
        }
        assert!(matches!(rejected(422, "input.prompt is too long"), Failure::Rejected(_)));
        assert!(matches!(rejected(500, "oops"), Failure::Unavailable { .. }));
    }

    #[test]
    fn canceled_is_charged_and_aborted_is_not() {
        let ended = |status: &str| prediction(json!({ "id": "p", "status": status, "error": null }));
        assert_eq!(ended("canceled"), Prediction::Canceled("it was canceled".to_owned()));
        assert_eq!(ended("aborted"), Prediction::Failed("it was aborted".to_owned()));
    }

    #[test]
    fn malformed_list_entry_hides_no_other() {
        let odd = json!({ "id": "odd", "status": null, "input": null, "data_removed": null, "created_at": null });
        let wanted = json!({ "id": "wanted", "status": "starting", "input": { "seed": 7, "input_image": "data:…" } });
        let list = json!({ "next": null, "results": [odd, 1, null, { "id": 5 }, { "id": "x", "input": [] }, wanted] });
        let list: ListAnswer = serde_json::from_value(list).unwrap();
        let found: Vec<&str> = list.predictions().filter(|entry| entry.is_for(7)).map(|entry| &*entry.id).collect();
        assert_eq!(found, ["wanted"]);
    }

    #[test]
    fn removed_output_is_gone_and_unnamed_one_missing() {
        let removed = json!({ "id": "p", "status": "succeeded", "output": null, "data_removed": true });
        assert_eq!(prediction(removed), Prediction::Gone);
        let nameless = json!({ "id": "p", "status": "succeeded", "output": null, "data_removed": false });
        assert!(matches!(prediction(nameless), Prediction::Missing(_)));
    }
}
