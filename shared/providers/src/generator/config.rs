//! The configuration of the image generator.

use aws::secrets::Secret;
use domain::money::MicroUsd;

use super::{FileLocation, ReplicateModel};

/// The image generator.
#[derive(Debug, Clone)]
pub enum GeneratorConfig {
    Embedded,
    Replicate(ReplicateConfig),
    ComfyUi(ComfyUiConfig),
}

/// Access to Replicate.
#[derive(Debug, Clone)]
pub struct ReplicateConfig {
    /// Such as `https://api.replicate.com`.
    pub base_url: String,
    pub token: Secret,
    pub model: ReplicateModel,
    pub usd_per_image: MicroUsd,
}

/// Access to ComfyUI.
#[derive(Debug, Clone)]
pub struct ComfyUiConfig {
    /// Such as `http://127.0.0.1:8188`.
    pub base_url: String,
    pub workflow: FileLocation,
    pub mapping: Option<FileLocation>,
    /// The bucket of files that lie in one.
    pub bucket: Option<String>,
    /// The price of one image on a rented GPU.
    pub usd_per_image: MicroUsd,
}

impl GeneratorConfig {
    #[must_use]
    pub fn usd_per_image(&self) -> MicroUsd {
        match self {
            Self::Embedded => MicroUsd::ZERO,
            Self::Replicate(config) => config.usd_per_image,
            Self::ComfyUi(config) => config.usd_per_image,
        }
    }
}
