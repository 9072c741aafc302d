//! Who makes images.

mod config;
mod replicate;

use std::sync::Arc;

use aws::SdkConfig;
use domain::kind::Kind;
use image::RgbImage;
use imaging::{DecodeError, decode, encode_jpeg};

pub use config::{GeneratorConfig, ReplicateConfig};
pub use replicate::{CREATION_TIMEOUT, Prediction, Replicate, ReplicateError, ReplicateModel, UnknownModel};

/// An image generator.
#[derive(Debug, Clone)]
pub enum Generator {
    /// The one that is part of this program: it varies the base image.
    Embedded,
    /// Replicate, which costs money.
    Replicate(Arc<Replicate>),
}

/// An image to make.
#[derive(Debug, Clone)]
pub struct Request {
    /// Who is to be shown.
    pub base: Arc<RgbImage>,
    /// What kind of image.
    pub kind: Kind,
    /// The scene, in words.
    pub prompt: String,
    /// The same request with the same seed gives the same image.
    pub seed: u32,
}

/// No image was made.
#[derive(Debug, thiserror::Error)]
pub enum GeneratorError {
    /// The computation was cut off. Trying again may help.
    #[error("drawing the image was cut off: {0}")]
    CutOff(#[from] tokio::task::JoinError),
    /// The image could not be written as a JPEG. Trying again won't help.
    #[error("the generated image can't be encoded: {0}")]
    Encoding(#[from] image::ImageError),
    /// What came back is unusable as an image. Trying again won't help.
    #[error("the generator's answer is unusable: {0}")]
    Unusable(#[from] DecodeError),
    /// Replicate failed.
    #[error(transparent)]
    Replicate(#[from] ReplicateError),
}

impl GeneratorError {
    /// Whether only another image can help: the same request would fail the same way.
    #[must_use]
    pub fn is_final(&self) -> bool {
        match self {
            Self::CutOff(_) => false,
            Self::Encoding(_) | Self::Unusable(_) => true,
            Self::Replicate(error) => error.is_final(),
        }
    }
}

impl Generator {
    /// The configured generator.
    ///
    /// # Errors
    /// If its key can't be read.
    pub async fn new(config: GeneratorConfig, sdk: &SdkConfig) -> Result<Self, GeneratorError> {
        Ok(match config {
            GeneratorConfig::Embedded => Self::Embedded,
            GeneratorConfig::Replicate(config) => Self::Replicate(Arc::new(Replicate::new(config, sdk).await?)),
        })
    }
}

/// Has the embedded generator make an image: the bytes of a JPEG that has been read back whole.
///
/// # Errors
/// If none was made, or what was made is unusable.
pub async fn draw(request: Request) -> Result<Vec<u8>, GeneratorError> {
    let draw = move || {
        let image = embedded::generator::draw(&request.base, request.kind, &request.prompt, u64::from(request.seed));
        let bytes = encode_jpeg(&image)?;
        decode(&bytes)?;
        Ok(bytes)
    };
    tokio::task::spawn_blocking(draw).await?
}
