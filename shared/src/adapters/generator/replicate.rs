//! Replicate: an image is a *prediction* that is created, looked after by its id, and fetched within its hour.
//!
//! Facts by <https://replicate.com/docs/reference/http>: a creation without `Prefer: wait` answers at once; the status
//! runs from `starting` over `processing` to `succeeded`, `failed` or `canceled`; the list of predictions holds each
//! one's input, the newest first; outputs are removed after an hour.

use std::time::Duration;

use aws_config::SdkConfig;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use reqwest::{RequestBuilder, StatusCode, Url};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Request;
use crate::adapters::http::{Http, HttpError, Reply};
use crate::adapters::{AwsError, secrets};
use crate::config::ReplicateConfig;
use crate::domain::money::MicroUsd;
use crate::imaging::{DecodeError, MAX_BYTES, decode, encode_jpeg, is_jpeg};

/// For one request. None of them waits for an image.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Between two looks at a prediction.
const POLL: Duration = Duration::from_millis(500);

/// How long an image is waited for before the message is put back. Most take six seconds.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long to leave Replicate alone where it asks for it without saying how long.
const PAUSE: Duration = Duration::from_secs(10);

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

/// What has become of a prediction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Prediction {
    /// It is still being made.
    Running,
    /// It is made, and lies at this address.
    Succeeded(String),
    /// The prompt or the image was found improper. The same prompt will be again.
    Improper(String),
    /// It failed for another reason, in Replicate's words.
    Failed(String),
    /// Replicate doesn't know it, or has removed its output.
    Gone,
}

