//! Replicate: the client creates a *prediction*, polls it by its id, and fetches its output within an hour.
//!
//! Source: <https://replicate.com/docs/reference/http>. A creation without `Prefer: wait` returns at once. The status
//! changes from `starting` and `processing` to `succeeded`, `failed`, `canceled` (charged) or `aborted` (not charged).
//! An official model is requested by its name; other models and pinned versions by the id of a version.
//! The list of predictions contains their inputs, the newest first, and `created_after` limits it. Replicate removes
//! inputs and outputs after an hour. Data URLs must be smaller than 1 MB.

mod answer;
mod base_image;
mod error;
mod inputs;
mod mark;
mod model;
mod resolve;
mod schema;
mod wording;

use std::time::Duration;

use aws::SdkConfig;
use aws::secrets;
use domain::money::MicroUsd;
use imaging::{MAX_BYTES, decode, encode_jpeg, is_jpeg};
use jiff::{SignedDuration, Timestamp};
use reqwest::{RequestBuilder, StatusCode, Url};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::OnceCell;
use tokio::task::JoinError;
use tokio::time::Instant;

use super::Request;
use crate::generator::ReplicateConfig;
use crate::http::{BoundedClient, Response};
pub use answer::Prediction;
use answer::{ListAnswer, PredictionAnswer, accepted, read};
use base_image::data_url;
pub use error::ReplicateError;
pub use model::{InvalidModelName, ReplicateModel};
use resolve::Resolved;

/// The time limit of a large response: a page of the list, or an output.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The time limit of a creation, which Replicate answers at once. If the response is lost, [`Replicate::find`] finds
/// the prediction.
pub const CREATION_TIMEOUT: Duration = Duration::from_secs(10);

/// The time limit of a poll, which Replicate answers at once.
const POLL_TIMEOUT: Duration = Duration::from_secs(10);

/// The interval between polls during [`FAST_POLLING`]. Most predictions take six seconds.
const FAST_POLL_INTERVAL: Duration = Duration::from_millis(250);

/// The interval between later polls.
const SLOW_POLL_INTERVAL: Duration = Duration::from_millis(500);

/// How long polls follow each other quickly.
const FAST_POLLING: Duration = Duration::from_secs(15);

/// The size limit of a response or an output.
const MAX_RESPONSE_BYTES: usize = MAX_BYTES as usize;

/// The size limit of a page of the list: 100 predictions, each with an input image of at most a megabyte.
const MAX_LIST_BYTES: usize = 160 * 1024 * 1024;

/// How far Replicate's clock may be behind this one.
const MAX_REPLICATE_CLOCK_SKEW: SignedDuration = SignedDuration::from_secs(60);

/// The domain of outputs.
const OUTPUT_HOST: &str = "replicate.delivery";

/// A client of Replicate.
#[derive(Debug)]
pub struct Replicate {
    http: BoundedClient,
    base: Url,
    token: SecretString,
    model: ReplicateModel,
    /// How to request an image from the model, once it is known.
    resolved: OnceCell<Resolved>,
    price: MicroUsd,
}

/// A request for an image.
#[derive(Debug)]
pub struct Creation {
    path: String,
    body: Value,
}

impl Replicate {
    /// # Errors
    /// If the token can't be read, or the base URL is invalid.
    pub async fn new(config: ReplicateConfig, sdk: &SdkConfig) -> Result<Self, ReplicateError> {
        let base = Url::parse(&config.base_url)
            .map_err(|error| ReplicateError::Rejected(format!("REPLICATE_BASE_URL is no address: {error}")))?;
        Ok(Self {
            http: BoundedClient::new(TIMEOUT, MAX_RESPONSE_BYTES)?,
            base,
            token: secrets::reveal(config.token, sdk).await?,
            model: config.model,
            resolved: OnceCell::new(),
            price: config.usd_per_image,
        })
    }

    /// The price of an image.
    #[must_use]
    pub fn price(&self) -> MicroUsd {
        self.price
    }

    /// Encodes the request for an image.
    ///
    /// # Errors
    /// If the model can't be used, Replicate can't be asked about it, or the base image can't be encoded.
    pub async fn prepare(&self, request: &Request) -> Result<Creation, ReplicateError> {
        let Resolved { inputs, version } = self.resolved().await?;
        let input = inputs.fill(&request.prompt, request.seed, data_url(&request.base).await?);
        Ok(match version {
            Some(version) => {
                Creation { path: "v1/predictions".to_owned(), body: json!({ "version": version, "input": input }) }
            }
            None => Creation { path: format!("v1/models/{}/predictions", self.model), body: json!({ "input": input }) },
        })
    }

    /// Creates a prediction, and returns its id without waiting for the image.
    ///
    /// # Errors
    /// If Replicate can't be reached, or rejects the request. [`ReplicateError::billed`] tells whether it may have
    /// created a prediction all the same.
    pub async fn create(&self, creation: &Creation) -> Result<String, ReplicateError> {
        let url = self.url(&creation.path)?;
        let request = self.http.client().post(url).timeout(CREATION_TIMEOUT).json(&creation.body);
        let answer: PredictionAnswer = self.request(request, MAX_RESPONSE_BYTES).await?;
        Ok(answer.id)
    }

