//! Replicate: an image is a *prediction* that is created, looked after by its id, and fetched within its hour.
//!
//! Facts by <https://replicate.com/docs/reference/http>: a creation without `Prefer: wait` answers at once; the status
//! runs from `starting` over `processing` to `succeeded`, `failed` or `canceled`; the list of predictions holds each
//! one's input, the newest first; outputs are removed after an hour.

mod answer;
mod error;

use std::time::Duration;

use aws_config::SdkConfig;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use reqwest::{RequestBuilder, StatusCode, Url};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::json;

use super::Request;
use crate::adapters::http::Http;
use crate::adapters::secrets;
use crate::config::ReplicateConfig;
use crate::domain::money::MicroUsd;
use crate::imaging::{MAX_BYTES, decode, encode_jpeg, is_jpeg};
pub use answer::Prediction;
use answer::{Input, ListAnswer, PredictionAnswer, accepted, read};
pub use error::ReplicateError;

/// For one request. None of them waits for an image.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Between two looks at a prediction.
const POLL: Duration = Duration::from_millis(500);

/// How long an image is waited for before the message is put back. Most take six seconds.
const PATIENCE: Duration = Duration::from_secs(60);

/// The strictest level that leaves room for ordinary scenes; with an input image no higher one is allowed.
const SAFETY_TOLERANCE: u8 = 2;

/// Pages of the list of predictions that are searched for a lost one, of 100 predictions each: at the 600 creations a
/// minute that Replicate allows, five minutes' worth.
const MOST_PAGES: usize = 30;

/// A creation may be older by this much than our clock says.
const CLOCK_DIFFERENCE: jiff::SignedDuration = jiff::SignedDuration::from_secs(60);

/// Where outputs lie.
const OUTPUT_HOST: &str = "replicate.delivery";

/// A client of Replicate.
#[derive(Debug)]
pub struct Replicate {
    http: Http,
    base: Url,
    token: SecretString,
    model: String,
    price: MicroUsd,
}

impl Replicate {
    /// A client as configured.
    ///
    /// # Errors
    /// If the token can't be had, or the address is none.
    pub async fn new(config: ReplicateConfig, sdk: &SdkConfig) -> Result<Self, ReplicateError> {
        let base = Url::parse(&config.base_url)
            .map_err(|error| ReplicateError::Refused(format!("REPLICATE_BASE_URL is no address: {error}")))?;
        Ok(Self {
            http: Http::new(TIMEOUT, MAX_BYTES)?,
            base,
            token: secrets::reveal(config.token, sdk).await?,
            model: config.model,
            price: config.usd_per_image,
        })
    }

    /// What an image costs.
    #[must_use]
    pub fn price(&self) -> MicroUsd {
        self.price
    }

    /// Who draws.
    #[must_use]
    pub fn model(&self) -> &str {
        &self.model
    }

    /// Has an image begun, and returns the prediction's id at once.
    ///
    /// # Errors
    /// If Replicate can't be reached, or doesn't accept the request.
    pub async fn create(&self, request: &Request) -> Result<String, ReplicateError> {
        let base_image = format!("data:image/jpeg;base64,{}", STANDARD.encode(encode_jpeg(&request.base)?));
        let body = json!({ "input": {
            "prompt": request.prompt,
            "input_image": base_image,
            "aspect_ratio": "16:9",
            "output_format": "jpg",
            "safety_tolerance": SAFETY_TOLERANCE,
            "seed": request.seed,
            "prompt_upsampling": false,
        }});
        let path = format!("v1/models/{}/predictions", self.model);
        let answer: PredictionAnswer = self.ask(self.http.client().post(self.url(&path)?).json(&body)).await?;
        Ok(answer.id)
    }

