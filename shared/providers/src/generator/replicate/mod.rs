//! Replicate: the client creates a *prediction*, polls it by its id, and fetches its output within an hour.
//!
//! Source: <https://replicate.com/docs/reference/http>. A creation without `Prefer: wait` returns at once. The status
//! changes from `starting` and `processing` to `succeeded`, `failed`, `canceled` (charged) or `aborted` (not charged).
//! An official model is requested by its name; other models and pinned versions by the id of a version.
//! The list of predictions contains their inputs, the newest first, and `created_after` limits it. Replicate removes
//! inputs and outputs after an hour. Data URLs must be smaller than 1 MB.

mod answer;
mod examination;
mod inputs;
mod mark;
mod model;
mod resolve;
mod schema;

use std::time::Duration;

use aws::SdkConfig;
use aws::secrets;
use domain::format::{AspectRatio, Megapixels};
use domain::money::MicroUsd;
use futures::future::try_join_all;
use imaging::MAX_BYTES;
use jiff::{SignedDuration, Timestamp};
use reqwest::{RequestBuilder, StatusCode, Url};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::OnceCell;
use tokio::time::Instant;

use super::failure::{Failure, ServiceNames};
use super::output::{is_missing, to_jpeg};
use super::reference::{MAX_JPEG_BYTES, data_url};
use super::service::{Created, Found, Lost, Prediction, Service};
use super::{Price, ReplicateConfig, Request};
use crate::http::{BoundedClient, Response};
use answer::{ListAnswer, PredictionAnswer, accepted, read};
use inputs::{Inputs, NoSuchRatio};
pub use model::{InvalidModelName, ReplicateModel};
use resolve::Resolved;

/// The time limit of a large response: a page of the list, or an output.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The time limit of a creation, which Replicate answers at once. If the response is lost, [`Replicate::find`] finds
/// the prediction.
const CREATION_TIMEOUT: Duration = Duration::from_secs(10);

/// Replicate lists a prediction at most this long after its request: the request may take until its timeout, and the
/// list another 15 seconds (Replicate documents no limit). A search that begins earlier may miss it, and the image
/// would be paid twice.
const LISTED_WITHIN: SignedDuration = SignedDuration::from_secs(CREATION_TIMEOUT.as_secs().cast_signed() + 15);

/// Replicate removes the data of a prediction after an hour. A little earlier, a search that finds nothing proves
/// nothing.
const REMEMBERED: SignedDuration = SignedDuration::from_mins(55);

/// The time limit of a poll, which Replicate answers at once.
const POLL_TIMEOUT: Duration = Duration::from_secs(10);

/// The size limit of a response or an output.
const MAX_RESPONSE_BYTES: usize = MAX_BYTES as usize;

/// The size limit of a page of the list: 100 predictions, each with input images of at most a megabyte together.
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
    price: Price,
}

/// A request for an image.
#[derive(Debug)]
pub struct Creation {
    path: String,
    body: Value,
}

impl Service for Replicate {
    const NAMES: ServiceNames = ServiceNames {
        service: "Replicate",
        key: "REPLICATE_API_TOKEN",
        base_url: "REPLICATE_BASE_URL",
        model: "REPLICATE_MODEL",
        usable_model: "a model that generates an image from a prompt and a reference image, such as black-forest-labs/flux-kontext-pro",
        billing: "add some at replicate.com/account/billing",
    };

    type Creation = Creation;

    fn price(&self, size: Megapixels) -> MicroUsd {
        self.price.of(size)
    }

    async fn max_references(&self) -> Result<usize, Failure> {
        Ok(self.resolved().await?.inputs.max_references())
    }

    async fn check(&self, ratio: AspectRatio) -> Result<(), Failure> {
        let inputs = &self.resolved().await?.inputs;
        inputs.ratio(ratio).map(|_| ()).map_err(|NoSuchRatio| self.no_such_ratio(inputs, ratio))
    }

    async fn prepare(&self, request: &Request) -> Result<Creation, Failure> {
        let Resolved { inputs, version } = self.resolved().await?;
        let most = inputs.max_references().min(request.references().count());
        let images = request.references().take(most).map(|image| data_url(image, MAX_JPEG_BYTES / most));
        let images = try_join_all(images).await?;
        let input = inputs.fill(request, images);
        let input = input.map_err(|NoSuchRatio| self.no_such_ratio(inputs, request.format.ratio))?;
        Ok(match version {
            Some(version) => {
                Creation { path: "v1/predictions".to_owned(), body: json!({ "version": version, "input": input }) }
            }
            None => Creation { path: format!("v1/models/{}/predictions", self.model), body: json!({ "input": input }) },
        })
    }

    async fn create(&self, creation: &Creation) -> Result<Created, Failure> {
        let url = self.url(&creation.path)?;
        let request = self.http.client().post(url).timeout(CREATION_TIMEOUT).json(&creation.body);
        let answer: PredictionAnswer = self.request(request, MAX_RESPONSE_BYTES).await?;
        Ok(Created::Prediction(answer.id))
    }

