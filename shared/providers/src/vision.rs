//! Vision providers: the models that assess images.

mod config;
mod openai;

use std::sync::Arc;

use aws::SdkConfig;
use domain::assessment::Observation;
use domain::disposition::Disposition;
use domain::money::MicroUsd;
use embedded::vision::EmbeddedVision;
use image::RgbImage;
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::oneshot;

use crate::checks::Check;
pub use config::{LONGEST_TIMEOUT_SECONDS, OpenAiConfig, VisionConfig, VisionMode};
pub use openai::{OpenAi, OpenAiError, PROMPT_VERSION, name_of, time_budget};

/// A vision model. It only reports observations; the planner decides.
#[derive(Clone)]
pub enum VisionModel {
    /// Measures pixels within this process.
    Embedded(Arc<EmbeddedVision>),
    /// A paid service with OpenAI's chat completions.
    OpenAi(Arc<OpenAi>),
}

/// The highest price of assessing this many images, beside a base image or without one, if no request is repeated.
#[must_use]
pub fn highest_price(images: usize, has_reference: bool, config: &VisionConfig) -> MicroUsd {
    match config {
        VisionConfig::OpenAi(config) if images > 0 => openai::estimate(images, has_reference, config),
        VisionConfig::OpenAi(_) | VisionConfig::Embedded => MicroUsd::ZERO,
    }
}

/// The images of one assessment session.
#[derive(Debug, Clone, Default)]
pub struct Pictures {
    /// The images to assess, with at most [`PREVIEW_SIDE`](imaging::PREVIEW_SIDE) pixels on the longer side.
    pub images: Vec<Arc<RgbImage>>,
    /// The base image, for models that compare; the same size is enough.
    pub reference: Option<Arc<RgbImage>>,
}

/// The result of one assessment session. An interrupted session keeps what it has paid for.
#[derive(Debug, Default)]
pub struct AssessmentBatch {
    /// For each image, in the order of the request: the observation, or the reason why the image stays unassessed.
    pub images: Vec<Result<Observation, String>>,
    /// The cost of all requests.
    pub cost: MicroUsd,
    /// The error that ended the session before every image was shown.
    pub interrupted: Option<VisionError>,
}

/// A report of a session that is running.
#[derive(Debug)]
pub enum AssessmentEvent {
    /// The observation of the image with this index is final.
    Assessed(usize, Observation),
    /// The session must reserve this amount before it sends its next request.
    ReservationNeeded {
        amount: MicroUsd,
        /// Receives whether the amount is reserved. If not, the session sends no further request.
        granted: oneshot::Sender<bool>,
    },
}

/// Sends the events of a session to the handler, which stores observations and reserves money.
pub type EventSender = UnboundedSender<AssessmentEvent>;

/// The vision model could not assess all images.
#[derive(Debug, thiserror::Error)]
pub enum VisionError {
    #[error("the embedded model can't be loaded: {0}")]
    Model(#[from] std::io::Error),
    #[error("the assessment was interrupted: {0}")]
    TaskFailed(#[from] tokio::task::JoinError),
    #[error(transparent)]
    OpenAi(#[from] OpenAiError),
}

impl VisionError {
    /// The required response to this failure.
    #[must_use]
    pub fn disposition(&self) -> Disposition {
        match self {
            Self::Model(_) => Disposition::NeedsOperator,
            Self::TaskFailed(_) => Disposition::Retry,
            Self::OpenAi(error) => error.disposition(),
        }
    }

    /// This failure as the result of a check.
    #[must_use]
    pub fn to_check(&self) -> Check {
        match self {
            Self::Model(_) => Check::problem(self.to_string(), "install the balancer again"),
            Self::TaskFailed(_) => Check::problem(self.to_string(), "repeat the check"),
            Self::OpenAi(error) => error.to_check(),
        }
    }
}

impl VisionModel {
    /// # Errors
    /// If the embedded model can't be loaded, or the key of the service can't be read.
    pub async fn new(config: VisionConfig, sdk: &SdkConfig) -> Result<Self, VisionError> {
        Ok(match config {
            VisionConfig::Embedded => Self::Embedded(Arc::new(EmbeddedVision::new()?)),
            VisionConfig::OpenAi(config) => Self::OpenAi(Arc::new(OpenAi::new(config, sdk).await?)),
        })
    }

    /// Checks, as far as that costs nothing, whether images can be assessed.
    pub async fn examine(&self) -> Check {
        match self {
            Self::Embedded(_) => Check::ok("the embedded model is ready"),
            Self::OpenAi(model) => model.examine().await,
        }
    }

    /// The model's name and version. Observations of another name or version are out of date.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Embedded(_) => "embedded-3",
            Self::OpenAi(model) => model.name(),
        }
    }

    /// Whether the model compares images with the base image.
    #[must_use]
    pub const fn compares(&self) -> bool {
        matches!(self, Self::OpenAi(_))
    }

    /// Whether each request shows the base image, even to a service that takes one picture in a request.
    #[must_use]
    pub fn always_shows_reference(&self) -> bool {
        match self {
            Self::Embedded(_) => false,
            Self::OpenAi(model) => model.always_shows_reference(),
        }
    }

    /// Assesses images. Models that see several images at once see them in an order derived from `seed`. Sends each
    /// observation as soon as it is final, and sends no paid request before its highest price is reserved.
    pub async fn assess(&self, pictures: Pictures, seed: &str, events: EventSender) -> AssessmentBatch {
        match self {
            Self::Embedded(model) => assess_embedded(Arc::clone(model), pictures.images, events).await,
            Self::OpenAi(model) => model.assess(pictures, seed, events).await,
        }
    }
}

async fn assess_embedded(
    model: Arc<EmbeddedVision>,
    images: Vec<Arc<RgbImage>>,
    events: EventSender,
) -> AssessmentBatch {
    let count = images.len();
    let assess = move || {
        let observations = images.iter().map(|image| model.observe(image)).enumerate();
        // The receiver may be gone: the result contains every observation too.
        observations
            .inspect(|(index, observation)| drop(events.send(AssessmentEvent::Assessed(*index, observation.clone()))))
            .map(|(_, observation)| Ok(observation))
            .collect()
    };
    match tokio::task::spawn_blocking(assess).await {
        Ok(images) => AssessmentBatch { images, ..AssessmentBatch::default() },
        Err(error) => AssessmentBatch::failed(count, error.into()),
    }
}

impl AssessmentBatch {
    fn failed(images: usize, error: VisionError) -> Self {
        Self { images: vec![Err(error.to_string()); images], interrupted: Some(error), ..Self::default() }
    }
}
