//! Who judges images.

mod config;
mod openai;

use std::sync::Arc;
use std::time::Duration;

use aws::SdkConfig;
use domain::assessment::Observation;
use domain::money::MicroUsd;
use embedded::vision::EmbeddedVision;
use image::RgbImage;
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::oneshot;

pub use config::{LONGEST_TIMEOUT_SECONDS, OpenAiConfig, VisionConfig, VisionMode};
pub use openai::{OpenAi, OpenAiError, PROMPT_VERSION, name_of, time_budget};

/// A vision model. It sees images and says what it sees, nothing else.
#[derive(Clone)]
pub enum VisionModel {
    /// The model that is part of this program: it judges by measuring pixels.
    Embedded(Arc<EmbeddedVision>),
    /// One that is asked over OpenAI's chat completions, which costs money.
    OpenAi(Arc<OpenAi>),
}

/// The highest price of rating this many images, if none has to be shown twice.
#[must_use]
pub fn highest_price(images: usize, config: &VisionConfig) -> MicroUsd {
    match config {
        VisionConfig::OpenAi(config) if images > 0 => openai::estimate(images, config),
        VisionConfig::OpenAi(_) | VisionConfig::Embedded => MicroUsd::ZERO,
    }
}

/// What a model has seen. What was paid for is here even if the asking was interrupted.
#[derive(Debug, Default)]
pub struct AssessmentBatch {
    /// What it says of each image, in their order, or why an image stays unassessed.
    pub images: Vec<Result<Observation, String>>,
    /// What the answers cost.
    pub cost: MicroUsd,
    /// Why not every image was asked for; none if all were.
    pub interrupted: Option<VisionError>,
}

/// What a model tells while it judges.
#[derive(Debug)]
pub enum AssessmentEvent {
    /// An image, by its place among them, is judged.
    Assessed(usize, Observation),
    /// So much more must be set aside before it goes on asking.
    ReservationNeeded {
        /// How much more.
        amount: MicroUsd,
        /// Whether it is set aside. If not, nothing more is asked.
        granted: oneshot::Sender<bool>,
    },
}

/// Who listens to a model, writes down what it says and keeps the books.
pub type EventSender = UnboundedSender<AssessmentEvent>;

/// The vision model could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum VisionError {
    /// The embedded model's data can't be read. Trying again won't help.
    #[error("the embedded model can't be loaded: {0}")]
    Model(#[from] std::io::Error),
    /// The computation was cut off. Trying again may help.
    #[error("judging the images was cut off: {0}")]
    CutOff(#[from] tokio::task::JoinError),
    /// The vision service failed.
    #[error(transparent)]
    OpenAi(#[from] OpenAiError),
}

impl VisionError {
    /// How long to wait before asking again, where the answer is only "not now".
    #[must_use]
    pub fn pause(&self) -> Option<Duration> {
        match self {
            Self::OpenAi(error) => error.pause(),
            Self::Model(_) | Self::CutOff(_) => None,
        }
    }

    /// Whether the service is unavailable for a while, and how long it asks to be left alone, if it does.
    #[must_use]
    pub fn outage(&self) -> Option<Option<Duration>> {
        match self {
            Self::OpenAi(error) => error.outage(),
            Self::Model(_) | Self::CutOff(_) => None,
        }
    }

    /// Whether the service used all the available time without an answer.
    #[must_use]
    pub fn has_timed_out(&self) -> bool {
        matches!(self, Self::OpenAi(error) if error.has_timed_out())
    }

    /// Why a question was to be asked again that there is no money for.
    #[must_use]
    pub fn reason_to_ask_again(&self) -> Option<&str> {
        match self {
            Self::OpenAi(OpenAiError::NoBudget { because }) => because.as_deref(),
            _ => None,
        }
    }

    /// Whether asking again fails until a person has changed something.
    #[must_use]
    pub fn needs_person(&self) -> bool {
        match self {
            Self::OpenAi(error) => error.needs_person(),
            Self::Model(_) => true,
            Self::CutOff(_) => false,
        }
    }
}

impl VisionModel {
    /// The configured model.
    ///
    /// # Errors
    /// If the model can't be loaded, or its key can't be read.
    pub async fn new(config: VisionConfig, sdk: &SdkConfig) -> Result<Self, VisionError> {
        Ok(match config {
            VisionConfig::Embedded => Self::Embedded(Arc::new(EmbeddedVision::new()?)),
            VisionConfig::OpenAi(config) => Self::OpenAi(Arc::new(OpenAi::new(config, sdk).await?)),
        })
    }

    /// The model's name and version: what it has said once is not asked again.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Embedded(_) => "embedded-2",
            Self::OpenAi(model) => model.name(),
        }
    }

    /// Judges images. A model that is shown many at once sees them in an order drawn from `seed`. What is said of each
    /// image is told as soon as that is settled, and no paid request is sent before its highest price is granted.
    pub async fn assess(&self, images: Vec<Arc<RgbImage>>, seed: &str, tell: EventSender) -> AssessmentBatch {
        match self {
            Self::Embedded(model) => {
                let (model, count) = (Arc::clone(model), images.len());
                let judge = move || {
                    let judged = images.iter().map(|image| model.observe(image)).enumerate();
                    // Whether anybody listens is their business.
                    judged
                        .inspect(|(at, seen)| drop(tell.send(AssessmentEvent::Assessed(*at, seen.clone()))))
                        .map(|(_, seen)| Ok(seen))
                        .collect()
                };
                match tokio::task::spawn_blocking(judge).await {
                    Ok(images) => AssessmentBatch { images, cost: MicroUsd::ZERO, interrupted: None },
                    Err(error) => AssessmentBatch::nothing(count, error.into()),
                }
            }
            Self::OpenAi(model) => model.assess(images, seed, tell).await,
        }
    }
}

impl AssessmentBatch {
    fn nothing(images: usize, error: VisionError) -> Self {
        Self { images: vec![Err(error.to_string()); images], cost: MicroUsd::ZERO, interrupted: Some(error) }
    }
}
