//! The vision provider and the generator: the embedded ones, unless the user requests a paid service.

use std::collections::BTreeMap;
use std::env;

use anyhow::bail;
use clap::{Args, ValueEnum};
use domain::budget::Budget;
use domain::files::images_in_words;
use domain::format::{AspectRatio, Format, Megapixels, OwnFormat};
use handlers::config::{InvalidConfig, from_variables};
use providers::Check;
use providers::generator::GeneratorConfig;
use providers::vision::VisionConfig;
use providers::vision::name_of;

use super::actor_files::ActorFiles;
use super::data_folder::ActorFolder;
use super::price::Terms;
use super::variables::{
    OF_BUDGET, OF_COMFYUI, OF_OPENAI_IMAGES, OF_REPLICATE, OF_VISION, VISION_KEY, Variable, Variables, setting,
};
use crate::outcome::WrongUsage;

/// The number of concurrent requests to a service. They take no work on this machine.
const SERVICE_CONCURRENCY: usize = 8;

/// ComfyUI makes one image at a time. While it makes one, it receives the next.
const COMFYUI_CONCURRENCY: usize = 2;

/// The placeholder of a key that is never used.
pub(super) const NO_KEY: &str = "not-set";

/// A paid service is used only if an option names it, not because its key is set.
#[derive(Debug, Clone, Copy, Default, Args)]
#[command(next_help_heading = "Models and cost")]
pub struct ProviderArguments {
    /// Model that assesses images; `openai` costs money. See "Environment" below
    #[arg(long, value_enum, default_value_t)]
    pub vision: Vision,
    /// What generates images; `replicate` costs money, by default $0.04 each, `openai` usually does, and `comfyui` uses
    /// your own GPU. See "Environment" below
    #[arg(long, value_enum, default_value_t)]
    pub generator: Generator,
    /// Aspect ratio of generated images, unless their actor or prompt has its own [default: 16:9]
    #[arg(long, value_name = "W:H")]
    pub aspect_ratio: Option<AspectRatio>,
    /// Size of generated images in megapixels, if the generator has a choice [default: 1]
    #[arg(long, value_name = "N")]
    pub megapixels: Option<Megapixels>,
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
    /// OpenAI, or a server of one's own with its image edits
    #[value(name = "openai")]
    OpenAi,
    /// ComfyUI, with a workflow of one's own
    #[value(name = "comfyui")]
    ComfyUi,
}

impl Generator {
    /// The value of `GENERATOR`.
    fn word(self) -> &'static str {
        match self {
            Self::Embedded => "embedded",
            Self::Replicate => "replicate",
            Self::OpenAi => "openai",
            Self::ComfyUi => "comfyui",
        }
    }

    /// The variables of its service; `None` if it needs none.
    fn variables(self) -> Option<&'static Variables> {
        match self {
            Self::Embedded => None,
            Self::Replicate => Some(&OF_REPLICATE),
            Self::OpenAi => Some(&OF_OPENAI_IMAGES),
            Self::ComfyUi => Some(&OF_COMFYUI),
        }
    }

    /// The number of images that are generated at the same time.
    fn concurrency(self) -> usize {
        match self {
            Self::Embedded => std::thread::available_parallelism().map_or(2, |cores| cores.get().max(2)),
            Self::Replicate | Self::OpenAi => SERVICE_CONCURRENCY,
            Self::ComfyUi => COMFYUI_CONCURRENCY,
        }
    }
}

