//! Who judges images.

pub mod embedded;

use std::sync::Arc;

use aws_config::SdkConfig;
use image::RgbImage;

use embedded::EmbeddedVision;

use crate::config::VisionConfig;
use crate::domain::assessment::Observation;

/// A vision model. It sees images and says what it sees, nothing else.
#[derive(Clone)]
pub enum VisionModel {
    /// The model that is part of this program: it judges by measuring pixels.
    Embedded(Arc<EmbeddedVision>),
}

/// The vision model could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum VisionError {
    /// The embedded model's data can't be read. Trying again won't help.
    #[error("the embedded model can't be loaded: {0}")]
    Model(#[from] std::io::Error),
    /// The computation was cut off. Trying again may help.
    #[error("judging the images was cut off: {0}")]
    CutOff(#[from] tokio::task::JoinError),
}

impl VisionModel {
    /// The configured model.
    ///
    /// # Errors
    /// If the model can't be loaded.
    pub async fn new(config: VisionConfig, _sdk: &SdkConfig) -> Result<Self, VisionError> {
        match config {
            VisionConfig::Embedded => Ok(Self::Embedded(Arc::new(EmbeddedVision::new()?))),
            VisionConfig::OpenAi(_) => Err(std::io::Error::other("this version has no client of OpenAI").into()),
        }
    }

    /// The model's name and version: what it has said once is not asked again.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Embedded(_) => "embedded-1",
        }
    }

    /// Judges images, in their order.
    ///
    /// # Errors
    /// If the model can't be asked.
    pub async fn observe(&self, images: Vec<Arc<RgbImage>>) -> Result<Vec<Observation>, VisionError> {
        match self {
            Self::Embedded(model) => {
                let model = Arc::clone(model);
                let judge = move || images.iter().map(|image| model.observe(image)).collect();
                Ok(tokio::task::spawn_blocking(judge).await?)
            }
        }
    }
}
