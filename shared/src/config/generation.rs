//! What the generation function is told.

use super::{Config, Reader, ReplicateModel, Secret, Section};
use crate::domain::budget::Budget;
use crate::domain::money::MicroUsd;

/// Everything the generation function is told by its environment.
#[derive(Debug, Clone)]
pub struct GenerationConfig {
    /// What every function is told.
    pub common: Config,
    /// Who makes images.
    pub generator: GeneratorConfig,
    /// What may be spent.
    pub budget: Budget,
}

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

impl Section for GenerationConfig {
    fn read(reader: &mut Reader) -> Self {
        Self { common: Config::read(reader), generator: GeneratorConfig::read(reader), budget: Budget::read(reader) }
    }
}

impl Section for GeneratorConfig {
    fn read(reader: &mut Reader) -> Self {
        match reader.one_of("GENERATOR", &[("replicate", true), ("embedded", false)]) {
            Some(true) => Self::Replicate(ReplicateConfig::read(reader)),
            _ => Self::Embedded,
        }
    }
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

impl ReplicateConfig {
    fn read(reader: &mut Reader) -> Self {
        Self {
            base_url: reader.base_url("REPLICATE_BASE_URL", "https://api.replicate.com"),
            token: reader.secret("REPLICATE_API_TOKEN", "GENERATOR=replicate"),
            model: reader.optional("REPLICATE_MODEL", ReplicateModel::ACCEPTED, ReplicateModel::KontextPro, |_| true),
            usd_per_image: reader.optional(
                "GENERATOR_USD_PER_IMAGE",
                "an amount in dollars, such as 0.04",
                MicroUsd(40_000),
                |_| true,
            ),
        }
    }
}
