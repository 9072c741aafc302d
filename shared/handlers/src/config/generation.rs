//! The configuration of the generation function.

use domain::budget::Budget;
use domain::format::Format;
use domain::money::MicroUsd;
use providers::generator::{
    ComfyUiConfig, FileLocation, GeneratorConfig, OpenAiImagesConfig, Price, ReplicateConfig, ReplicateModel,
};

use super::{Config, Reader, Section};

#[derive(Debug, Clone)]
pub struct GenerationConfig {
    pub common: Config,
    pub generator: GeneratorConfig,
    pub format: Format,
    pub budget: Budget,
}

impl Section for GenerationConfig {
    fn read(reader: &mut Reader) -> Self {
        Self {
            common: Config::read(reader),
            generator: GeneratorConfig::read(reader),
            format: Format::read(reader),
            budget: Budget::read(reader),
        }
    }
}

impl Section for Format {
    fn read(reader: &mut Reader) -> Self {
        let default = Self::default();
        Self {
            ratio: reader.explained("ASPECT_RATIO", default.ratio),
            size: reader.explained("IMAGE_MEGAPIXELS", default.size),
        }
    }
}

/// The values of `GENERATOR`.
#[derive(Clone, Copy)]
enum Choice {
    Embedded,
    Replicate,
    OpenAi,
    ComfyUi,
}

impl Section for GeneratorConfig {
    fn read(reader: &mut Reader) -> Self {
        let choices = [
            ("replicate", Choice::Replicate),
            ("openai", Choice::OpenAi),
            ("comfyui", Choice::ComfyUi),
            ("embedded", Choice::Embedded),
        ];
        match reader.one_of("GENERATOR", &choices) {
            Some(Choice::Replicate) => Self::Replicate(ReplicateConfig::read(reader)),
            Some(Choice::OpenAi) => Self::OpenAi(OpenAiImagesConfig::read(reader)),
            Some(Choice::ComfyUi) => Self::ComfyUi(ComfyUiConfig::read(reader)),
            Some(Choice::Embedded) | None => Self::Embedded,
        }
    }
}

impl Section for ReplicateConfig {
    fn read(reader: &mut Reader) -> Self {
        let model = reader.optional("REPLICATE_MODEL", ReplicateModel::ACCEPTED, ReplicateModel::default(), |_| true);
        Self {
            base_url: reader.base_url("REPLICATE_BASE_URL", "https://api.replicate.com"),
            token: reader.secret("REPLICATE_API_TOKEN", "GENERATOR=replicate"),
            price: price(reader, model.usd_per_image(), &format!("REPLICATE_MODEL {model}")),
            model,
        }
    }
}

impl Section for OpenAiImagesConfig {
    fn read(reader: &mut Reader) -> Self {
        let model = reader.optional("OPENAI_IMAGES_MODEL", "a model's name", "gpt-image-2".to_owned(), |_| true);
        Self {
            base_url: reader.base_url("OPENAI_IMAGES_BASE_URL", "https://api.openai.com/v1"),
            key: reader.secret("OPENAI_IMAGES_API_KEY", "GENERATOR=openai"),
            price: price(reader, None, &format!("OPENAI_IMAGES_MODEL {model}")),
            model,
            quality: reader.word_or_none("OPENAI_IMAGES_QUALITY", "medium"),
        }
    }
}

impl Section for ComfyUiConfig {
    fn read(reader: &mut Reader) -> Self {
        const FILE: &str = "a path, or s3: and a key in the stack's bucket";
        Self {
            base_url: reader.base_url("COMFYUI_URL", "http://127.0.0.1:8188"),
            workflow: reader.if_set("COMFYUI_WORKFLOW", FILE).unwrap_or_else(|| {
                reader.reject(
                    "GENERATOR=comfyui needs COMFYUI_WORKFLOW, the file of a workflow in API form, and it is not set"
                        .to_owned(),
                    None,
                );
                FileLocation::default()
            }),
            mapping: reader.if_set("COMFYUI_MAPPING", FILE),
            bucket: reader.text("BUCKET"),
            // A machine of one's own costs nothing.
            price: price(reader, Some(MicroUsd::ZERO), "the workflow"),
        }
    }
}

/// The price of an image: the given one, else the known one. One of them is required, even if it is 0.
fn price(reader: &mut Reader, known: Option<MicroUsd>, model: &str) -> Price {
    const DOLLARS: &str = "an amount in dollars, such as 0.04";
    let per_megapixel = reader.if_set("GENERATOR_USD_PER_MEGAPIXEL", DOLLARS);
    let per_image = reader.if_set("GENERATOR_USD_PER_IMAGE", DOLLARS);
    if per_image.or(per_megapixel).or(known).is_none() {
        reader.reject(
            format!(
                "neither GENERATOR_USD_PER_IMAGE nor GENERATOR_USD_PER_MEGAPIXEL is set, and the price of {model} is not known"
            ),
            Some("set the price of one image, such as 0.04, or 0 if it costs nothing"),
        );
    }
    let known = known.filter(|_| per_megapixel.is_none());
    Price { per_image: per_image.or(known).unwrap_or_default(), per_megapixel: per_megapixel.unwrap_or_default() }
}