/// Replicate didn't do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum ReplicateError {
    /// No answer.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// Too many requests. Trying again later helps.
    #[error("Replicate asks to wait {} s", .pause.as_secs())]
    Throttled {
        /// How long.
        pause: Duration,
    },
    /// The account has no credit left. Trying again helps once a person has added some.
    #[error("the account at Replicate has no credit left ({0}); add some at replicate.com/account/billing")]
    NoCredit(String),
    /// The token is not accepted. Trying again helps once a person has replaced it.
    #[error("Replicate does not accept REPLICATE_API_TOKEN ({0}); set a valid one")]
    Unauthorized(String),
    /// Replicate has a problem of its own. Trying again helps.
    #[error("Replicate has a problem: {0}")]
    Unavailable(String),
    /// The request is wrong. Trying again won't help.
    #[error("Replicate refuses the request: {0}")]
    Refused(String),
    /// The answer can't be understood. Trying again may help.
    #[error("Replicate's answer can't be understood: {0}")]
    Unreadable(String),
    /// The output lies where no output of Replicate's does, so it isn't fetched. Trying again won't help.
    #[error("Replicate's output lies at `{0}`, which is not Replicate's")]
    Elsewhere(String),
    /// What was fetched is no use as an image. Trying again won't help.
    #[error("Replicate's output is no use: {0}")]
    Unusable(#[from] DecodeError),
    /// The image could not be written as a JPEG. Trying again won't help.
    #[error("Replicate's output can't be converted: {0}")]
    Encoding(#[from] image::ImageError),
    /// The token can't be had.
    #[error(transparent)]
    Secret(#[from] AwsError),
}

impl ReplicateError {
    /// How long to wait before the same request, where the answer is only "not now".
    #[must_use]
    pub fn pause(&self) -> Option<Duration> {
        match self {
            Self::Throttled { pause } => Some(*pause),
            _ => None,
        }
    }

    /// Whether Replicate has said that nothing was begun.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::Throttled { .. } | Self::NoCredit(_) | Self::Unauthorized(_) | Self::Refused(_))
    }

    /// Whether the image itself is the trouble, so that only another one can help.
    #[must_use]
    pub fn is_final(&self) -> bool {
        match self {
            Self::Http(error) => !error.may_pass(),
            Self::Refused(_) | Self::Elsewhere(_) | Self::Unusable(_) | Self::Encoding(_) => true,
            _ => false,
        }
    }
}

#[derive(Deserialize)]
struct PredictionAnswer {
    id: String,
    #[serde(default)]
    status: String,
    #[serde(default)]
    output: Value,
    #[serde(default)]
    error: Value,
    #[serde(default)]
    data_removed: bool,
    #[serde(default)]
    created_at: Option<Timestamp>,
    #[serde(default)]
    input: Input,
}

/// What is told apart by it; the image beside it is skipped unread.
#[derive(Default, PartialEq, Deserialize)]
#[serde(default)]
struct Input {
    seed: Value,
}

#[derive(Deserialize)]
struct ListAnswer {
    next: Option<String>,
    results: Vec<PredictionAnswer>,
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

impl From<PredictionAnswer> for Prediction {
    fn from(answer: PredictionAnswer) -> Self {
        let error = answer.error.as_str().map_or_else(|| answer.error.to_string(), str::to_owned);
        match answer.status.as_str() {
            "succeeded" if answer.data_removed => Self::Gone,
            "succeeded" => match answer.output.as_str().or_else(|| answer.output.get(0)?.as_str()) {
                Some(url) => Self::Succeeded(url.to_owned()),
                None => Self::Gone,
            },
            "failed" | "canceled" | "aborted" if is_improper(&error) => Self::Improper(error),
            "failed" | "canceled" | "aborted" => Self::Failed(error),
            // Whatever Replicate may call it one day, it isn't over.
            _ => Self::Running,
        }
    }
}

/// Replicate's E005: flagged as sensitive.
fn is_improper(error: &str) -> bool {
    error.contains("E005") || error.to_lowercase().contains("sensitive")
}

fn accepted(reply: Reply) -> Result<Reply, ReplicateError> {
    if reply.status.is_success() {
        return Ok(reply);
    }
    let said = detail(&reply.body);
    Err(match reply.status {
        StatusCode::TOO_MANY_REQUESTS => {
            ReplicateError::Throttled { pause: reply.retry_after.or_else(|| resets_in(&said)).unwrap_or(PAUSE) }
        }
        StatusCode::PAYMENT_REQUIRED => ReplicateError::NoCredit(said),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => ReplicateError::Unauthorized(said),
        status if status.is_server_error() => ReplicateError::Unavailable(format!("{status} {said}")),
        status => ReplicateError::Refused(format!("{status} {said}")),
    })
}

/// What an error says, without what surrounds it.
fn detail(body: &[u8]) -> String {
    let text =
        serde_json::from_slice::<Value>(body).ok().and_then(|value| Some(value.get("detail")?.as_str()?.to_owned()));
    text.unwrap_or_else(|| String::from_utf8_lossy(body).into_owned()).chars().take(300).collect()
}

/// The seconds in `Your rate limit resets in ~30s.`
fn resets_in(said: &str) -> Option<Duration> {
    let (_, after) = said.split_once("resets in")?;
    let digits: String = after.trim_start_matches([' ', '~']).chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok().map(Duration::from_secs)
}

fn read<T: for<'a> Deserialize<'a>>(reply: Reply) -> Result<T, ReplicateError> {
    serde_json::from_slice(&reply.body).map_err(|error| ReplicateError::Unreadable(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prediction(answer: Value) -> Prediction {
        serde_json::from_value::<PredictionAnswer>(answer).unwrap().into()
    }

    #[test]
    fn the_wait_is_read_from_what_the_answer_says() {
        assert_eq!(resets_in("Request was throttled. Your rate limit resets in ~30s."), Some(Duration::from_secs(30)));
        assert_eq!(resets_in("Slow down"), None);
    }

    #[test]
    fn an_output_is_a_text_or_a_list_of_one() {
        let url = "https://replicate.delivery/x/out.jpg";
        for output in [json!(url), json!([url])] {
            let answer = prediction(json!({ "id": "p", "status": "succeeded", "output": output }));
            assert_eq!(answer, Prediction::Succeeded(url.to_owned()));
        }
    }

    #[test]
    fn a_status_nobody_knows_is_not_over() {
        assert_eq!(prediction(json!({ "id": "p", "status": "warming_up" })), Prediction::Running);
    }

    #[test]
    fn what_was_flagged_as_sensitive_is_told_from_other_failures() {
        let failed = |error: &str| prediction(json!({ "id": "p", "status": "failed", "error": error }));
        let flagged = "The input or output was flagged as sensitive. Please try again with different inputs. (E005)";
        assert!(matches!(failed(flagged), Prediction::Improper(_)));
        assert!(matches!(failed("CUDA out of memory"), Prediction::Failed(_)));
    }

    #[test]
    fn an_output_that_has_been_removed_is_gone() {
        let removed = json!({ "id": "p", "status": "succeeded", "output": null, "data_removed": true });
        assert_eq!(prediction(removed), Prediction::Gone);
    }
}
