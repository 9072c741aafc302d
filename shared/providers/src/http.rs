//! An HTTP client with limits on the time and the size of a response.

use std::time::Duration;

use domain::disposition::{Billed, Disposition};
use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, StatusCode};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// A client of a paid service. It follows no redirect, because a redirect could carry the key to another server.
#[derive(Debug, Clone)]
pub(super) struct BoundedClient {
    client: Client,
    max_bytes: usize,
}

/// A complete response with any status.
#[derive(Debug)]
pub(super) struct Response {
    pub(super) status: StatusCode,
    /// The delay that the service asks for.
    pub(super) retry_after: Option<Duration>,
    pub(super) body: Vec<u8>,
}

/// No response, or only a part of it.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// No connection was established, so no request was sent.
    #[error("{host} can't be reached: {cause}")]
    Unreachable {
        host: String,
        /// The innermost cause.
        cause: String,
    },
    /// The connection broke after the request may have been sent.
    #[error("the connection to {host} broke: {cause}")]
    Broken {
        host: String,
        /// The innermost cause.
        cause: String,
    },
    /// The response took longer than the timeout.
    #[error("{host} did not answer in time")]
    TimedOut { host: String },
    /// The response is larger than the limit; the client stopped reading.
    #[error("{host} answers with more than {} MB", .max_bytes / 1_048_576)]
    TooLarge { host: String, max_bytes: usize },
}

impl HttpError {
    /// The required response to this failure.
    #[must_use]
    pub fn disposition(&self) -> Disposition {
        match self {
            Self::Unreachable { .. } | Self::Broken { .. } => Disposition::Outage { retry_after: None },
            Self::TimedOut { .. } => Disposition::Timeout,
            Self::TooLarge { .. } => Disposition::Permanent,
        }
    }

    /// Whether the request may appear on the bill.
    #[must_use]
    pub fn billed(&self) -> Billed {
        match self {
            Self::Unreachable { .. } => Billed::No,
            Self::Broken { .. } | Self::TimedOut { .. } | Self::TooLarge { .. } => Billed::Unknown,
        }
    }
}

impl BoundedClient {
    /// A client that ends a request after `timeout`, and reading after `max_bytes`.
    pub(super) fn new(timeout: Duration, max_bytes: usize) -> Result<Self, HttpError> {
        let client =
            Client::builder().connect_timeout(CONNECT_TIMEOUT).timeout(timeout).redirect(Policy::none()).build();
        let client = client.map_err(|error| http_error("the network", &error))?;
        Ok(Self { client, max_bytes })
    }

    /// Builds requests; [`Self::send`] sends them.
    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// Sends a request and reads the whole response.
    pub(super) async fn send(&self, request: RequestBuilder) -> Result<Response, HttpError> {
        self.send_limited(request, self.max_bytes).await
    }

    /// [`Self::send`] with another limit on the response.
    pub(super) async fn send_limited(&self, request: RequestBuilder, max_bytes: usize) -> Result<Response, HttpError> {
        let request = request.build().map_err(|error| http_error("the service", &error))?;
        let host = request.url().host_str().unwrap_or_default().to_owned();
        let mut response = self.client.execute(request).await.map_err(|error| http_error(&host, &error))?;
        let (status, retry_after) = (response.status(), retry_after(response.headers()));
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| http_error(&host, &error))? {
            if body.len() + chunk.len() > max_bytes {
                return Err(HttpError::TooLarge { host, max_bytes });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Response { status, retry_after, body })
    }
}

/// `Retry-After` in seconds, or OpenAI's own header in milliseconds. These services don't use the form with a date.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse::<f64>().ok();
    let seconds = number("retry-after-ms").map(|milliseconds| milliseconds / 1000.0);
    Duration::try_from_secs_f64(seconds.or_else(|| number(RETRY_AFTER.as_str()))?).ok()
}

fn http_error(host: &str, error: &reqwest::Error) -> HttpError {
    let host = host.to_owned();
    match error {
        // Connection errors first: a timeout while connecting has sent nothing either.
        error if error.is_connect() || error.is_builder() => {
            HttpError::Unreachable { host, cause: innermost_cause(error) }
        }
        error if error.is_timeout() => HttpError::TimedOut { host },
        error => HttpError::Broken { host, cause: innermost_cause(error) },
    }
}

/// The innermost cause, without the URL, which may contain a signature.
fn innermost_cause(error: &reqwest::Error) -> String {
    let mut innermost: &dyn std::error::Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}
