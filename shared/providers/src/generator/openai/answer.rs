//! The answer to a request for an image.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::StatusCode;
use serde::Deserialize;

use crate::checks::Remedy;
use crate::generator::failure::Failure;
use crate::generator::output::to_jpeg;
use crate::generator::service::Created;
use crate::http::Response;
use crate::openai::Problem;
use crate::wording::Meaning;

/// The delay after a 429 without `Retry-After`.
const DEFAULT_RETRY_AFTER: Duration = Duration::from_secs(20);

#[derive(Deserialize)]
struct Answer {
    data: Vec<Datum>,
}

#[derive(Deserialize)]
struct Datum {
    b64_json: Option<String>,
}

/// The image, or the failure. Masks `key` in what the service reports.
pub(super) async fn read(response: Response, key: &str) -> Result<Created, Failure> {
    if !response.status.is_success() {
        return Err(failure(&response, key));
    }
    let image = match serde_json::from_slice::<Answer>(&response.body) {
        Ok(answer) => answer.data.into_iter().find_map(|datum| datum.b64_json),
        Err(_) => return Ok(Created::Unusable(unreadable(&response.body))),
    };
    let Some(image) = image else {
        return Ok(Created::Unusable("the answer has no image in `b64_json`".to_owned()));
    };
    let Ok(bytes) = STANDARD.decode(image.trim()) else {
        return Ok(Created::Unusable("the image in the answer is not base64".to_owned()));
    };
    match to_jpeg(bytes).await {
        Ok(jpeg) => Ok(Created::Image(jpeg)),
        Err(Failure::Unusable(error)) => Ok(Created::Unusable(error.to_string())),
        Err(failure) => Err(failure),
    }
}

fn unreadable(body: &[u8]) -> String {
    let beginning: String = String::from_utf8_lossy(body).chars().take(80).collect();
    format!("the answer is not JSON with `data`, but `{}`", beginning.replace(char::is_whitespace, " "))
}

/// The meaning of a response without success. An error of the service itself is not billed, but one of a gateway may hide
/// an image.
pub(super) fn failure(response: &Response, key: &str) -> Failure {
    let problem = Problem::read(&response.body);
    let message = problem.describe(response.status, key);
    let retry_after = response.retry_after;
    match (response.status, problem.meaning()) {
        (StatusCode::PAYMENT_REQUIRED, _) => Failure::NoCredit(message),
        _ if problem.is_about_funds() => Failure::NoCredit(message),
        (
            StatusCode::BAD_REQUEST | StatusCode::FORBIDDEN | StatusCode::UNPROCESSABLE_ENTITY,
            Some(Meaning::ContentRejected),
        ) => Failure::ContentRejected(message),
        (StatusCode::TOO_MANY_REQUESTS, _) => {
            Failure::Throttled { retry_after: retry_after.unwrap_or(DEFAULT_RETRY_AFTER) }
        }
        (StatusCode::FORBIDDEN, _) => Failure::Misconfigured {
            problem: format!("The image service forbids the request ({message})"),
            remedy: Remedy::then_redrive("let the account use OPENAI_IMAGES_MODEL, or set another model or key"),
        },
        (StatusCode::UNAUTHORIZED, _) => Failure::Unauthorized(message),
        (StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED, _) => Failure::Unknown(message),
        (StatusCode::REQUEST_TIMEOUT | StatusCode::CONFLICT, _)
        | (StatusCode::INTERNAL_SERVER_ERROR | StatusCode::SERVICE_UNAVAILABLE, _) => {
            Failure::Overloaded { message, retry_after }
        }
        (status, _) if status.is_server_error() => Failure::Unavailable { message, retry_after },
        (_, Some(Meaning::Interrupted)) => Failure::Overloaded { message, retry_after },
        _ => Failure::Rejected(message),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn answered(status: u16, body: &Value) -> Response {
        let body = body.as_str().map_or_else(|| body.to_string(), str::to_owned);
        Response { status: StatusCode::from_u16(status).unwrap(), retry_after: None, body: body.into_bytes() }
    }

    #[test]
    fn failures_have_their_meaning() {
        let error = |message: &str, code: &str| json!({ "error": { "message": message, "code": code, "type": "t" } });
        let html = json!("<html><body>502 Bad Gateway</body></html>");
        let blocked = error("Your request was rejected by the safety system.", "moderation_blocked");
        for (status, body, expected) in [
            (400, &blocked, "rejects the prompt"),
            (403, &blocked, "rejects the prompt"),
            (400, &error("Unknown parameter: 'quality'.", "unknown_parameter"), "rejects the request"),
            (400, &error("You have reached the queue limit", ""), "can't take the request now"),
            (429, &error("slow down", "rate_limit_exceeded"), "asks to wait 20 s"),
            (429, &error("You exceeded your quota", "insufficient_quota"), "no credit left"),
            (400, &error("Billing limit", "billing_hard_limit_reached"), "no credit left"),
            (401, &error("Incorrect API key provided: key", "invalid_api_key"), "does not accept the key"),
            (404, &error("The model `x` does not exist", "model_not_found"), "knows no such model"),
            (405, &html, "knows no such model or address"),
            (500, &error("The server had an error", ""), "can't take the request now"),
            (502, &html, "has a problem"),
            (504, &html, "has a problem"),
            (524, &html, "has a problem"),
            (524, &json!("<html>Please try again later</html>"), "has a problem"),
            (403, &error("Your organization must be verified to use the model", ""), "let the account use"),
            (403, &error("Your account was flagged for abuse", ""), "let the account use"),
        ] {
            let failure = failure(&answered(status, body), "key").to_string();
            assert!(failure.contains(expected) && !failure.contains(": key"), "{status} {body}: {failure}");
        }
    }

    #[tokio::test]
    async fn answer_without_a_usable_image_is_unusable() {
        for (body, words) in [
            (json!("<html>hello</html>"), "not JSON with `data`, but `<html>hello</html>`"),
            (json!({ "data": [] }), "no image"),
            (json!({ "data": [{ "url": "https://example.com/a.png" }] }), "no image in `b64_json`"),
            (json!({ "data": [{ "b64_json": "not base64!" }] }), "not base64"),
            (json!({ "data": [{ "b64_json": STANDARD.encode("no image") }] }), "not PNG, JPEG or WebP"),
        ] {
            match read(answered(200, &body), "key").await.unwrap() {
                Created::Unusable(reason) => assert!(reason.contains(words), "{reason}"),
                other => panic!("{body}: {other:?}"),
            }
        }
    }
}
