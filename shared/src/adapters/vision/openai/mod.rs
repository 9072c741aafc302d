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
mod cost;
mod error;
mod looks;
mod prompt;
mod request;
mod session;
mod sheet;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use aws_config::SdkConfig;
use backon::{ExponentialBuilder, Retryable};
use image::RgbImage;
use reqwest::header::CONTENT_TYPE;
use secrecy::{ExposeSecret, SecretString};
use tokio::time::Instant;
use tracing::warn;

pub use error::OpenAiError;
pub use prompt::PROMPT_VERSION;
pub use session::PATIENCE;

use super::{Seen, Tell};
use crate::adapters::http::Http;
use crate::adapters::secrets;
use crate::config::OpenAiConfig;
use crate::domain::money::MicroUsd;
use answer::Said;
use cost::Usage;
use error::LONGEST_SLEEP;
use session::Session;
use sheet::Sheet;

/// Answers are a few kilobytes; whoever sends more is no vision model.
const MOST_ANSWER_BYTES: usize = 4 * 1024 * 1024;

/// Waits between attempts at one request: half a second, one, two.
const IN_A_MOMENT: ExponentialBuilder = ExponentialBuilder::new()
    .with_min_delay(Duration::from_millis(500))
    .with_max_delay(LONGEST_SLEEP)
    .with_max_times(3);

/// A sheet that was shown.
struct Shown {
    sheet: Sheet,
    said: Result<Said, OpenAiError>,
    /// What it took, answers that were lost included.
    usage: Usage,
}

/// A client of the vision service.
#[derive(Debug)]
pub struct OpenAi {
    http: Http,
    key: SecretString,
    config: OpenAiConfig,
    name: String,
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
            name: format!("openai/{}/prompt-{PROMPT_VERSION}", config.model),
            config,
        })
    }

    /// The model and the version of the rubric: another of either sees everything anew.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Has images judged, in an order drawn from `seed`. Each is told as soon as it is.
    pub(super) async fn observe(&self, images: Vec<Arc<RgbImage>>, seed: &str, tell: Tell) -> Seen {
        let mut session = Session::new(self, images, tell);
        session.judge(seed).await;
        session.seen()
    }

    /// What judging so many images costs at most, if nothing must be asked twice.
    pub(super) fn estimate(&self, images: usize) -> MicroUsd {
        cost::estimate(images, &self.config)
    }

    /// Shows a sheet, and again in a moment where that may help and there is time.
    async fn show(&self, sheet: Sheet, images: Arc<[Arc<RgbImage>]>, deadline: Instant) -> Shown {
        let lost = AtomicU64::new(0);
        let (said, usage) = match self.try_show(&sheet, images, deadline, &lost).await {
            Ok((said, usage)) => (Ok(said), usage),
            Err(error) => (Err(error), Usage::default()),
        };
        // Nobody knows what an answer took that has not been read: as much as it may have.
        let usage = usage + Usage::most(&sheet, &self.config) * lost.into_inner();
        Shown { sheet, said, usage }
    }

    async fn try_show(
        &self,
        sheet: &Sheet,
        images: Arc<[Arc<RgbImage>]>,
        deadline: Instant,
        lost: &AtomicU64,
    ) -> Result<(Said, Usage), OpenAiError> {
        let (model, effort, drawn) = (self.config.model.clone(), self.config.reasoning_effort.clone(), sheet.clone());
        let write = move || request::body(&model, effort.as_deref(), &drawn, &images);
        let body = tokio::task::spawn_blocking(write).await??;
        let ask = async || {
            let asked = self.ask(body.clone()).await;
            asked.inspect_err(|error| {
                lost.fetch_add(error.may_have_cost().into(), Ordering::Relaxed);
            })
        };
        let (said, usage) = ask
            .retry(IN_A_MOMENT)
            .when(|error| error.may_pass_soon() && Instant::now() < deadline)
            .adjust(|error, usual| usual.map(|usual| error.asked_pause().unwrap_or(usual)))
            .notify(|error, pause| warn!(milliseconds = pause.as_millis(), "asking again: {error}"))
            .await?;
        Ok((said, usage.unwrap_or_else(|| Usage::most(sheet, &self.config))))
    }

    async fn ask(&self, body: Vec<u8>) -> Result<(Said, Option<Usage>), OpenAiError> {
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
