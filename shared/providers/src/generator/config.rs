//! The configuration of the image generator.

use aws::secrets::Secret;
use domain::money::MicroUsd;

use super::ReplicateModel;

/// The image generator.
#[derive(Debug, Clone)]
pub enum GeneratorConfig {
    Embedded,
    Replicate(ReplicateConfig),
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

impl GeneratorConfig {
    #[must_use]
    pub fn usd_per_image(&self) -> MicroUsd {
        match self {
            Self::Embedded => MicroUsd::ZERO,
            Self::Replicate(config) => config.usd_per_image,
        }
    }
}