    /// Looks for a prediction whose creation was not answered: one with this seed, which is the slot's and the attempt's
    /// own, created after `since`. The prompt may read differently by now, if the actor is described in other words.
    ///
    /// # Errors
    /// If Replicate can't be reached, or doesn't answer as it should.
    pub async fn find(&self, request: &Request, since: Timestamp) -> Result<Option<String>, ReplicateError> {
        let wanted = Input { seed: json!(request.seed) };
        let mut page = Some(self.url("v1/predictions")?);
        for _ in 0..MOST_PAGES {
            let Some(url) = page.take() else { break };
            let answer: ListAnswer = self.ask(self.http.client().get(url)).await?;
            if let Some(found) = answer.results.iter().find(|prediction| prediction.input == wanted) {
                return Ok(Some(found.id.clone()));
            }
            let is_older = |prediction: &PredictionAnswer| {
                prediction.created_at.is_some_and(|created| created < since - CLOCK_DIFFERENCE)
            };
            if answer.results.iter().any(is_older) {
                break;
            }
            page = answer.next.as_deref().and_then(|next| self.base.join(next).ok()).filter(|next| self.is_own(next));
        }
        Ok(None)
    }

    /// Waits for a prediction, not for ever: [`Prediction::Running`] means that the time was up.
    ///
    /// # Errors
    /// If Replicate can't be reached, or doesn't answer as it should.
    pub async fn wait_for(&self, id: &str) -> Result<Prediction, ReplicateError> {
        for _ in 0..PATIENCE.as_millis() / POLL.as_millis() {
            match self.look_at(id).await? {
                Prediction::Running => tokio::time::sleep(POLL).await,
                over => return Ok(over),
            }
        }
        Ok(Prediction::Running)
    }

    async fn look_at(&self, id: &str) -> Result<Prediction, ReplicateError> {
        let url = self.url(&format!("v1/predictions/{id}"))?;
        let reply = self.http.send(self.authorized(self.http.client().get(url))).await?;
        if reply.status == StatusCode::NOT_FOUND {
            return Ok(Prediction::Gone);
        }
        Ok(read::<PredictionAnswer>(accepted(reply)?)?.into())
    }

    /// Fetches an output: the bytes of a JPEG that has been read back whole. `None` if it has been removed.
    ///
    /// # Errors
    /// If it can't be fetched, or is no use.
    pub async fn fetch(&self, output: &str) -> Result<Option<Vec<u8>>, ReplicateError> {
        let url = Url::parse(output).ok().filter(|url| self.is_output(url));
        let url = url.ok_or_else(|| ReplicateError::Elsewhere(output.chars().take(200).collect()))?;
        // Without the token: outputs need none, and it is nobody else's business.
        let reply = self.http.send(self.http.client().get(url)).await?;
        if matches!(reply.status, StatusCode::NOT_FOUND | StatusCode::GONE | StatusCode::FORBIDDEN) {
            return Ok(None);
        }
        let bytes = accepted(reply)?.body;
        let convert = move || {
            let image = decode(&bytes)?;
            Ok(if is_jpeg(&bytes) { bytes } else { encode_jpeg(&image)? })
        };
        let converted: Result<Vec<u8>, ReplicateError> = tokio::task::spawn_blocking(convert)
            .await
            .map_err(|error| ReplicateError::Unavailable(format!("reading the output was cut off: {error}")))?;
        converted.map(Some)
    }

    async fn ask<T: for<'a> Deserialize<'a>>(&self, request: RequestBuilder) -> Result<T, ReplicateError> {
        read(accepted(self.http.send(self.authorized(request)).await?)?)
    }

    fn authorized(&self, request: RequestBuilder) -> RequestBuilder {
        request.bearer_auth(self.token.expose_secret())
    }

    fn url(&self, path: &str) -> Result<Url, ReplicateError> {
        let text = format!("{}/{path}", self.base.as_str().trim_end_matches('/'));
        Url::parse(&text).map_err(|error| ReplicateError::Refused(format!("{text} is no address: {error}")))
    }

    /// The token goes to the configured server only.
    fn is_own(&self, url: &Url) -> bool {
        url.origin() == self.base.origin()
    }

    fn is_output(&self, url: &Url) -> bool {
        let is_delivery = |host: &str| {
            host.strip_suffix(OUTPUT_HOST).is_some_and(|before| before.is_empty() || before.ends_with('.'))
        };
        self.is_own(url) || url.scheme() == "https" && url.host_str().is_some_and(is_delivery)
    }
}
