//! HTTP as the paid services are spoken to: bounded in time and in size.

use std::time::Duration;

use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, StatusCode};

/// To reach the other side at all.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// A client of a paid service. It follows no redirection: a key must not be carried elsewhere.
#[derive(Debug, Clone)]
pub(super) struct Http {
    client: Client,
    most_bytes: usize,
}

/// An answer, whatever its status.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: StatusCode,
    /// How long the other side asks to be left alone.
    pub(super) retry_after: Option<Duration>,
    pub(super) body: Vec<u8>,
}

/// There is no answer, or not all of it.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// No connection, so nothing was sent. Trying again may help.
    #[error("{host} can't be reached: {cause}")]
    Unreachable {
        /// Who was to be asked.
        host: String,
        /// What happened, down to the last cause.
        cause: String,
    },
    /// The connection broke: what was asked may have been done. Trying again may help.
    #[error("the connection to {host} broke: {cause}")]
    Broken {
        /// Who was asked.
        host: String,
        /// What happened, down to the last cause.
        cause: String,
    },
    /// The time was up. Trying again may help.
    #[error("{host} did not answer in time")]
    TimedOut {
        /// Who was asked.
        host: String,
    },
    /// Reading was stopped. Trying again won't help.
    #[error("{host} answers with more than {} MB", .most_bytes / 1_048_576)]
    TooLarge {
        /// Who was asked.
        host: String,
        /// What is accepted.
        most_bytes: usize,
    },
}

impl HttpError {
    /// Whether the same request may succeed another time.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        !matches!(self, Self::TooLarge { .. })
    }

    /// Whether it is certain that the request has not arrived.
    #[must_use]
    pub fn sent_nothing(&self) -> bool {
        matches!(self, Self::Unreachable { .. })
    }
}

impl Http {
    /// A client that gives up after `timeout`, and on answers of more than `most_bytes`.
    pub(super) fn new(timeout: Duration, most_bytes: usize) -> Result<Self, HttpError> {
        let client =
            Client::builder().connect_timeout(CONNECT_TIMEOUT).timeout(timeout).redirect(Policy::none()).build();
        let client = client.map_err(|error| failed("the network", &error))?;
        Ok(Self { client, most_bytes })
    }

    /// What requests are made of.
    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// Sends a request and reads the whole answer.
    pub(super) async fn send(&self, request: RequestBuilder) -> Result<Reply, HttpError> {
        self.send_for(request, self.most_bytes).await
    }

    /// The same where the answer may be longer, or must be shorter, than usual.
    pub(super) async fn send_for(&self, request: RequestBuilder, most_bytes: usize) -> Result<Reply, HttpError> {
        let request = request.build().map_err(|error| failed("the service", &error))?;
        let host = request.url().host_str().unwrap_or_default().to_owned();
        let mut response = self.client.execute(request).await.map_err(|error| failed(&host, &error))?;
        let (status, retry_after) = (response.status(), retry_after(response.headers()));
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| failed(&host, &error))? {
            if body.len() + chunk.len() > most_bytes {
                return Err(HttpError::TooLarge { host, most_bytes });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Reply { status, retry_after, body })
    }
}

/// In seconds, or in OpenAI's own header in milliseconds; the form with a date is not in use with these services.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse::<f64>().ok();
    let seconds = number("retry-after-ms").map(|milliseconds| milliseconds / 1000.0);
    Duration::try_from_secs_f64(seconds.or_else(|| number(RETRY_AFTER.as_str()))?).ok()
}

fn failed(host: &str, error: &reqwest::Error) -> HttpError {
    let host = host.to_owned();
    match error {
        // In this order: a connection that takes too long to come about has carried nothing either.
        error if error.is_connect() || error.is_builder() => HttpError::Unreachable { host, cause: causes(error) },
        error if error.is_timeout() => HttpError::TimedOut { host },
        error => HttpError::Broken { host, cause: causes(error) },
    }
}

/// The causes without the URL, which may carry a signature.
fn causes(error: &reqwest::Error) -> String {
    let mut deepest: &dyn std::error::Error = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    deepest.to_string()
}
