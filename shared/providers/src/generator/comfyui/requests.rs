//! Requests to ComfyUI, and the meaning of responses without success.

use std::time::Duration;

use reqwest::{RequestBuilder, StatusCode, Url};
use serde::de::DeserializeOwned;

use super::ComfyUi;
use super::answer::{is_web_page, shortened};
use crate::checks::Remedy;
use crate::generator::failure::Failure;
use crate::http::{HttpError, Response};

/// The delay after a 429 that names none. ComfyUI itself sends none, but a proxy may.
const DEFAULT_RETRY_AFTER: Duration = Duration::from_secs(10);

impl ComfyUi {
    /// Sends a request; nothing that it did not receive can have cost anything.
    pub(super) async fn send(&self, request: RequestBuilder) -> Result<Response, Failure> {
        self.http.send(request).await.map_err(|error| match error {
            HttpError::Unreachable { cause, .. } => Failure::NotRunning { address: self.address(), cause },
            error => error.into(),
        })
    }

    /// The response if it is a success, and otherwise its meaning.
    pub(super) fn accepted(&self, response: Response) -> Result<Response, Failure> {
        let Response { status, retry_after, body } = response;
        let answer = format!("{} answers {status}", self.address());
        let wrong_url = |remedy: &str| {
            Err(Failure::Misconfigured { problem: answer.clone(), remedy: Remedy::then_redrive(remedy) })
        };
        match status {
            status if status.is_success() => Ok(Response { status, retry_after, body }),
            StatusCode::UNAUTHORIZED | StatusCode::PROXY_AUTHENTICATION_REQUIRED => {
                wrong_url("write the user and the password into COMFYUI_URL, as in http://user:password@host:8188")
            }
            StatusCode::FORBIDDEN => wrong_url(
                "ComfyUI, or a proxy before it, refuses the request: set COMFYUI_URL to the address on which ComfyUI listens",
            ),
            StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => {
                wrong_url("this is not ComfyUI, or a version that is too old: correct COMFYUI_URL")
            }
            status if status.is_redirection() => {
                wrong_url("it redirects to another address, such as a login page: correct COMFYUI_URL")
            }
            StatusCode::TOO_MANY_REQUESTS => {
                Err(Failure::Throttled { retry_after: retry_after.unwrap_or(DEFAULT_RETRY_AFTER) })
            }
            status if status.is_server_error() => {
                Err(Failure::Unavailable { message: self.with_text(&answer, &body), retry_after })
            }
            _ => Err(Failure::Rejected(self.with_text(&answer, &body))),
        }
    }

    fn with_text(&self, answer: &str, body: &[u8]) -> String {
        let text = if is_web_page(body) { String::new() } else { shortened(&String::from_utf8_lossy(body)) };
        if text.is_empty() { answer.to_owned() } else { format!("{answer}: {text}") }
    }

    pub(super) fn read<T: DeserializeOwned>(&self, response: Response) -> Result<T, Failure> {
        serde_json::from_slice(&response.body).map_err(|error| {
            Failure::Unreadable(if is_web_page(&response.body) { self.web_page() } else { error.to_string() })
        })
    }

    pub(super) fn web_page(&self) -> String {
        format!("a web page is at {}", self.address())
    }

    /// The base URL without a password.
    pub(super) fn address(&self) -> String {
        let mut shown = self.base.clone();
        // An address that can have no password stays as it is.
        let _ = shown.set_password(None);
        let _ = shown.set_username("");
        format!("COMFYUI_URL {}", shown.as_str().trim_end_matches('/'))
    }

    pub(super) fn url(&self, path: &str) -> Result<Url, Failure> {
        let text = format!("{}/{path}", self.base.as_str().trim_end_matches('/'));
        Url::parse(&text).map_err(|error| Failure::Rejected(format!("{text} is no address: {error}")))
    }
}
