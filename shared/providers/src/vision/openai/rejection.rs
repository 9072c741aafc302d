//! Responses without success, and their meaning.

use reqwest::StatusCode;
use serde::Deserialize;
use serde_json::Value;

use super::answer::Answer;
use super::error::OpenAiError;
use super::form::max_images_in;
use crate::http::Response;

/// The vendor's codes for an account that may not spend, with any status.
const NO_FUNDS: [&str; 7] = [
    "insufficient_quota",
    "billing_hard_limit_reached",
    "billing_not_active",
    "credit_balance_exhausted",
    "organization_spend_limit_exceeded",
    "organization_usage_limit_exceeded",
    "project_spend_limit_exceeded",
];

/// Error codes of content filters.
const CONTENT_CODES: [&str; 6] = [
    "content_policy_violation",
    "image_content_policy_violation",
    "content_filter",
    "invalid_prompt",
    "moderation_blocked",
    "responsible_ai_policy_violation",
];

/// Phrases with the same meaning, in lower case, of services that send no code.
const CONTENT_PHRASES: [&str; 7] = [
    "content policy",
    "content management policy",
    "moderation",
    "moderated",
    "usage policy",
    "safety system",
    "was flagged",
];

/// The fields of an error that are read; some servers omit the code or the type.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Problem {
    message: String,
    r#type: Value,
    code: Value,
    /// The request field that the error concerns.
    param: Value,
}

#[derive(Deserialize)]
struct ErrorBody {
    error: Problem,
}

impl Problem {
    /// Reads an error body. A body in another format is the message itself.
    fn read(body: &[u8]) -> Self {
        let text = || Self { message: String::from_utf8_lossy(body).into_owned(), ..Self::default() };
        serde_json::from_slice::<ErrorBody>(body).map_or_else(|_| text(), |body| body.error)
    }

    fn has_code(&self, code: &str) -> bool {
        self.code == code || self.r#type == code
    }

    fn is_about_funds(&self) -> bool {
        NO_FUNDS.iter().any(|code| self.has_code(code))
    }

    /// Whether the service rejects the content of an image, and not the request or the key.
    fn is_about_content(&self) -> bool {
        let message = self.message.to_lowercase();
        let has_phrase = CONTENT_PHRASES.iter().any(|phrase| message.contains(phrase));
        let is_about_key = message.contains("api key") || self.has_code("invalid_api_key");
        CONTENT_CODES.iter().any(|code| self.has_code(code)) || has_phrase && !is_about_key
    }

    fn is_too_long(&self) -> bool {
        self.has_code("context_length_exceeded") || self.message.starts_with("Request too large")
    }

    /// The error's message, with the field that it concerns.
    fn describe(&self) -> String {
        match self.param.as_str().filter(|param| !self.message.contains(param)) {
            Some(param) => format!("{param}: {}", self.message),
            None => self.message.clone(),
        }
    }
}

/// The meaning of a response without success: an answer that concerns the batch, or a failure of the service. Masks
/// `key` in what the service reports.
pub(super) fn read(response: &Response, key: &str) -> Result<Answer, OpenAiError> {
    let problem = Problem::read(&response.body);
    let message = format!("{} {}", response.status, problem.describe().replace(key, "…"));
    let message = message.trim_end().chars().take(300).collect();
    let unavailable = |message| OpenAiError::Unavailable { message, retry_after: response.retry_after };
    Err(match response.status {
        StatusCode::PAYLOAD_TOO_LARGE => return Ok(Answer::TooLong),
        _ if problem.is_too_long() => return Ok(Answer::TooLong),
        StatusCode::BAD_REQUEST | StatusCode::FORBIDDEN | StatusCode::UNPROCESSABLE_ENTITY
            if problem.is_about_content() =>
        {
            return Ok(Answer::Refused(message));
        }
        StatusCode::PAYMENT_REQUIRED => OpenAiError::NoCredit(message),
        _ if problem.is_about_funds() => OpenAiError::NoCredit(message),
        StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY
            if let Some(max) = max_images_in(&problem.message) =>
        {
            return Ok(Answer::TooManyImages(max));
        }
        StatusCode::TOO_MANY_REQUESTS => OpenAiError::Throttled { retry_after: response.retry_after },
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => OpenAiError::Unauthorized(message),
        StatusCode::NOT_FOUND => OpenAiError::Unknown(message),
        StatusCode::REQUEST_TIMEOUT | StatusCode::CONFLICT => unavailable(message),
        status if status.is_server_error() => unavailable(message),
        _ => OpenAiError::Invalid(message),
    })
}