/// The parameters of the template that configure the providers.
#[derive(Default)]
pub struct Providers {
    pub parameters: Vec<(&'static str, String)>,
    /// Keys, by the parameters that name their files.
    pub key_files: BTreeMap<String, String>,
}

impl ProviderArguments {
    /// The providers that the arguments and the environment configure. A dry run generates nothing and needs no
    /// generator token; [`Self::check_dry_run`] checks whether it needs the vision model's key.
    pub fn read(self, dry_run: bool) -> anyhow::Result<Providers> {
        // Rejects settings with which a function would not start, before anything is built.
        self.vision_config()?;
        self.generator_config()?;
        if dry_run {
            return self.read_for_dry_run();
        }
        let mut providers = Providers::default();
        match self.vision {
            Vision::Embedded => providers.parameters.push(("VisionProvider", "embedded".to_owned())),
            Vision::OpenAi => providers.add_service("VisionProvider", "openai", &OF_VISION)?,
        }
        match self.generator.variables() {
            None => providers.parameters.push(("Generator", self.generator.word().to_owned())),
            Some(variables) => providers.add_service("Generator", self.generator.word(), variables)?,
        }
        providers.parameters.extend(self.aspect_ratio.map(|ratio| ("AspectRatio", ratio.to_string())));
        providers.parameters.extend(self.megapixels.map(|size| ("ImageMegapixels", size.to_string())));
        providers.parameters.extend(parameters_from_environment(&OF_BUDGET));
        providers.parameters.push(("GeneratorConcurrency", self.generator.concurrency().to_string()));
        Ok(providers)
    }

    fn read_for_dry_run(self) -> anyhow::Result<Providers> {
        let mut providers = Providers::default();
        let (key, key_file) = VISION_KEY;
        match self.vision {
            Vision::Embedded => providers.parameters.push(("VisionProvider", "embedded".to_owned())),
            Vision::OpenAi if is_set(key) => providers.add_service("VisionProvider", "openai", &OF_VISION)?,
            Vision::OpenAi => {
                providers.key_files.insert(key_file.to_owned(), NO_KEY.to_owned());
                providers.parameters.push(("VisionProvider", "openai".to_owned()));
                providers.parameters.extend(parameters_from_environment(OF_VISION.others));
            }
        }
        providers.parameters.push(("Generator", "embedded".to_owned()));
        providers.parameters.extend(parameters_from_environment(&OF_BUDGET));
        Ok(providers)
    }

    /// The prices of the models, and the limit for approval.
    pub fn terms(self, max_deleted_percent: u8) -> anyhow::Result<Terms> {
        Ok(Terms {
            vision: self.vision_config()?,
            generator: self.generator_config()?,
            format: self.format(),
            max_deleted_percent,
        })
    }

    /// Checks that a dry run without a key has no images to assess. The error names images that the model has not
    /// assessed in an earlier run.
    pub fn check_dry_run(self, folders: &[ActorFolder]) -> anyhow::Result<()> {
        let VisionConfig::OpenAi(config) = self.vision_config()? else { return Ok(()) };
        if is_set(VISION_KEY.0) {
            return Ok(());
        }
        let model = name_of(&config);
        for folder in folders {
            // The upload reports an unreadable folder.
            let Ok(files) = ActorFiles::read(folder) else { continue };
            let unassessed = files.unassessed(&model, config.mode);
            if let Some(first) = unassessed.first() {
                bail!(WrongUsage(format!(
                    "openai needs {} to assess {} of {} that no earlier run has assessed ({first}{}); set it, or leave --vision out: the built-in model costs nothing",
                    VISION_KEY.0,
                    images_in_words(unassessed.len()),
                    folder.actor,
                    if unassessed.len() == 1 { "" } else { ", …" },
                )));
            }
        }
        Ok(())
    }

    /// Whether both models are the embedded ones.
    pub fn are_embedded(self) -> bool {
        self.vision == Vision::Embedded && self.generator == Generator::Embedded
    }

    /// The format of images whose actor and prompt have none of their own.
    pub(super) fn format(self) -> Format {
        Format::default().with(OwnFormat { aspect_ratio: self.aspect_ratio, megapixels: self.megapixels })
    }

    pub(super) fn vision_config(self) -> anyhow::Result<VisionConfig> {
        vision_config(self.vision)
    }

    pub(super) fn generator_config(self) -> anyhow::Result<GeneratorConfig> {
        usage_checked(self.read_generator_config())
    }

    /// [`Self::vision_config`] with each problem by itself.
    pub(super) fn read_vision_config(self) -> Result<VisionConfig, InvalidConfig> {
        read_vision_config(self.vision)
    }

    /// [`Self::generator_config`] with each problem by itself.
    pub(super) fn read_generator_config(self) -> Result<GeneratorConfig, InvalidConfig> {
        let word = self.generator.word();
        from_variables(match self.generator.variables() {
            Some(variables) => variables_of("GENERATOR", word, variables),
            None => BTreeMap::from([("GENERATOR".to_owned(), word.to_owned())]),
        })
    }

