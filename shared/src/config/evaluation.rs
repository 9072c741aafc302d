//! What the evaluation function is told.

use std::time::Duration;

use super::{Config, Reader, Secret, Section};
use crate::domain::assessment::BEST_QUALITY;
use crate::domain::budget::Budget;
use crate::domain::limits::FrontalImages;
use crate::domain::money::MicroUsd;
use crate::domain::target::Target;

/// The upper limit of the timeout for one answer of the vision service, in seconds: the waiting function must finish
/// within its own 300 s, and so must its lease.
pub const LONGEST_TIMEOUT_SECONDS: u64 = 240;

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
    pub most_deleted_percent: u8,
    /// How often in a row a set is mended before a person is asked.
    pub max_rounds: u32,
    /// How long the bucket must have been quiet before a set is judged.
    pub quiet: Duration,
    /// Who judges images.
    pub vision: VisionConfig,
    /// What may be spent.
    pub budget: Budget,
}

/// Who judges images.
#[derive(Debug, Clone)]
pub enum VisionConfig {
    /// The model that is part of this program.
    Embedded,
    /// A server that speaks OpenAI's chat completions.
    OpenAi(OpenAiConfig),
}

/// How the vision model is asked.
#[derive(Debug, Clone)]
pub struct OpenAiConfig {
    /// The server, such as `https://api.openai.com/v1`.
    pub base_url: String,
    /// What it asks for.
    pub key: Secret,
    /// Which model.
    pub model: String,
    /// How much it is to think before it answers, in its vendor's word; none for models that can't be told.
    pub reasoning_effort: Option<String>,
    /// How images are shown.
    pub mode: VisionMode,
    /// How often each image is shown, each time in another order: 1 or 2.
    pub passes: u8,
    /// How long one answer is waited for.
    pub timeout: Duration,
    /// What a million tokens cost that are sent.
    pub usd_per_million_input_tokens: MicroUsd,
    /// What a million tokens cost that are answered.
    pub usd_per_million_output_tokens: MicroUsd,
}

/// How images are shown to the vision model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VisionMode {
    /// Many on one numbered grid.
    Grid,
    /// Each by itself, with its number before it.
    Individual,
}

impl std::str::FromStr for VisionMode {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "grid" => Ok(Self::Grid),
            "individual" => Ok(Self::Individual),
            _ => Err(()),
        }
    }
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
            most_deleted_percent: reader
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

impl OpenAiConfig {
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