    /// Searches the list, until `until`, for a prediction whose creation was not answered: one that was created after
    /// `since` with this seed or its mark, which belongs to one slot and attempt only. The rest of the prompt is not
    /// compared: it may have changed with the description of the actor.
    ///
    /// # Errors
    /// If Replicate can't be reached, its answer is unreadable, or the time is up.
    pub async fn find(&self, seed: u32, since: Timestamp, until: Instant) -> Result<Option<String>, ReplicateError> {
        let since = since - MAX_REPLICATE_CLOCK_SKEW;
        let mut page = self.url("v1/predictions")?;
        page.query_pairs_mut().append_pair("created_after", &since.to_string());
        loop {
            let list = self.list(page.clone(), until).await?;
            if let Some(found) = list.predictions().find(|prediction| prediction.is_for(seed)) {
                return Ok(Some(found.id.clone()));
            }
            if list.predictions().any(|prediction| prediction.is_older_than(since)) {
                return Ok(None);
            }
            let Some(next) = list.next else { return Ok(None) };
            // Only the query of the next page's address is used: its host may be Replicate itself where a proxy is
            // configured, and the token must go to the configured server only.
            let query = self.base.join(&next).ok().and_then(|next| next.query().map(str::to_owned));
            let query = query.ok_or_else(|| ReplicateError::Unreadable(format!("`{next}` is no page of its list")))?;
            page.set_query(Some(&query));
        }
    }

    async fn list(&self, url: Url, until: Instant) -> Result<ListAnswer, ReplicateError> {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            let message = "its list of predictions can't be read in time".to_owned();
            return Err(ReplicateError::Unavailable { message, retry_after: None });
        }
        self.request(self.http.client().get(url).timeout(left.min(TIMEOUT)), MAX_LIST_BYTES).await
    }

    /// Polls a prediction until it has ended, or until `until`, but at least once. [`Prediction::Running`] means that
    /// the time is up.
    ///
    /// # Errors
    /// If Replicate can't be reached, or its answer is unreadable.
    pub async fn wait_for(&self, id: &str, until: Instant) -> Result<Prediction, ReplicateError> {
        let began = Instant::now();
        loop {
            match self.poll(id).await? {
                Prediction::Running => {}
                ended => return Ok(ended),
            }
            let pause = if began.elapsed() < FAST_POLLING { FAST_POLL_INTERVAL } else { SLOW_POLL_INTERVAL };
            if Instant::now() + pause >= until {
                return Ok(Prediction::Running);
            }
            tokio::time::sleep(pause).await;
        }
    }

    async fn poll(&self, id: &str) -> Result<Prediction, ReplicateError> {
        let url = self.url(&format!("v1/predictions/{id}"))?;
        let response = self.http.send(self.authorized(self.http.client().get(url).timeout(POLL_TIMEOUT))).await?;
        if response.status == StatusCode::NOT_FOUND {
            return Ok(Prediction::Missing("Replicate does not know the prediction"));
        }
        Ok(read::<PredictionAnswer>(self.accepted(response)?)?.into())
    }

    /// Fetches an output, and returns it as a JPEG that was decoded completely. `None` if nothing exists at its
    /// address.
    ///
    /// # Errors
    /// If the output can't be fetched, or is unusable.
    pub async fn fetch(&self, output: &str) -> Result<Option<Vec<u8>>, ReplicateError> {
        let url = Url::parse(output).ok().filter(|url| self.is_output(url));
        let url = url.ok_or_else(|| ReplicateError::ForeignAddress(output.chars().take(200).collect()))?;
        // Without the token, which outputs don't need.
        let response = self.http.send(self.http.client().get(url)).await?;
        if matches!(response.status, StatusCode::NOT_FOUND | StatusCode::GONE | StatusCode::FORBIDDEN) {
            return Ok(None);
        }
        let is_temporary = response.status == StatusCode::TOO_MANY_REQUESTS || response.status.is_server_error();
        if !response.status.is_success() && !is_temporary {
            return Err(ReplicateError::NotDelivered(response.status));
        }
        let bytes = self.accepted(response)?.body;
        let convert = move || {
            let image = decode(&bytes)?;
            Ok(if is_jpeg(&bytes) { bytes } else { encode_jpeg(&image)? })
        };
        let converted: Result<Vec<u8>, ReplicateError> =
            tokio::task::spawn_blocking(convert).await.map_err(|error| interrupted("decoding the output", &error))?;
        converted.map(Some)
    }

    async fn request<T>(&self, request: RequestBuilder, max_bytes: usize) -> Result<T, ReplicateError>
    where
        T: for<'a> Deserialize<'a>,
    {
        read(self.accepted(self.http.send_limited(self.authorized(request), max_bytes).await?)?)
    }

    fn accepted(&self, response: Response) -> Result<Response, ReplicateError> {
        accepted(response, self.token.expose_secret())
    }

    fn authorized(&self, request: RequestBuilder) -> RequestBuilder {
        request.bearer_auth(self.token.expose_secret())
    }

    fn url(&self, path: &str) -> Result<Url, ReplicateError> {
        let text = format!("{}/{path}", self.base.as_str().trim_end_matches('/'));
        Url::parse(&text).map_err(|error| ReplicateError::Rejected(format!("{text} is no address: {error}")))
    }

    /// Whether an output may lie there: at the configured server, or in Replicate's domain.
    fn is_output(&self, url: &Url) -> bool {
        let is_delivery = |host: &str| {
            host.strip_suffix(OUTPUT_HOST).is_some_and(|before| before.is_empty() || before.ends_with('.'))
        };
        url.origin() == self.base.origin() || url.scheme() == "https" && url.host_str().is_some_and(is_delivery)
    }
}

fn interrupted(what: &str, error: &JoinError) -> ReplicateError {
    ReplicateError::Unavailable { message: format!("{what} was interrupted: {error}"), retry_after: None }
}
