//! The configuration of the generator.

use aws::secrets::Secret;
use domain::money::MicroUsd;

use super::ReplicateModel;

/// Who makes images.
#[derive(Debug, Clone)]
pub enum GeneratorConfig {
    /// The generator that is part of this program.
    Embedded,
    /// Replicate.
    Replicate(ReplicateConfig),
}

/// How Replicate is asked.
#[derive(Debug, Clone)]
pub struct ReplicateConfig {
    /// The server, such as `https://api.replicate.com`.
    pub base_url: String,
    /// What it asks for.
    pub token: Secret,
    /// The image model.
    pub model: ReplicateModel,
    /// What an image costs.
    pub usd_per_image: MicroUsd,
}

impl GeneratorConfig {
    /// The price of an image.
    #[must_use]
    pub fn usd_per_image(&self) -> MicroUsd {
        match self {
            Self::Embedded => MicroUsd::ZERO,
            Self::Replicate(config) => config.usd_per_image,
        }
    }
}
