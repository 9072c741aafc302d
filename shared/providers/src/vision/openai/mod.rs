//! A vision model that is asked over OpenAI's chat completions, at OpenAI or at any compatible server.
//!
//! Facts by <https://platform.openai.com/docs/guides/structured-outputs> and `guides/images-vision`: a strict schema
//! must be closed with every property required; a refusal comes beside the content, and `finish_reason: length` says
//! that the content is cut off; images are counted in patches of 32×32 pixels, and at `detail: high` up to 2,500
//! patches are seen unshrunk, which a page of 1600×1280 is.
//!
//! The model only says what it sees. Whatever it leaves out, says twice, invents or garbles is asked for again, and an
//! image about which nothing usable comes back stays unassessed: nothing is guessed.

mod answer;
mod content;
mod cost;
mod cost_reservation;
mod error;
mod form;
mod image_batch;
mod merged_passes;
mod prompt;
mod request;
mod session;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use aws::SdkConfig;
use aws::secrets;
use backon::{ExponentialBuilder, Retryable};
use domain::money::MicroUsd;
use image::RgbImage;
use reqwest::header::CONTENT_TYPE;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::{Mutex, OnceCell};
use tokio::time::Instant;
use tracing::warn;

use super::{AssessmentBatch, EventSender};
use crate::http::Http;
use crate::vision::OpenAiConfig;
use answer::Answer;
use cost::Usage;
use cost_reservation::CostReservation;
use error::LONGEST_SLEEP;
pub use error::OpenAiError;
use form::Form;
use image_batch::ImageBatch;
pub use prompt::PROMPT_VERSION;
use session::Session;
pub use session::time_budget;

/// Answers are a few kilobytes; whoever sends more is no vision model.
const MOST_ANSWER_BYTES: usize = 4 * 1024 * 1024;

/// Waits between attempts at one request: half a second, one, two.
const IN_A_MOMENT: ExponentialBuilder = ExponentialBuilder::new()
    .with_min_delay(Duration::from_millis(500))
    .with_max_delay(LONGEST_SLEEP)
    .with_max_times(3);

/// A batch that was shown.
struct Answered {
    batch: ImageBatch,
    said: Result<Answer, OpenAiError>,
}

/// The name of a configured model, with the version of the rubric: a new model or version rates everything anew.
#[must_use]
pub fn name_of(config: &OpenAiConfig) -> String {
    format!("openai/{}/prompt-{PROMPT_VERSION}", config.model)
}

/// The highest price of rating this many images, if none has to be shown twice.
pub(super) fn estimate(images: usize, config: &OpenAiConfig) -> MicroUsd {
    cost::estimate(images, config, &Form::default())
}

/// A client of the vision service.
#[derive(Debug)]
pub struct OpenAi {
    http: Http,
    key: SecretString,
    config: OpenAiConfig,
    name: String,
    /// The request form that the server is known to accept, for the lifetime of this process.
    form: Mutex<Form>,
}

impl OpenAi {
    /// A client as configured.
    ///
    /// # Errors
    /// If the key can't be read.
    pub async fn new(config: OpenAiConfig, sdk: &SdkConfig) -> Result<Self, OpenAiError> {
        Ok(Self {
            http: Http::new(config.timeout, MOST_ANSWER_BYTES)?,
            key: secrets::reveal(config.key.clone(), sdk).await?,
            name: name_of(&config),
            config,
            form: Mutex::default(),
        })
    }

    /// The model and the version of the rubric: another of either sees everything anew.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Has images judged, in an order drawn from `seed`. Each is told as soon as it is, and the money for every request
    /// is asked for before it is sent.
    pub(super) async fn assess(&self, images: Vec<Arc<RgbImage>>, seed: &str, tell: EventSender) -> AssessmentBatch {
        let reservation = CostReservation::new(tell.clone());
        let mut session = Session::new(self, images, tell, &reservation);
        session.judge(seed).await;
        session.seen().await
    }

    /// Shows a batch, and again in a moment where that may help and there is time.
    async fn show(
        &self,
        batch: ImageBatch,
        images: Arc<[Arc<RgbImage>]>,
        deadline: Instant,
        reservation: &CostReservation,
    ) -> Answered {
        let said = self.show_as_understood(&batch, &images, deadline, reservation).await;
        Answered { batch, said }
    }

