//! What the evaluation function is told.

use std::time::Duration;

use domain::assessment::BEST_QUALITY;
use domain::budget::Budget;
use domain::limits::FrontalImages;
use domain::money::MicroUsd;
use domain::target::Target;
use providers::vision::{LONGEST_TIMEOUT_SECONDS, OpenAiConfig, VisionConfig, VisionMode};

use super::{Config, Reader, Section};

/// Everything the evaluation function is told by its environment.
#[derive(Debug, Clone)]
pub struct EvaluationConfig {
    /// What every function is told.
    pub common: Config,
    /// The set that every actor should have.
    pub target: Target,
    /// Images of a lower quality than this are replaced.
    pub quality_floor: u8,
    /// The treatment of images that face the camera or are symmetrical.
    pub frontal_images: FrontalImages,
    /// The share of a set, in percent, that one plan may delete without being approved.
    pub max_deleted_percent: u8,
    /// How often in a row a set is mended before a person is asked.
    pub max_rounds: u32,
    /// How long the bucket must have been quiet before a set is judged.
    pub quiet: Duration,
    /// Who judges images.
    pub vision: VisionConfig,
    /// What may be spent.
    pub budget: Budget,
}

impl Section for EvaluationConfig {
    fn read(reader: &mut Reader) -> Self {
        let default = Target::default();
        Self {
            common: Config::read(reader),
            target: Target {
                total: reader.optional("TARGET_TOTAL", "a number from 1 to 500", default.total, |total| {
                    (1..=500).contains(total)
                }),
                shares: reader.optional("TARGET_SHARES", "such as 65/20/15, summing to 100", default.shares, |_| true),
            },
            quality_floor: reader
                .optional("QUALITY_FLOOR", "a number from 1 to 10", 5, |floor| (1..=BEST_QUALITY).contains(floor)),
            frontal_images: reader.optional("FRONTAL_IMAGES", "keep or replace", FrontalImages::Keep, |_| true),
            max_deleted_percent: reader
                .optional("MAX_DELETED_PERCENT", "a number from 0 to 100", 50, |&percent| percent <= 100),
            max_rounds: reader.optional("MAX_ROUNDS", "a number from 1 to 100", 3, |rounds| (1..=100).contains(rounds)),
            quiet: Duration::from_secs(reader.optional(
                "QUIET_SECONDS",
                "a number from 0 to 900",
                20,
                |&seconds: &u64| seconds <= 900,
            )),
            vision: VisionConfig::read(reader),
            budget: Budget::read(reader),
        }
    }
}

impl Section for VisionConfig {
    fn read(reader: &mut Reader) -> Self {
        match reader.one_of("VISION_PROVIDER", &[("openai", true), ("embedded", false)]) {
            Some(true) => Self::OpenAi(OpenAiConfig::read(reader)),
            _ => Self::Embedded,
        }
    }
}

impl Section for OpenAiConfig {
    fn read(reader: &mut Reader) -> Self {
        const DOLLARS: &str = "an amount in dollars, such as 0.10";
        Self {
            base_url: reader.base_url("OPENAI_BASE_URL", "https://api.openai.com/v1"),
            key: reader.secret("OPENAI_API_KEY", "VISION_PROVIDER=openai"),
            model: reader.optional("VISION_MODEL", "a model's name", "gpt-6-luna".to_owned(), |_| true),
            // Judging is looking: by default no model spends tokens and seconds on thinking.
            reasoning_effort: reader.word_or_none("VISION_REASONING_EFFORT", "none"),
            mode: reader.optional("VISION_MODE", "grid or individual", VisionMode::Grid, |_| true),
            passes: reader.optional("VISION_PASSES", "1 or 2", 1, |passes| (1..=2).contains(passes)),
            timeout: Duration::from_secs(reader.optional(
                "VISION_TIMEOUT_SECONDS",
                "a number from 1 to 240",
                60,
                |seconds| (1..=LONGEST_TIMEOUT_SECONDS).contains(seconds),
            )),
            usd_per_million_input_tokens: reader.optional(
                "VISION_USD_PER_MILLION_INPUT_TOKENS",
                DOLLARS,
                MicroUsd(100_000),
                |_| true,
            ),
            usd_per_million_output_tokens: reader.optional(
                "VISION_USD_PER_MILLION_OUTPUT_TOKENS",
                DOLLARS,
                MicroUsd(500_000),
                |_| true,
            ),
        }
    }
}
