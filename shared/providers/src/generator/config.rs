//! The configuration of the image generator.

use aws::secrets::Secret;
use domain::format::Megapixels;
use domain::money::MicroUsd;

use super::{FileLocation, ReplicateModel};

/// The image generator.
#[derive(Debug, Clone)]
pub enum GeneratorConfig {
    Embedded,
    Replicate(ReplicateConfig),
    OpenAi(OpenAiImagesConfig),
    ComfyUi(ComfyUiConfig),
}

/// Access to Replicate.
#[derive(Debug, Clone)]
pub struct ReplicateConfig {
    /// Such as `https://api.replicate.com`.
    pub base_url: String,
    pub token: Secret,
    pub model: ReplicateModel,
    pub price: Price,
}

/// Access to a service with OpenAI's image edits.
#[derive(Debug, Clone)]
pub struct OpenAiImagesConfig {
    /// Such as `https://api.openai.com/v1`.
    pub base_url: String,
    pub key: Secret,
    pub model: String,
    /// The vendor's value of `quality`; `None` for servers without this field.
    pub quality: Option<String>,
    pub price: Price,
}

/// The price of an image.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Price {
    pub per_image: MicroUsd,
    pub per_megapixel: MicroUsd,
}

impl Price {
    /// The price of an image of this size.
    #[must_use]
    pub fn of(self, size: Megapixels) -> MicroUsd {
        let of_hundred = self.per_megapixel * u64::from(size.hundredths());
        self.per_image + MicroUsd(of_hundred.0.div_ceil(100))
    }
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
    /// The price on a rented GPU.
    pub price: Price,
}

impl GeneratorConfig {
    /// The price of an image of this size.
    #[must_use]
    pub fn price(&self, size: Megapixels) -> MicroUsd {
        match self {
            Self::Embedded => MicroUsd::ZERO,
            Self::Replicate(config) => config.price.of(size),
            Self::OpenAi(config) => config.price.of(size),
            Self::ComfyUi(config) => config.price.of(size),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn price_adds_the_image_and_its_megapixels() {
        let price = Price { per_image: MicroUsd(10_000), per_megapixel: MicroUsd(15_000) };
        for (size, amount) in [("1", 25_000), ("2", 40_000), ("0.25", 13_750), ("0.33", 14_950)] {
            assert_eq!(price.of(size.parse().unwrap()), MicroUsd(amount), "{size}");
        }
    }
}
