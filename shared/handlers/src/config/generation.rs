//! The configuration of the generation function.

use domain::budget::Budget;
use providers::generator::{GeneratorConfig, ReplicateConfig, ReplicateModel};

use super::{Config, Reader, Section};

#[derive(Debug, Clone)]
pub struct GenerationConfig {
    pub common: Config,
    pub generator: GeneratorConfig,
    pub budget: Budget,
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

impl Section for ReplicateConfig {
    fn read(reader: &mut Reader) -> Self {
        let model = reader.optional("REPLICATE_MODEL", ReplicateModel::ACCEPTED, ReplicateModel::default(), |_| true);
        let usd_per_image = reader.optional_if_known(
            "GENERATOR_USD_PER_IMAGE",
            "the price of one image in dollars, such as 0.04",
            model.usd_per_image(),
            &format!("the price of REPLICATE_MODEL {model} is not known"),
        );
        Self {
            base_url: reader.base_url("REPLICATE_BASE_URL", "https://api.replicate.com"),
            token: reader.secret("REPLICATE_API_TOKEN", "GENERATOR=replicate"),
            model,
            usd_per_image,
        }
    }
}
