//! Replicate: an image is a *prediction* that is created, looked after by its id, and fetched within its hour.
//!
//! Facts by <https://replicate.com/docs/reference/http>: a creation without `Prefer: wait` answers at once; the status
//! runs from `starting` over `processing` to `succeeded`, `failed`, `canceled` (charged) or `aborted` (not charged); the
//! list of predictions holds each one's input, the newest first, and can be asked for those after a moment
//! (`created_after`); inputs and outputs are removed after an hour; data URLs are for images below 1 MB.

mod answer;
mod base_image;
mod error;
mod model;
mod wording;

use std::time::Duration;

use aws::SdkConfig;
use aws::secrets;
use domain::money::MicroUsd;
use imaging::{MAX_BYTES, decode, encode_jpeg, is_jpeg};
use jiff::Timestamp;
use reqwest::{RequestBuilder, StatusCode, Url};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::task::JoinError;
use tokio::time::Instant;

use super::Request;
use crate::generator::ReplicateConfig;
use crate::http::{Http, Reply};
pub use answer::Prediction;
use answer::{ListAnswer, PredictionAnswer, accepted, read};
use base_image::data_url;
pub use error::ReplicateError;
pub use model::{ReplicateModel, UnknownModel};

/// For what is long: a page of the list, or an output.
const TIMEOUT: Duration = Duration::from_secs(30);

/// For a creation, which is answered at once. One whose answer gets lost is found by its seed.
pub const CREATION_TIMEOUT: Duration = Duration::from_secs(10);

/// For a look, which is answered at once too.
const POLL_TIMEOUT: Duration = Duration::from_secs(10);

/// Between two looks at a prediction, at first and later. Most take six seconds.
const POLL: Duration = Duration::from_millis(250);
const LATER_POLL: Duration = Duration::from_millis(500);

/// The most bytes of an answer or an output.
const MOST_BYTES: usize = MAX_BYTES as usize;

/// How long looks follow each other quickly.
const AT_FIRST: Duration = Duration::from_secs(15);

/// A page of the list: a hundred predictions, each with its image of at most a megabyte.
const MOST_LIST_BYTES: usize = 160 * 1024 * 1024;

/// The strictest level that leaves room for ordinary scenes; with an input image no higher one is allowed.
const SAFETY_TOLERANCE: u8 = 2;

/// A creation may be older by this much than our clock says.
const MAX_REPLICATE_CLOCK_SKEW: jiff::SignedDuration = jiff::SignedDuration::from_secs(60);

/// Where outputs lie.
const OUTPUT_HOST: &str = "replicate.delivery";

/// A client of Replicate.
#[derive(Debug)]
pub struct Replicate {
    http: Http,
    base: Url,
    token: SecretString,
    model: ReplicateModel,
    price: MicroUsd,
}

/// The body of a request for an image.
#[derive(Debug)]
pub struct Creation(Value);

