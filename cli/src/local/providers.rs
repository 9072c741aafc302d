//! Who judges and who draws: the models that are part of this program, unless somebody asks for those that cost money.

use std::env;

use anyhow::bail;
use clap::{Args, ValueEnum};

use crate::outcome::WrongUsage;

/// Images that Replicate is asked for at the same time: it is waiting, not work for this machine.
const REPLICATE_SIDE_BY_SIDE: usize = 8;

/// Variables that the paid services are described by, and the template's parameters they become.
const OF_VISION: [(&str, &str); 8] = [
    ("OPENAI_API_KEY", "OpenAiApiKey"),
    ("OPENAI_BASE_URL", "OpenAiBaseUrl"),
    ("VISION_MODEL", "VisionModel"),
    ("VISION_REASONING_EFFORT", "VisionReasoningEffort"),
    ("VISION_MODE", "VisionMode"),
    ("VISION_PASSES", "VisionPasses"),
    ("VISION_USD_PER_MILLION_INPUT_TOKENS", "VisionUsdPerMillionInputTokens"),
    ("VISION_USD_PER_MILLION_OUTPUT_TOKENS", "VisionUsdPerMillionOutputTokens"),
];
const OF_GENERATOR: [(&str, &str); 4] = [
    ("REPLICATE_API_TOKEN", "ReplicateApiToken"),
    ("REPLICATE_BASE_URL", "ReplicateBaseUrl"),
    ("REPLICATE_MODEL", "ReplicateModel"),
    ("GENERATOR_USD_PER_IMAGE", "GeneratorUsdPerImage"),
];
const OF_BUDGET: [(&str, &str); 3] = [
    ("DAILY_BUDGET_USD", "DailyBudgetUsd"),
    ("ACTOR_DAILY_BUDGET_USD", "ActorDailyBudgetUsd"),
    ("PLAN_BUDGET_USD", "PlanBudgetUsd"),
];

/// Never chosen by the mere presence of a key.
#[derive(Debug, Clone, Copy, Default, Args)]
pub struct ProviderArguments {
    /// Who judges; `openai` costs money and reads OPENAI_API_KEY, OPENAI_BASE_URL, VISION_MODEL, VISION_REASONING_EFFORT, VISION_MODE, VISION_PASSES and the prices VISION_USD_PER_MILLION_INPUT_TOKENS, VISION_USD_PER_MILLION_OUTPUT_TOKENS
    #[arg(long, value_enum, default_value_t)]
    pub vision: Vision,
    /// Who draws; `replicate` costs money and reads REPLICATE_API_TOKEN, REPLICATE_BASE_URL, REPLICATE_MODEL and the price GENERATOR_USD_PER_IMAGE
    #[arg(long, value_enum, default_value_t)]
    pub generator: Generator,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Vision {
    #[default]
    Embedded,
    #[value(name = "openai")]
    OpenAi,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Generator {
    #[default]
    Embedded,
    Replicate,
}

impl ProviderArguments {
    /// The template's parameters for the providers.
    ///
    /// # Errors
    /// If a paid one is asked for and its key is not in the environment.
    pub fn parameters(self) -> anyhow::Result<Vec<(&'static str, String)>> {
        let cores = std::thread::available_parallelism().map_or(2, |cores| cores.get().max(2));
        let mut parameters = match self.vision {
            Vision::Embedded => vec![("VisionProvider", "embedded".to_owned())],
            Vision::OpenAi => from_environment("VisionProvider", "openai", &OF_VISION)?,
        };
        let (generator, side_by_side) = match self.generator {
            Generator::Embedded => (vec![("Generator", "embedded".to_owned())], cores),
            Generator::Replicate => {
                (from_environment("Generator", "replicate", &OF_GENERATOR)?, REPLICATE_SIDE_BY_SIDE)
            }
        };
        parameters.extend(generator);
        parameters.extend(set_ones(&OF_BUDGET));
        parameters.push(("GeneratorConcurrency", side_by_side.to_string()));
        Ok(parameters)
    }
}

/// A paid provider with what the environment says of it; the first variable is its key.
fn from_environment(
    parameter: &'static str,
    provider: &str,
    variables: &[(&str, &'static str)],
) -> anyhow::Result<Vec<(&'static str, String)>> {
    let (key, _) = variables[0];
    if env::var(key).is_ok_and(|value| !value.is_empty()) {
        Ok([(parameter, provider.to_owned())].into_iter().chain(set_ones(variables)).collect())
    } else {
        bail!(WrongUsage(format!(
            "{provider} needs {key}, which is not set; set it, or leave the option out: what is built in costs nothing"
        )))
    }
}

fn set_ones(variables: &[(&str, &'static str)]) -> impl Iterator<Item = (&'static str, String)> {
    variables.iter().filter_map(|(name, parameter)| Some((*parameter, env::var(name).ok()?)))
}
