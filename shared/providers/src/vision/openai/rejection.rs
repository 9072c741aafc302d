//! Responses without success, and their meaning.

use reqwest::StatusCode;

use super::answer::Answer;
use super::error::OpenAiError;
use super::form::max_images_in;
use crate::http::Response;
use crate::openai::Problem;
use crate::wording::Meaning;

/// The meaning of a response without success: an answer that concerns the batch, or a failure of the service. Masks
/// `key` in what the service reports.
pub(super) fn read(response: &Response, key: &str) -> Result<Answer, OpenAiError> {
    let problem = Problem::read(&response.body);
    let message = problem.describe(response.status, key);
    let meaning = problem.meaning();
    let unavailable = |message| OpenAiError::Unavailable { message, retry_after: response.retry_after };
    Err(match response.status {
        StatusCode::PAYLOAD_TOO_LARGE => return Ok(Answer::TooLong),
        _ if problem.is_too_long() => return Ok(Answer::TooLong),
        StatusCode::BAD_REQUEST | StatusCode::FORBIDDEN | StatusCode::UNPROCESSABLE_ENTITY
            if meaning == Some(Meaning::ContentRejected) =>
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
        status if status.is_server_error() || meaning == Some(Meaning::Interrupted) => unavailable(message),
        _ => OpenAiError::Invalid(message),
    })
}