    /// The budgets in the environment.
    pub(super) fn read_budget() -> Result<Budget, InvalidConfig> {
        let set = OF_BUDGET.iter().filter_map(|(name, _)| Some(((*name).to_owned(), setting(name)?)));
        from_variables(set.collect())
    }
}

/// The vision model with its settings from the environment, and a placeholder for a missing key.
fn vision_config(vision: Vision) -> anyhow::Result<VisionConfig> {
    usage_checked(read_vision_config(vision))
}

fn read_vision_config(vision: Vision) -> Result<VisionConfig, InvalidConfig> {
    let provider = match vision {
        Vision::Embedded => "embedded",
        Vision::OpenAi => "openai",
    };
    from_variables(variables_of("VISION_PROVIDER", provider, &OF_VISION))
}

/// The same, for a command that calls the model itself. Fails without the key of a paid model.
pub fn vision_config_with_key(vision: Vision) -> anyhow::Result<VisionConfig> {
    if vision == Vision::OpenAi {
        key_of("openai", VISION_KEY.0)?;
    }
    vision_config(vision)
}

/// The key of a paid provider.
fn key_of(provider: &str, variable: &str) -> anyhow::Result<String> {
    match env::var(variable).ok().filter(|value| !value.trim().is_empty()) {
        Some(key) => Ok(key),
        None => bail!(WrongUsage(missing_key(provider, variable).to_string())),
    }
}

fn missing_key(provider: &str, variable: &str) -> Check {
    Check::problem(
        format!("{provider} needs {variable}, which is not set"),
        "set it, or leave the option out: the built-in model costs nothing",
    )
}

impl ProviderArguments {
    /// The key that the vision model needs, if it is not set.
    pub(super) fn missing_vision_key(self) -> Option<Check> {
        let needs_key = self.vision == Vision::OpenAi && !is_set(VISION_KEY.0);
        needs_key.then(|| missing_key("openai", VISION_KEY.0))
    }

    /// The key that the generator needs, if it is not set.
    pub(super) fn missing_generator_key(self) -> Option<Check> {
        let (key, _) = self.generator.variables()?.key?;
        (!is_set(key)).then(|| missing_key(self.generator.word(), key))
    }
}

/// Reports an invalid setting as wrong usage.
fn usage_checked<T>(read: Result<T, InvalidConfig>) -> anyhow::Result<T> {
    read.map_err(|error| WrongUsage(error.to_string()).into())
}

/// A provider's variables, as its function would receive them. The key may be missing in the environment.
fn variables_of(variable: &str, provider: &str, variables: &Variables) -> BTreeMap<String, String> {
    // A blank key counts as missing, which is reported by itself.
    let key = variables.key.iter().filter(|(key, _)| is_set(key));
    let set = variables.others.iter().chain(key).filter_map(|(name, _)| Some(((*name).to_owned(), setting(name)?)));
    let no_key = variables.key.iter().map(|(key, _)| ((*key).to_owned(), NO_KEY.to_owned()));
    let mut all: BTreeMap<String, String> = no_key.chain(set).collect();
    all.insert(variable.to_owned(), provider.to_owned());
    all
}

fn is_set(variable: &str) -> bool {
    env::var(variable).is_ok_and(|value| !value.trim().is_empty())
}

impl Providers {
    /// Adds a service with its settings from the environment.
    fn add_service(&mut self, parameter: &'static str, provider: &str, variables: &Variables) -> anyhow::Result<()> {
        if let Some((key, key_file)) = variables.key {
            self.key_files.insert(key_file.to_owned(), key_of(provider, key)?);
        }
        self.parameters.push((parameter, provider.to_owned()));
        self.parameters.extend(parameters_from_environment(variables.others));
        Ok(())
    }
}

fn parameters_from_environment(variables: &[Variable]) -> impl Iterator<Item = (&'static str, String)> {
    variables.iter().filter_map(|(name, parameter)| Some((*parameter, setting(name)?)))
}
