//! Checks the providers before they are used.

use anyhow::bail;
use aws::SdkConfig;
use domain::disposition::Disposition;
use domain::format::AspectRatio;
use handlers::config::{InvalidConfig, InvalidVariable};
use providers::Check;
use providers::generator::{Generator, GeneratorConfig};
use providers::vision::{VisionConfig, VisionModel};

use super::providers::ProviderArguments;
use crate::doctor::BudgetLimits;
use crate::outcome::WrongUsage;

/// A check with what it concerns, such as `vision` or `generator`.
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

    /// Everything that can be found out for free about the providers and their settings, the vision model first.
    pub async fn examine(self) -> Vec<Examined> {
        let vision = match self.read_vision_config() {
            Err(invalid) => misconfigured(invalid, self.missing_vision_key()),
            Ok(config) => match self.missing_vision_key() {
                Some(missing) => vec![missing],
                None => vec![vision(config).await],
            },
        };
        let generator = match self.read_generator_config() {
            Err(invalid) => misconfigured(invalid, self.missing_generator_key()),
            Ok(config) => match self.missing_generator_key() {
                Some(missing) => vec![missing],
                None => generator(config, self.format().ratio).await,
            },
        };
        let budget = self.budget();
        let named = |name: &'static str| move |check: Check| (name, check);
        let checks = vision.into_iter().map(named("vision")).chain(generator.into_iter().map(named("generator")));
        checks.chain(budget.into_iter().map(named("budget"))).collect()
    }

    /// The budgets beside the price of an image, if it costs anything.
    fn budget(self) -> Vec<Check> {
        let budget = match Self::read_budget() {
            Ok(budget) => budget,
            Err(invalid) => return misconfigured(invalid, None),
        };
        let Ok(config) = self.read_generator_config() else { return Vec::new() };
        let limits = BudgetLimits {
            daily: ("DAILY_BUDGET_USD", budget.daily),
            daily_per_actor: ("ACTOR_DAILY_BUDGET_USD", budget.daily_per_actor),
            per_plan: ("PLAN_BUDGET_USD", budget.per_plan),
        };
        limits.examine(config.price(self.format().size))
    }
}

async fn vision(config: VisionConfig) -> Check {
    match VisionModel::new(config, &no_aws()).await {
        Ok(model) => model.examine().await,
        Err(error) => error.to_check(),
    }
}

async fn generator(config: GeneratorConfig, ratio: AspectRatio) -> Vec<Check> {
    match Generator::new(config, &no_aws()).await {
        Ok(generator) => generator.examine(ratio).await,
        Err(error) => vec![error.to_check()],
    }
}

/// Each problem of the variables, beside a missing key.
fn misconfigured(InvalidConfig(problems): InvalidConfig, missing_key: Option<Check>) -> Vec<Check> {
    let invalid = problems.into_iter().map(|InvalidVariable { problem, remedy }| {
        Check::problem(problem, remedy.unwrap_or("correct the variable; `balancer local --help` lists all of them"))
    });
    missing_key.into_iter().chain(invalid).collect()
}

/// The keys are in the environment, and the files on this machine.
fn no_aws() -> SdkConfig {
    SdkConfig::builder().build()
}
