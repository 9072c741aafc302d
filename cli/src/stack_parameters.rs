//! The parameters with which a stack was created from the template.

use std::collections::BTreeMap;
use std::str::FromStr;

use domain::money::MicroUsd;
use domain::settings::Settings;
use providers::generator::{Price, ReplicateModel};
use serde::{Deserialize, Serialize};

/// The parameters by name, without those that may contain a secret.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StackParameters(pub BTreeMap<String, String>);

impl StackParameters {
    /// The value of a parameter; `None` if the stack's template has no such parameter, or if it is empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// What a balanced set of an actor without settings of its own is. A parameter that the stack lacks, or that this
    /// version can't read, has its default.
    pub fn settings(&self) -> Settings {
        let mut settings = Settings::default();
        let Settings { target, rules, .. } = &mut settings;
        self.read("TargetTotal", &mut target.total);
        self.read("TargetShares", &mut target.shares);
        self.read("FramingShares", &mut target.views.framing);
        self.read("AngleShares", &mut target.views.angle);
        self.read("QualityFloor", &mut rules.quality_floor);
        self.read("QualityLimits", &mut rules.limits);
        self.read("FrontalPercent", &mut rules.frontal.percent);
        self.read("FrontalImages", &mut rules.frontal.own);
        settings
    }

    /// The price of an image, as the generation function finds it; `None` if it is not known, so that the function does not
    /// start.
    pub fn price_per_image(&self) -> Option<MicroUsd> {
        let amount = |name: &str| self.get(name)?.parse::<MicroUsd>().ok();
        let known = match self.get("Generator") {
            Some("embedded") => return Some(MicroUsd::ZERO),
            Some("comfyui") => Some(MicroUsd::ZERO),
            Some("replicate") => {
                let model = self.get("ReplicateModel").and_then(|model| model.parse::<ReplicateModel>().ok());
                model.unwrap_or_default().usd_per_image()
            }
            _ => None,
        };
        let (per_image, per_megapixel) = (amount("GeneratorUsdPerImage"), amount("GeneratorUsdPerMegapixel"));
        let per_image = per_image.or(known.filter(|_| per_megapixel.is_none()));
        per_image.or(per_megapixel)?;
        let price =
            Price { per_image: per_image.unwrap_or_default(), per_megapixel: per_megapixel.unwrap_or_default() };
        let size = self.get("ImageMegapixels").and_then(|size| size.parse().ok()).unwrap_or_default();
        Some(price.of(size))
    }

    fn read<T: FromStr>(&self, name: &str, setting: &mut T) {
        if let Some(value) = self.get(name).and_then(|value| value.parse().ok()) {
            *setting = value;
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::target::SettingsArguments;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        settings: SettingsArguments,
    }

    #[test]
    fn parameters_of_a_run_give_its_settings_back() {
        let arguments = "x --target-total 30 --target-shares 80/10/10 --framing-shares 10/20/30/40 --angle-shares 70/10/10/10 \
                         --quality-floor 6 --quality-limits text=10 --frontal-percent 5 --frontal-images replace";
        let Command { settings } = Command::parse_from(arguments.split_whitespace());
        let parameters = settings.of_stack().map(|(name, _, value)| (name.to_owned(), value));
        assert_eq!(StackParameters(parameters.into()).settings(), settings.settings());
    }

    #[test]
    fn missing_parameters_have_their_defaults() {
        let unusable = [("TargetTotal", "many"), ("QualityFloor", "")].map(|(name, value)| (name.into(), value.into()));
        assert_eq!(StackParameters(unusable.into()).settings(), Settings::default());
    }

    fn parameters(given: &[(&str, &str)]) -> StackParameters {
        StackParameters(given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn price_of_a_stack_follows_from_its_parameters() {
        let price = |given: &[(&str, &str)]| parameters(given).price_per_image().map(|price| price.0);
        let flux = ("ReplicateModel", "black-forest-labs/flux-kontext-pro");
        assert_eq!(price(&[("Generator", "embedded")]), Some(0));
        assert_eq!(price(&[("Generator", "comfyui")]), Some(0));
        assert_eq!(price(&[("Generator", "replicate"), flux]), Some(40_000));
        assert_eq!(price(&[("Generator", "replicate"), flux, ("GeneratorUsdPerImage", "0.05")]), Some(50_000));
        let by_size = [("Generator", "openai"), ("GeneratorUsdPerMegapixel", "0.015"), ("ImageMegapixels", "2")];
        assert_eq!(price(&by_size), Some(30_000));
        assert_eq!(price(&[("Generator", "openai")]), None);
    }
}
