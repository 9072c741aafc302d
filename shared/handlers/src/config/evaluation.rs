//! The configuration of the evaluation function.

use std::time::Duration;

use domain::assessment::BEST_QUALITY;
use domain::budget::Budget;
use domain::coverage::ViewShares;
use domain::limits::Rules;
use domain::limits::frontal::FrontalRule;
use domain::money::MicroUsd;
use domain::settings::Settings;
use domain::target::{MAX_TARGET_TOTAL, Target};
use jiff::SignedDuration;
use providers::vision::{LONGEST_TIMEOUT_SECONDS, OpenAiConfig, VisionConfig, VisionMode};

use super::{Config, Reader, Section};

#[derive(Debug, Clone)]
pub struct EvaluationConfig {
    pub common: Config,
    /// The settings of sets whose `actor.json` states no others.
    pub settings: Settings,
    /// The percentage of a set that one plan may delete without approval.
    pub max_deleted_percent: u8,
    /// Consecutive rounds before the actor needs attention.
    pub max_rounds: u32,
    /// How long uploads must pause before an evaluation starts.
    pub quiet: Duration,
    /// How long an actor's work may make no progress before a sweep resumes it.
    pub stalled_after: SignedDuration,
    pub vision: VisionConfig,
    pub budget: Budget,
}

impl Section for EvaluationConfig {
    fn read(reader: &mut Reader) -> Self {
        Self {
            common: Config::read(reader),
            settings: Settings { target: Target::read(reader), rules: Rules::read(reader), ..Settings::default() },
            max_deleted_percent: reader
                .optional("MAX_DELETED_PERCENT", "a number from 0 to 100", 50, |&percent| percent <= 100),
            max_rounds: reader.optional("MAX_ROUNDS", "a number from 1 to 100", 3, |rounds| (1..=100).contains(rounds)),
            quiet: Duration::from_secs(reader.optional(
                "QUIET_SECONDS",
                "a number from 0 to 900",
                20,
                |&seconds: &u64| seconds <= 900,
            )),
            stalled_after: SignedDuration::from_secs(reader.optional(
                "STALLED_AFTER_SECONDS",
                "a number from 1 to 1209600",
                10_800,
                |seconds| (1..=1_209_600).contains(seconds),
            )),
            vision: VisionConfig::read(reader),
            budget: Budget::read(reader),
        }
    }
}

impl Section for Rules {
    fn read(reader: &mut Reader) -> Self {
        let default = Self::default();
        Self {
            quality_floor: reader.optional(
                "QUALITY_FLOOR",
                "a number from 1 to 10",
                default.quality_floor,
                |quality| (1..=BEST_QUALITY).contains(quality),
            ),
            limits: reader.explained("QUALITY_LIMITS", default.limits),
            frontal: FrontalRule {
                own: reader.optional("FRONTAL_IMAGES", "keep or replace", default.frontal.own, |_| true),
                percent: reader.optional(
                    "FRONTAL_PERCENT",
                    "a number from 0 to 100",
                    default.frontal.percent,
                    |&percent| percent <= 100,
                ),
            },
        }
    }
}

impl Section for Target {
    fn read(reader: &mut Reader) -> Self {
        const FOUR_SHARES: &str = "such as 30/40/20/10, summing to 100";
        let default = Self::default();
        Self {
            total: reader.optional("TARGET_TOTAL", "a number from 1 to 500", default.total, |total| {
                (1..=MAX_TARGET_TOTAL).contains(total)
            }),
            shares: reader.optional("TARGET_SHARES", "such as 65/20/15, summing to 100", default.shares, |_| true),
            views: ViewShares {
                framing: reader.optional("FRAMING_SHARES", FOUR_SHARES, default.views.framing, |_| true),
                angle: reader.optional("ANGLE_SHARES", FOUR_SHARES, default.views.angle, |_| true),
            },
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
            // Reasoning costs tokens and time, and assessing images doesn't need it.
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
