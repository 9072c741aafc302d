//! A vision service with OpenAI's chat completions, at OpenAI or any compatible server.
//!
//! Source: <https://platform.openai.com/docs/guides/structured-outputs> and `guides/images-vision`. A strict schema
//! must be closed, with every property required. A refusal is a field beside the content. `finish_reason: length` means
//! that the content is truncated. Images are counted in patches of 32×32 pixels; with `detail: high` the model sees up
//! to 2,500 patches at full size, and a grid page has at most 2,400.
//!
//! The session asks again about images that an answer omits, lists twice or garbles. An image without a usable entry
//! stays unassessed.

mod answer;
mod content;
mod cost;
mod cost_reservation;
mod error;
mod examination;
mod form;
mod image_batch;
mod merged_passes;
mod prompt;
mod rejection;
mod request;
mod session;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use aws::SdkConfig;
use aws::secrets;
use backon::{ExponentialBuilder, Retryable};
use domain::disposition::Billed;
use domain::money::MicroUsd;
use reqwest::header::CONTENT_TYPE;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::{Mutex, OnceCell};
use tokio::time::Instant;
use tracing::warn;

use super::{AssessmentBatch, EventSender, Pictures};
use crate::http::BoundedClient;
use crate::vision::OpenAiConfig;
use answer::Answer;
use cost::Usage;
use cost_reservation::CostReservation;
use error::MAX_PAUSE_IN_SESSION;
pub use error::OpenAiError;
use form::Form;
use image_batch::ImageBatch;
pub use prompt::PROMPT_VERSION;
use session::Session;
pub use session::time_budget;

/// Answers have a few kilobytes. A larger response does not come from a vision model.
const MAX_ANSWER_BYTES: usize = 4 * 1024 * 1024;

/// Retries after 0.5, 1 and 2 s within a session.
const SHORT_BACKOFF: ExponentialBuilder = ExponentialBuilder::new()
    .with_min_delay(Duration::from_millis(500))
    .with_max_delay(MAX_PAUSE_IN_SESSION)
    .with_max_times(3);

/// A batch with the response to its request.
struct Answered {
    batch: ImageBatch,
    answer: Result<Answer, OpenAiError>,
}

/// The name of a configured model, with the version of the rubric: a new model or version rates everything anew.
#[must_use]
pub fn name_of(config: &OpenAiConfig) -> String {
    format!("openai/{}/prompt-{PROMPT_VERSION}", config.model)
}

/// The highest price of assessing this many images, beside a base image or without one, if no request is repeated.
pub(super) fn estimate(images: usize, has_reference: bool, config: &OpenAiConfig) -> MicroUsd {
    cost::estimate(images, has_reference, config, &Form::default())
}

/// A client of the vision service.
#[derive(Debug)]
pub struct OpenAi {
    http: BoundedClient,
    key: SecretString,
    config: OpenAiConfig,
    name: String,
    /// The request form that the server is known to accept, for the lifetime of this process.
    form: Mutex<Form>,
}

impl OpenAi {
    /// # Errors
    /// If the key can't be read.
    pub async fn new(config: OpenAiConfig, sdk: &SdkConfig) -> Result<Self, OpenAiError> {
        Ok(Self {
            http: BoundedClient::new(config.timeout, MAX_ANSWER_BYTES)?,
            key: secrets::reveal(config.key.clone(), sdk).await?,
            name: name_of(&config),
            config,
            form: Mutex::default(),
        })
    }

    /// See [`name_of`].
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// See [`VisionModel::always_shows_reference`](super::VisionModel::always_shows_reference).
    pub(super) fn always_shows_reference(&self) -> bool {
        self.config.mode.is_one_picture()
    }

    /// See [`VisionModel::assess`](super::VisionModel::assess).
    pub(super) async fn assess(&self, pictures: Pictures, seed: &str, events: EventSender) -> AssessmentBatch {
        let reservation = CostReservation::new(events.clone());
        let mut session = Session::new(self, pictures, events, &reservation);
        session.assess(seed).await;
        session.finish().await
    }

    /// Sends the request for a batch, and repeats it while that may help and the deadline has not passed.
    async fn show(
        &self,
        batch: ImageBatch,
        pictures: Arc<Pictures>,
        deadline: Instant,
        reservation: &CostReservation,
    ) -> Answered {
        let answer = self.show_in_accepted_form(&batch, &pictures, deadline, reservation).await;
        Answered { batch, answer }
    }