impl Replicate {
    /// A client as configured.
    ///
    /// # Errors
    /// If the token can't be read, or the address is none.
    pub async fn new(config: ReplicateConfig, sdk: &SdkConfig) -> Result<Self, ReplicateError> {
        let base = Url::parse(&config.base_url)
            .map_err(|error| ReplicateError::Refused(format!("REPLICATE_BASE_URL is no address: {error}")))?;
        Ok(Self {
            http: Http::new(TIMEOUT, MOST_BYTES)?,
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

    /// What is sent to have an image begun.
    ///
    /// # Errors
    /// If the base image can't be written.
    pub async fn prepare(&self, request: &Request) -> Result<Creation, ReplicateError> {
        let mut input = json!({
            "prompt": request.prompt,
            "input_image": data_url(&request.base).await?,
            "aspect_ratio": "16:9",
            "output_format": "jpg",
            "seed": request.seed,
        });
        if self.model.has_safety_levels() {
            input["safety_tolerance"] = SAFETY_TOLERANCE.into();
            input["prompt_upsampling"] = false.into();
        }
        Ok(Creation(json!({ "input": input })))
    }

    /// Has an image begun, and returns the prediction's id at once.
    ///
    /// # Errors
    /// If Replicate can't be reached, or doesn't accept the request.
    pub async fn create(&self, creation: &Creation) -> Result<String, ReplicateError> {
        let path = format!("v1/models/{}/predictions", self.model);
        let request = self.http.client().post(self.url(&path)?).timeout(CREATION_TIMEOUT).json(&creation.0);
        let answer: PredictionAnswer = self.ask(request, MOST_BYTES).await?;
        Ok(answer.id)
    }

    /// Looks until `until` for a prediction whose creation was not answered: one with this seed, which is the slot's and
    /// the attempt's own, created after `since`. The prompt may read differently by now, if the actor is described in
    /// other words.
    ///
    /// # Errors
    /// If Replicate can't be reached, doesn't answer as it should, or takes too long.
    pub async fn find(&self, seed: u32, since: Timestamp, until: Instant) -> Result<Option<String>, ReplicateError> {
        let since = since - MAX_REPLICATE_CLOCK_SKEW;
        let mut page = self.url("v1/predictions")?;
        page.query_pairs_mut().append_pair("created_after", &since.to_string());
        loop {
            let list = self.list(page.clone(), until).await?;
            if let Some(found) = list.predictions().find(|prediction| prediction.has_seed(seed)) {
                return Ok(Some(found.id.clone()));
            }
            if list.predictions().any(|prediction| prediction.is_older_than(since)) {
                return Ok(None);
            }
            let Some(next) = list.next else { return Ok(None) };
            // Which page it is stands in the query. The rest may name Replicate where a proxy is asked, and the token goes
            // to the configured server only.
            let query = self.base.join(&next).ok().and_then(|next| next.query().map(str::to_owned));
            let query = query.ok_or_else(|| ReplicateError::Unreadable(format!("`{next}` is no page of its list")))?;
            page.set_query(Some(&query));
        }
    }

    async fn list(&self, url: Url, until: Instant) -> Result<ListAnswer, ReplicateError> {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            let said = "its list of predictions can't be read in time".to_owned();
            return Err(ReplicateError::Unavailable { said, asked: None });
        }
        self.ask(self.http.client().get(url).timeout(left.min(TIMEOUT)), MOST_LIST_BYTES).await
    }

    /// Waits until `until` for a prediction, which is looked at once at least: [`Prediction::Running`] means that the
    /// time was up.
    ///
    /// # Errors
    /// If Replicate can't be reached, or doesn't answer as it should.
    pub async fn wait_for(&self, id: &str, until: Instant) -> Result<Prediction, ReplicateError> {
        let began = Instant::now();
        loop {
            match self.look_at(id).await? {
                Prediction::Running => {}
                over => return Ok(over),
            }
            let pause = if began.elapsed() < AT_FIRST { POLL } else { LATER_POLL };
            if Instant::now() + pause >= until {
                return Ok(Prediction::Running);
            }
            tokio::time::sleep(pause).await;
        }
    }

    async fn look_at(&self, id: &str) -> Result<Prediction, ReplicateError> {
        let url = self.url(&format!("v1/predictions/{id}"))?;
        let reply = self.http.send(self.authorized(self.http.client().get(url).timeout(POLL_TIMEOUT))).await?;
        if reply.status == StatusCode::NOT_FOUND {
            return Ok(Prediction::Missing("Replicate does not know the prediction"));
        }
        Ok(read::<PredictionAnswer>(self.accepted(reply)?)?.into())
    }

    /// Fetches an output: the bytes of a JPEG that decodes completely. `None` if nothing exists at its address.
    ///
    /// # Errors
    /// If it can't be fetched, or is unusable.
    pub async fn fetch(&self, output: &str) -> Result<Option<Vec<u8>>, ReplicateError> {
        let url = Url::parse(output).ok().filter(|url| self.is_output(url));
        let url = url.ok_or_else(|| ReplicateError::Elsewhere(output.chars().take(200).collect()))?;
        // Without the token: outputs need none, and it is nobody else's business.
        let reply = self.http.send(self.http.client().get(url)).await?;
        if matches!(reply.status, StatusCode::NOT_FOUND | StatusCode::GONE | StatusCode::FORBIDDEN) {
            return Ok(None);
        }
        let may_be_asked_later = reply.status == StatusCode::TOO_MANY_REQUESTS || reply.status.is_server_error();
        if !reply.status.is_success() && !may_be_asked_later {
            return Err(ReplicateError::NotDelivered(reply.status));
        }
        let bytes = self.accepted(reply)?.body;
        let convert = move || {
            let image = decode(&bytes)?;
            Ok(if is_jpeg(&bytes) { bytes } else { encode_jpeg(&image)? })
        };
        let converted: Result<Vec<u8>, ReplicateError> =
            tokio::task::spawn_blocking(convert).await.map_err(|error| cut_off("reading the output", &error))?;
        converted.map(Some)
    }

    async fn ask<T>(&self, request: RequestBuilder, most_bytes: usize) -> Result<T, ReplicateError>
    where
        T: for<'a> Deserialize<'a>,
    {
        read(self.accepted(self.http.send_for(self.authorized(request), most_bytes).await?)?)
    }

    fn accepted(&self, reply: Reply) -> Result<Reply, ReplicateError> {
        accepted(reply, self.token.expose_secret())
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

fn cut_off(what: &str, error: &JoinError) -> ReplicateError {
    ReplicateError::Unavailable { said: format!("{what} was cut off: {error}"), asked: None }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use aws::secrets::Secret;
    use domain::kind::Kind;
    use image::RgbImage;

    use super::*;

    #[tokio::test]
    async fn a_model_is_sent_the_inputs_that_it_has() {
        let request = Request {
            base: Arc::new(RgbImage::new(64, 64)),
            kind: Kind::Photorealistic,
            prompt: "a man".to_owned(),
            seed: 7,
        };
        let common = ["aspect_ratio", "input_image", "output_format", "prompt", "seed"];
        for model in ReplicateModel::ALL {
            let config = ReplicateConfig {
                base_url: "https://api.replicate.com".to_owned(),
                token: Secret::Given("t".into()),
                model,
                usd_per_image: MicroUsd(40_000),
            };
            let replicate = Replicate::new(config, &SdkConfig::builder().build()).await.unwrap();
            let creation = replicate.prepare(&request).await.unwrap().0;
            let mut fields: Vec<&str> = creation["input"].as_object().unwrap().keys().map(String::as_str).collect();
            fields.sort_unstable();
            let wanted = match model {
                ReplicateModel::KontextDev => common.to_vec(),
                _ => [
                    "aspect_ratio",
                    "input_image",
                    "output_format",
                    "prompt",
                    "prompt_upsampling",
                    "safety_tolerance",
                    "seed",
                ]
                .to_vec(),
            };
            assert_eq!(fields, wanted, "{model}");
        }
    }
}
