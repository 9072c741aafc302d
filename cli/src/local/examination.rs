//! Checks the providers before they are used.

use anyhow::bail;
use aws::SdkConfig;
use domain::disposition::Disposition;
use domain::format::AspectRatio;
use providers::Check;
use providers::generator::{Generator, GeneratorConfig};
use providers::vision::{VisionConfig, VisionModel};

use super::providers::ProviderArguments;
use crate::outcome::WrongUsage;

/// A check with what it concerns: `vision` or `generator`.
pub type Examined = (&'static str, Check);

impl ProviderArguments {
    /// Checks that the generator can generate images of a set, before anything is uploaded or paid. If a paid service
    /// can't be asked at present, the functions ask it again before they reserve the price of an image. The user's own
    /// `ComfyUI` must be running.
    pub async fn check_model(self) -> anyhow::Result<()> {
        let config = self.generator_config()?;
        let must_answer = matches!(config, GeneratorConfig::ComfyUi(_));
        let generator = Generator::new(config, &no_aws()).await?;
        if must_answer {
            let problems = generator.examine(self.format().ratio).await.into_iter().filter(Check::is_problem);
            let problems: Vec<String> = problems.map(|problem| problem.to_string()).collect();
            if !problems.is_empty() {
                bail!(WrongUsage(problems.join("\n")));
            }
            return Ok(());
        }
        match generator.check(self.format().ratio).await {
            Err(error) if error.disposition() == Disposition::NeedsOperator => bail!(WrongUsage(error.to_string())),
            _ => Ok(()),
        }
    }

    /// Checks the format of a dry run, which asks no service: only that of the embedded generator is known.
    pub async fn check_format_for_free(self) -> anyhow::Result<()> {
        match self.generator_config()? {
            GeneratorConfig::Embedded => self.check_model().await,
            GeneratorConfig::Replicate(_) | GeneratorConfig::OpenAi(_) | GeneratorConfig::ComfyUi(_) => Ok(()),
        }
    }

    /// Everything that can be found out for free about the providers and their settings.
    pub async fn examine(self) -> Vec<Examined> {
        let mut checks: Vec<Examined> = self
            .missing_keys()
            .map(|(subject, text)| {
                let (text, remedy) = text.split_once("; ").unwrap_or((&text, "set it"));
                (subject, Check::problem(text, remedy))
            })
            .collect();
        let lacks_key = |of: &str| checks.iter().any(|(subject, _)| *subject == of);
        let (lacks_vision_key, lacks_generator_key) = (lacks_key("vision"), lacks_key("generator"));
        match self.vision_config() {
            Ok(config) if !lacks_vision_key => checks.push(("vision", vision(config).await)),
            Ok(_) => {}
            Err(error) => checks.push(("vision", misconfigured(&error))),
        }
        match self.generator_config() {
            Ok(config) if !lacks_generator_key => {
                let examined = generator(config, self.format().ratio).await;
                checks.extend(examined.map(|check| ("generator", check)));
            }
            Ok(_) => {}
            Err(error) => checks.push(("generator", misconfigured(&error))),
        }
        checks
    }
}

/// Asks a vision service nothing: each answer costs money.
async fn vision(config: VisionConfig) -> Check {
    let is_service = matches!(config, VisionConfig::OpenAi(_));
    match VisionModel::new(config, &no_aws()).await {
        Ok(model) if is_service => {
            Check::ok(format!("the settings of {} are complete; it was not asked", model.name()))
        }
        Ok(_) => Check::ok("the embedded model is ready"),
        Err(error) => Check::problem(error.to_string(), "install the balancer again"),
    }
}

async fn generator(config: GeneratorConfig, ratio: AspectRatio) -> impl Iterator<Item = Check> {
    let checks = match Generator::new(config, &no_aws()).await {
        Ok(generator) => generator.examine(ratio).await,
        Err(error) => vec![misconfigured(&error.into())],
    };
    checks.into_iter()
}

fn misconfigured(error: &anyhow::Error) -> Check {
    Check::problem(error.to_string(), "correct the variable; `balancer local --help` lists all of them")
}

/// The keys are in the environment, and the files on this machine.
fn no_aws() -> SdkConfig {
    SdkConfig::builder().build()
}