    /// Sends a batch, and repeats it in another form for each part of the request that the server rejects. Such a
    /// rejection costs nothing, and the new form applies to all later requests.
    async fn show_in_accepted_form(
        &self,
        batch: &ImageBatch,
        pictures: &Arc<Pictures>,
        deadline: Instant,
        reservation: &CostReservation,
    ) -> Result<Answer, OpenAiError> {
        loop {
            let form = self.form().await;
            match self.show_with_retries(&form, batch, pictures, deadline, reservation).await {
                Err(OpenAiError::Invalid(message)) => {
                    let simpler = form.without_rejected_part(&message).ok_or(OpenAiError::Invalid(message))?;
                    warn!(?simpler, "vision service rejects a part of the request");
                    self.form.lock().await.learn(simpler);
                }
                Ok(Answer::TooManyImages(max)) if max == 0 || batch.picture_count() <= max => {
                    return Err(OpenAiError::Invalid(format!("it takes {max} images in a request")));
                }
                Ok(Answer::TooManyImages(max)) => {
                    self.form.lock().await.limit_images(Some(max));
                    return Ok(Answer::TooManyImages(max));
                }
                answer => return answer,
            }
        }
    }

    /// The request form that the server is known to accept.
    async fn form(&self) -> Form {
        self.form.lock().await.clone()
    }

    async fn show_with_retries(
        &self,
        form: &Form,
        batch: &ImageBatch,
        pictures: &Arc<Pictures>,
        deadline: Instant,
        reservation: &CostReservation,
    ) -> Result<Answer, OpenAiError> {
        let max_usage = Usage::max(batch, form.effort(self.config.reasoning_effort.as_deref()));
        let (body, first_error) = (OnceCell::new(), OnceLock::new());
        let send = async || {
            self.send_reserved(max_usage, body.get_or_try_init(|| self.encode(form, batch, pictures)), reservation)
                .await
        };
        let answer = send
            .retry(SHORT_BACKOFF)
            .when(|error| error.may_retry_in_session() && Instant::now() < deadline)
            .adjust(|error, usual| usual.map(|usual| error.retry_after().unwrap_or(usual)))
            .notify(|error, pause| {
                warn!(milliseconds = pause.as_millis(), "retrying vision request: {error}");
                first_error.get_or_init(|| error.to_string());
            })
            .await;
        answer.map_err(|error| match error {
            OpenAiError::NoBudget { .. } => OpenAiError::NoBudget { retry_of: first_error.into_inner() },
            other => other,
        })
    }

    async fn encode(&self, form: &Form, batch: &ImageBatch, pictures: &Arc<Pictures>) -> Result<Vec<u8>, OpenAiError> {
        let (model, effort) = (self.config.model.clone(), self.config.reasoning_effort.clone());
        let (form, batch, pictures) = (form.clone(), batch.clone(), Arc::clone(pictures));
        let encode = move || request::body(&model, effort.as_deref(), &form, &batch, &pictures);
        tokio::task::spawn_blocking(encode).await?
    }

    /// Reserves the highest price of the request, and sends it once. It reserves before it encodes the body, so that a
    /// repeated request doesn't use up the money of a request that is still being encoded.
    async fn send_reserved(
        &self,
        max_usage: Usage,
        body: impl Future<Output = Result<&Vec<u8>, OpenAiError>>,
        reservation: &CostReservation,
    ) -> Result<Answer, OpenAiError> {
        let price = max_usage.cost(&self.config);
        reservation.take(price).await?;
        let answered = async { self.send(body.await?.clone()).await }.await;
        let cost = match &answered {
            Ok((_, usage)) => usage.unwrap_or(max_usage).cost(&self.config),
            Err(error) if error.billed() == Billed::No => MicroUsd::ZERO,
            // The tokens of an unread answer are unknown, so it counts at the highest price.
            Err(_) => price,
        };
        reservation.settle(price, cost).await;
        answered.map(|(answer, _)| answer)
    }

    async fn send(&self, body: Vec<u8>) -> Result<(Answer, Option<Usage>), OpenAiError> {
        let request = self.http.client().post(format!("{}/chat/completions", self.config.base_url));
        let request = request.bearer_auth(self.key.expose_secret()).header(CONTENT_TYPE, "application/json");
        let response = self.http.send(request.body(body)).await?;
        if response.status.is_success() {
            answer::read(&response.body)
        } else {
            // A request that the server rejects costs nothing.
            let answer = rejection::read(&response, self.key.expose_secret())?;
            Ok((answer, Some(Usage::default())))
        }
    }
}