    /// Reads the list of predictions.
    async fn find(&self, lost: Lost, until: Instant) -> Result<Found, Failure> {
        if let Some(id) = self.search(lost.seed, lost.at, until).await? {
            return Ok(Found::Prediction(id));
        }
        let age = lost.now.duration_since(lost.at);
        Ok(if age >= REMEMBERED {
            Found::Unknowable("Replicate no longer knows whether it was made")
        } else if age < LISTED_WITHIN {
            Found::NotYet(Duration::try_from(LISTED_WITHIN - age).unwrap_or_default())
        } else {
            Found::Nothing
        })
    }

    async fn poll(&self, id: &str) -> Result<Prediction, Failure> {
        let url = self.url(&format!("v1/predictions/{id}"))?;
        let response = self.http.send(self.authorized(self.http.client().get(url).timeout(POLL_TIMEOUT))).await?;
        if response.status == StatusCode::NOT_FOUND {
            return Ok(Prediction::Missing("Replicate does not know the prediction"));
        }
        Ok(read::<PredictionAnswer>(self.accepted(response)?)?.into())
    }

    async fn fetch(&self, output: &str) -> Result<Option<Vec<u8>>, Failure> {
        let url = Url::parse(output).ok().filter(|url| self.is_output(url));
        let url = url.ok_or_else(|| Failure::ForeignAddress(output.chars().take(200).collect()))?;
        // Without the token, which outputs don't need.
        let response = self.http.send(self.http.client().get(url)).await?;
        if is_missing(response.status) {
            return Ok(None);
        }
        let is_temporary = response.status == StatusCode::TOO_MANY_REQUESTS || response.status.is_server_error();
        if !response.status.is_success() && !is_temporary {
            return Err(Failure::NotDelivered(response.status));
        }
        to_jpeg(self.accepted(response)?.body).await.map(Some)
    }
}

impl Replicate {
    /// # Errors
    /// If the token can't be read, or the base URL is invalid.
    pub(super) async fn new(config: ReplicateConfig, sdk: &SdkConfig) -> Result<Self, Failure> {
        let base = Url::parse(&config.base_url).map_err(|error| Failure::no_address("REPLICATE_BASE_URL", error))?;
        Ok(Self {
            http: BoundedClient::new(TIMEOUT, MAX_RESPONSE_BYTES)?,
            base,
            token: secrets::reveal(config.token, sdk).await?,
            model: config.model,
            resolved: OnceCell::new(),
            price: config.price,
        })
    }

    fn no_such_ratio(&self, inputs: &Inputs, ratio: AspectRatio) -> Failure {
        Failure::no_such_ratio(&self.model.to_string(), ratio, inputs.ratios.iter().cloned())
    }

    /// The id of the prediction with this seed or its mark, of those created after `since`. The rest of the prompt is
    /// not compared: it may have changed with the description of the actor.
    async fn search(&self, seed: u32, since: Timestamp, until: Instant) -> Result<Option<String>, Failure> {
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
            let query = query.ok_or_else(|| Failure::Unreadable(format!("`{next}` is no page of its list")))?;
            page.set_query(Some(&query));
        }
    }

    async fn list(&self, url: Url, until: Instant) -> Result<ListAnswer, Failure> {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            let message = "its list of predictions can't be read in time".to_owned();
            return Err(Failure::Unavailable { message, retry_after: None });
        }
        self.request(self.http.client().get(url).timeout(left.min(TIMEOUT)), MAX_LIST_BYTES).await
    }

    async fn request<T>(&self, request: RequestBuilder, max_bytes: usize) -> Result<T, Failure>
    where
        T: for<'a> Deserialize<'a>,
    {
        read(self.accepted(self.http.send_limited(self.authorized(request), max_bytes).await?)?)
    }

    fn accepted(&self, response: Response) -> Result<Response, Failure> {
        accepted(response, self.token.expose_secret())
    }

    fn authorized(&self, request: RequestBuilder) -> RequestBuilder {
        request.bearer_auth(self.token.expose_secret())
    }

    fn url(&self, path: &str) -> Result<Url, Failure> {
        let text = format!("{}/{path}", self.base.as_str().trim_end_matches('/'));
        Url::parse(&text).map_err(|error| Failure::Rejected(format!("{text} is no address: {error}")))
    }

    /// Whether an output may lie there: at the configured server, or in Replicate's domain.
    fn is_output(&self, url: &Url) -> bool {
        let is_delivery = |host: &str| {
            host.strip_suffix(OUTPUT_HOST).is_some_and(|before| before.is_empty() || before.ends_with('.'))
        };
        url.origin() == self.base.origin() || url.scheme() == "https" && url.host_str().is_some_and(is_delivery)
    }
}
