//! Who makes images.

pub mod embedded;

use std::sync::Arc;

use image::RgbImage;

use crate::config::GeneratorConfig;
use crate::domain::kind::Kind;
use crate::imaging::{DecodeError, decode, encode_jpeg};

/// An image generator.
#[derive(Debug, Clone, Copy)]
pub enum Generator {
    /// The one that is part of this program: it varies the base image.
    Embedded,
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
    /// What came back is no use as an image. Trying again won't help.
    #[error("the generator's answer is no use: {0}")]
    Unusable(#[from] DecodeError),
}

impl GeneratorError {
    /// Whether the same request may succeed another time.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        matches!(self, Self::CutOff(_))
    }
}

impl Generator {
    /// The configured generator.
    #[must_use]
    pub fn new(config: GeneratorConfig) -> Self {
        match config {
            GeneratorConfig::Embedded => Self::Embedded,
        }
    }

    /// The generator's name and version.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Embedded => "embedded-1",
        }
    }

    /// Makes an image: the bytes of a JPEG that has been read back whole.
    ///
    /// # Errors
    /// If none was made, or what was made is no use.
    pub async fn generate(&self, request: Request) -> Result<Vec<u8>, GeneratorError> {
        let bytes = match self {
            Self::Embedded => tokio::task::spawn_blocking(move || draw(&request)).await??,
        };
        decode(&bytes)?;
        Ok(bytes)
    }
}

fn draw(request: &Request) -> Result<Vec<u8>, GeneratorError> {
    let image = embedded::draw(&request.base, request.kind, &request.prompt, u64::from(request.seed));
    Ok(encode_jpeg(&image)?)
}