    /// Sends a batch, and repeats it in another form for each part of the request that the server refuses. Such a
    /// refusal costs nothing, and the new form applies to all later requests.
    async fn show_as_understood(
        &self,
        batch: &ImageBatch,
        images: &Arc<[Arc<RgbImage>]>,
        deadline: Instant,
        reservation: &CostReservation,
    ) -> Result<Answer, OpenAiError> {
        loop {
            let form = self.form().await;
            match self.try_show(&form, batch, images, deadline, reservation).await {
                Err(OpenAiError::Invalid(said)) => {
                    let simpler = form.without_what_is_refused(&said).ok_or(OpenAiError::Invalid(said))?;
                    warn!(?simpler, "the vision service does not take a part of the request");
                    self.form.lock().await.learn(simpler);
                }
                Ok(Answer::TooManyImages(most)) if most == 0 || batch.pictures() <= most => {
                    let said = format!("it takes {most} images in a request");
                    return Err(OpenAiError::Invalid(said));
                }
                Ok(Answer::TooManyImages(most)) => {
                    self.form.lock().await.limit_images(Some(most));
                    return Ok(Answer::TooManyImages(most));
                }
                said => return said,
            }
        }
    }

    /// The request form that the server is known to accept.
    async fn form(&self) -> Form {
        self.form.lock().await.clone()
    }

    async fn try_show(
        &self,
        form: &Form,
        batch: &ImageBatch,
        images: &Arc<[Arc<RgbImage>]>,
        deadline: Instant,
        reservation: &CostReservation,
    ) -> Result<Answer, OpenAiError> {
        let most = Usage::most(batch, form.effort(self.config.reasoning_effort.as_deref()));
        let (body, first_error) = (OnceCell::new(), OnceLock::new());
        let ask =
            async || self.ask_for(most, body.get_or_try_init(|| self.write(form, batch, images)), reservation).await;
        let said = ask
            .retry(IN_A_MOMENT)
            .when(|error| error.may_pass_soon() && Instant::now() < deadline)
            .adjust(|error, usual| usual.map(|usual| error.asked_pause().unwrap_or(usual)))
            .notify(|error, pause| {
                warn!(milliseconds = pause.as_millis(), "asking again: {error}");
                first_error.get_or_init(|| error.to_string());
            })
            .await;
        said.map_err(|error| match error {
            OpenAiError::NoBudget { .. } => OpenAiError::NoBudget { because: first_error.into_inner() },
            other => other,
        })
    }

    /// The request that shows a batch.
    async fn write(
        &self,
        form: &Form,
        batch: &ImageBatch,
        images: &Arc<[Arc<RgbImage>]>,
    ) -> Result<Vec<u8>, OpenAiError> {
        let (model, effort) = (self.config.model.clone(), self.config.reasoning_effort.clone());
        let (form, batch, images) = (form.clone(), batch.clone(), Arc::clone(images));
        let write = move || request::body(&model, effort.as_deref(), &form, &batch, &images);
        tokio::task::spawn_blocking(write).await?
    }

    /// Asks once, with the money for it taken out of the reservation before. So early that a repetition doesn't get the money
    /// of what is still being drawn.
    async fn ask_for(
        &self,
        most: Usage,
        body: impl Future<Output = Result<&Vec<u8>, OpenAiError>>,
        reservation: &CostReservation,
    ) -> Result<Answer, OpenAiError> {
        let price = most.cost(&self.config);
        reservation.take(price).await?;
        let asked = async { self.ask(body.await?.clone()).await }.await;
        let cost = match &asked {
            Ok((_, usage)) => usage.unwrap_or(most).cost(&self.config),
            // Nobody knows what an answer took that has not been read: as much as it may have.
            Err(error) if error.may_have_cost() => price,
            Err(_) => MicroUsd::ZERO,
        };
        reservation.pay(price, cost).await;
        asked.map(|(said, _)| said)
    }

    async fn ask(&self, body: Vec<u8>) -> Result<(Answer, Option<Usage>), OpenAiError> {
        let request = self.http.client().post(format!("{}/chat/completions", self.config.base_url));
        let request = request.bearer_auth(self.key.expose_secret()).header(CONTENT_TYPE, "application/json");
        let reply = self.http.send(request.body(body)).await?;
        if reply.status.is_success() {
            answer::read(&reply.body)
        } else {
            // What is refused unread costs nothing.
            let said = error::unsuccessful(&reply, self.key.expose_secret())?;
            Ok((said, Some(Usage::default())))
        }
    }
}
