//! Image generators.

mod comfyui;
mod config;
mod failure;
mod openai;
mod output;
mod reference;
mod replicate;
mod service;

use std::sync::Arc;

use aws::SdkConfig;
use domain::disposition::Disposition;
use domain::format::{AspectRatio, Format};
use domain::kind::Kind;
use image::RgbImage;
use imaging::{DecodeError, decode, encode_jpeg};

use crate::checks::Check;

pub use comfyui::{ComfyUi, FileLocation};
pub use config::{ComfyUiConfig, GeneratorConfig, OpenAiImagesConfig, Price, ReplicateConfig};
pub use failure::{Failure, ServiceError, ServiceNames};
pub use openai::OpenAiImages;
pub use replicate::{InvalidModelName, Replicate, ReplicateModel};
pub use service::{Created, Found, Lost, Prediction, Service, wait_for};

/// An image generator.
#[derive(Debug, Clone)]
pub enum Generator {
    /// Varies the base image within this process.
    Embedded,
    Replicate(Arc<Replicate>),
    /// OpenAI, or another server with its image edits.
    OpenAi(Arc<OpenAiImages>),
    /// The user's own GPU.
    ComfyUi(Arc<ComfyUi>),
}

/// The description of an image to generate.
#[derive(Debug, Clone)]
pub struct Request {
    pub base: Arc<RgbImage>,
    /// Further images of the character, for models that take several.
    pub further: Vec<Arc<RgbImage>>,
    pub format: Format,
    pub kind: Kind,
    pub prompt: String,
    /// The embedded generator draws the same image for the same request.
    pub seed: u32,
}

impl Request {
    /// The images of the character, the main one first.
    fn references(&self) -> impl Iterator<Item = &Arc<RgbImage>> {
        std::iter::once(&self.base).chain(&self.further)
    }
}

/// No image was generated.
#[derive(Debug, thiserror::Error)]
pub enum GeneratorError {
    #[error("the generation was interrupted: {0}")]
    TaskFailed(#[from] tokio::task::JoinError),
    #[error("the generated image can't be encoded: {0}")]
    Encoding(#[from] image::ImageError),
    #[error("the generated image is unusable: {0}")]
    Unusable(#[from] DecodeError),
    /// The embedded generator draws one format only.
    #[error("{}; choose another ASPECT_RATIO or another generator", no_such_ratio(*.0))]
    NoSuchRatio(AspectRatio),
    #[error(transparent)]
    Service(#[from] ServiceError),
}

impl GeneratorError {
    /// The required response to this failure.
    #[must_use]
    pub fn disposition(&self) -> Disposition {
        match self {
            Self::TaskFailed(_) => Disposition::Retry,
            Self::Encoding(_) | Self::Unusable(_) => Disposition::Permanent,
            Self::NoSuchRatio(_) => Disposition::NeedsOperator,
            Self::Service(error) => error.failure.disposition(),
        }
    }

    /// This failure as the result of a check.
    #[must_use]
    pub fn to_check(&self) -> Check {
        match self {
            Self::Service(error) => error.to_check(),
            Self::NoSuchRatio(ratio) => Check::problem(no_such_ratio(*ratio), "choose another format or generator"),
            other => Check::problem(other.to_string(), "repeat the check"),
        }
    }
}

impl Generator {
    /// # Errors
    /// If the token can't be read.
    pub async fn new(config: GeneratorConfig, sdk: &SdkConfig) -> Result<Self, GeneratorError> {
        Ok(match config {
            GeneratorConfig::Embedded => Self::Embedded,
            GeneratorConfig::Replicate(config) => {
                Self::Replicate(Arc::new(Replicate::new(config, sdk).await.map_err(ServiceError::of::<Replicate>)?))
            }
            GeneratorConfig::ComfyUi(config) => {
                Self::ComfyUi(Arc::new(ComfyUi::new(config, sdk).map_err(ServiceError::of::<ComfyUi>)?))
            }
            GeneratorConfig::OpenAi(config) => {
                Self::OpenAi(Arc::new(OpenAiImages::new(config, sdk).await.map_err(ServiceError::of::<OpenAiImages>)?))
            }
        })
    }

    /// Checks that it can generate an image of this ratio from a base image, as far as that can be found out for free.
    ///
    /// # Errors
    /// If it can't, or its service can't be asked.
    pub async fn check(&self, ratio: AspectRatio) -> Result<(), GeneratorError> {
        match self {
            Self::Embedded => check_embedded(ratio),
            Self::Replicate(replicate) => checked(replicate.as_ref(), ratio).await,
            Self::OpenAi(service) => checked(service.as_ref(), ratio).await,
            Self::ComfyUi(comfyui) => checked(comfyui.as_ref(), ratio).await,
        }
    }

    /// The same as [`Self::check`] in detail, for the operator: also asks for the account and the model. Names what works
    /// too, and what works only in part.
    pub async fn examine(&self, ratio: AspectRatio) -> Vec<Check> {
        match self {
            Self::Embedded => vec![match ratio.nearest(embedded_ratio()) {
                Some(_) => Check::ok("the embedded generator needs nothing"),
                None => Check::problem(no_such_ratio(ratio), "leave --aspect-ratio out, or choose another generator"),
            }],
            Self::Replicate(replicate) => replicate.examine(ratio).await,
            Self::OpenAi(service) => service.examine(ratio).await,
            Self::ComfyUi(comfyui) => comfyui.examine().await,
        }
    }
}

fn no_such_ratio(ratio: AspectRatio) -> String {
    format!("the embedded generator draws 16:9 only, not {ratio}")
}

async fn checked<S: Service>(service: &S, ratio: AspectRatio) -> Result<(), GeneratorError> {
    Ok(service.check(ratio).await.map_err(ServiceError::of::<S>)?)
}

fn check_embedded(ratio: AspectRatio) -> Result<(), GeneratorError> {
    ratio.nearest(embedded_ratio()).map(|_| ()).ok_or(GeneratorError::NoSuchRatio(ratio))
}

/// The format of the embedded generator's pictures.
fn embedded_ratio() -> Option<AspectRatio> {
    AspectRatio::new(embedded::generator::WIDTH, embedded::generator::HEIGHT)
}

/// Generates an image with the embedded generator, and returns a JPEG that was decoded completely as a check.
///
/// # Errors
/// If the format is too far from 16:9, the image can't be encoded, or its JPEG can't be decoded.
pub async fn draw(request: Request) -> Result<Vec<u8>, GeneratorError> {
    check_embedded(request.format.ratio)?;
    let draw = move || {
        let image = embedded::generator::draw(&request.base, request.kind, &request.prompt, u64::from(request.seed));
        let bytes = encode_jpeg(&image)?;
        decode(&bytes)?;
        Ok(bytes)
    };
    tokio::task::spawn_blocking(draw).await?
}
