//! Who judges and who draws: the models that are part of this program, unless somebody asks for those that cost money.

use std::collections::BTreeMap;
use std::env;

use anyhow::bail;
use balancer::adapters::vision::name_of;
use balancer::config::{GeneratorConfig, VisionConfig, from_variables};
use clap::{Args, ValueEnum};

use super::belongings::Belongings;
use super::data_folder::ActorFolder;
use super::price::Terms;
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

/// What stands in place of a key that is never used.
const NO_KEY: &str = "not-set";

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
    /// The template's parameters for the providers. A dry run generates nothing, and needs no token of a generator; whether
    /// it needs the vision model's key, [`Self::check_dry_run`] says.
    ///
    /// # Errors
    /// If a paid one is asked for and its key is not in the environment.
    pub fn parameters(self, dry_run: bool) -> anyhow::Result<Vec<(&'static str, String)>> {
        if dry_run {
            return self.parameters_of_dry_run();
        }
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

    fn parameters_of_dry_run(self) -> anyhow::Result<Vec<(&'static str, String)>> {
        let mut parameters = match self.vision {
            Vision::Embedded => vec![("VisionProvider", "embedded".to_owned())],
            Vision::OpenAi if is_set(OF_VISION[0].0) => from_environment("VisionProvider", "openai", &OF_VISION)?,
            Vision::OpenAi => {
                let provider = [("VisionProvider", "openai".to_owned()), (OF_VISION[0].1, NO_KEY.to_owned())];
                provider.into_iter().chain(set_ones(&OF_VISION[1..])).collect()
            }
        };
        parameters.push(("Generator", "embedded".to_owned()));
        parameters.extend(set_ones(&OF_BUDGET));
        Ok(parameters)
    }

    /// What the models cost, and the rules of the run.
    ///
    /// # Errors
    /// If a setting of a paid model can't be used.
    pub fn terms(self, max_deleted_percent: u8) -> anyhow::Result<Terms> {
        Ok(Terms { vision: self.vision_config()?, generator: self.generator_config()?, max_deleted_percent })
    }

    /// Makes sure that a dry run without a key has nothing to ask the vision model.
    ///
    /// # Errors
    /// If there are images that the model has not rated in an earlier run; the error names them.
    pub fn check_dry_run(self, folders: &[ActorFolder]) -> anyhow::Result<()> {
        let VisionConfig::OpenAi(config) = self.vision_config()? else { return Ok(()) };
        if is_set(OF_VISION[0].0) {
            return Ok(());
        }
        let model = name_of(&config);
        for folder in folders {
            // What can't be read is said by whoever takes it in.
            let Ok(belongings) = Belongings::of(folder) else { continue };
            let unrated = belongings.unrated(&model);
            if let Some(first) = unrated.first() {
                bail!(WrongUsage(format!(
                    "openai needs {} to rate {} of {} that no earlier run has rated ({first}{}); set it, or leave --vision out: what is built in costs nothing",
                    OF_VISION[0].0,
                    if unrated.len() == 1 { "1 image".to_owned() } else { format!("{} images", unrated.len()) },
                    folder.actor,
                    if unrated.len() == 1 { "" } else { ", …" },
                )));
            }
        }
        Ok(())
    }

    fn vision_config(self) -> anyhow::Result<VisionConfig> {
        let provider = match self.vision {
            Vision::Embedded => "embedded",
            Vision::OpenAi => "openai",
        };
        Ok(from_variables(described("VISION_PROVIDER", provider, &OF_VISION))?)
    }

    fn generator_config(self) -> anyhow::Result<GeneratorConfig> {
        let provider = match self.generator {
            Generator::Embedded => "embedded",
            Generator::Replicate => "replicate",
        };
        Ok(from_variables(described("GENERATOR", provider, &OF_GENERATOR))?)
    }
}

/// What the environment says of a provider, as its function would read it. Its key, the first variable, may be missing.
fn described(variable: &str, provider: &str, variables: &[(&str, &'static str)]) -> BTreeMap<String, String> {
    let (key, _) = variables[0];
    let set = variables.iter().filter_map(|(name, _)| Some(((*name).to_owned(), env::var(name).ok()?)));
    let mut described: BTreeMap<String, String> =
        [(key.to_owned(), NO_KEY.to_owned())].into_iter().chain(set).collect();
    described.insert(variable.to_owned(), provider.to_owned());
    described
}

fn is_set(variable: &str) -> bool {
    env::var(variable).is_ok_and(|value| !value.is_empty())
}

/// A paid provider with what the environment says of it; the first variable is its key.
fn from_environment(
    parameter: &'static str,
    provider: &str,
    variables: &[(&str, &'static str)],
) -> anyhow::Result<Vec<(&'static str, String)>> {
    let (key, _) = variables[0];
    if is_set(key) {
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
