//! The parameters with which a stack was created from the template.

use std::collections::BTreeMap;
use std::str::FromStr;

use domain::settings::Settings;
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
}
