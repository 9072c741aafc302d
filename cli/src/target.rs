//! The options for what a balanced set is, and for the share that one plan may delete.

use clap::Args;
use domain::coverage::{FourShares, ViewShares};
use domain::limits::frontal::{FrontalImages, FrontalRule};
use domain::limits::{DEFAULT_QUALITY_FLOOR, QualityLimits, Rules};
use domain::planner::{Policy, Scope};
use domain::settings::Settings;
use domain::target::{MAX_TARGET_TOTAL, Shares, Target};

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Target")]
pub struct TargetArguments {
    /// Images that each set should have
    #[arg(long, default_value_t = Target::default().total, value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_TARGET_TOTAL)))]
    pub target_total: u32,
    /// Target mix in percent: photorealistic/black-and-white/colour
    #[arg(long, default_value_t = Target::default().shares)]
    pub target_shares: Shares,
    /// Wanted framings in percent: close-up/medium/full body/wide; decides between images within one
    /// point of quality, and which prompts are drawn
    #[arg(long, default_value_t = ViewShares::default().framing)]
    pub framing_shares: FourShares,
    /// Wanted angles in percent: front/three-quarter/profile/back; decides like --framing-shares
    #[arg(long, default_value_t = ViewShares::default().angle)]
    pub angle_shares: FourShares,
    /// Replace images of a lower quality than this (1 to 10)
    #[arg(long, default_value_t = DEFAULT_QUALITY_FLOOR, value_parser = clap::value_parser!(u8).range(1..=10))]
    pub quality_floor: u8,
}

#[derive(Debug, Clone, Copy, Args)]
#[command(next_help_heading = "Quality")]
pub struct RuleArguments {
    /// Highest quality of an image with a fault, such as `text=10,blocky=4`; docs/CONFIGURE.md lists the faults
    #[arg(long, default_value_t, hide_default_value = true, value_name = "FAULT=N,…")]
    pub quality_limits: QualityLimits,
    /// Share of the target, in percent, that may face the camera or be symmetrical without losing quality: the best
    /// ones. Generated images beyond that are replaced if they are both
    #[arg(long, default_value_t = FrontalRule::default().percent, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(0..=100))]
    pub frontal_percent: u8,
    /// Your own images beyond --frontal-percent: `keep` leaves their quality as it is, `replace` lowers it too
    #[arg(long, default_value_t, value_name = "keep|replace")]
    pub frontal_images: FrontalImages,
}

/// The settings of a set. What an actor's `actor.json` states comes before them.
#[derive(Debug, Clone, Default, Args)]
pub struct SettingsArguments {
    #[command(flatten)]
    pub target: TargetArguments,
    #[command(flatten)]
    pub rules: RuleArguments,
}

#[derive(Debug, Clone, Copy, Args)]
#[command(next_help_heading = "Target")]
pub struct CapArguments {
    /// Most that one plan may delete without approval, in percent
    #[arg(long, default_value_t = 50, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(0..=100))]
    pub max_deleted_percent: u8,
}

/// A setting as a parameter of the template, as a variable of the evaluation function, and its value.
pub type Setting = (&'static str, &'static str, String);

impl TargetArguments {
    /// What the planner needs.
    pub fn policy(&self, scope: Scope) -> Policy {
        Policy { target: self.target(), quality_floor: self.quality_floor, scope }
    }

    fn target(&self) -> Target {
        let views = ViewShares { framing: self.framing_shares, angle: self.angle_shares };
        Target { total: self.target_total, shares: self.target_shares, views }
    }
}

impl SettingsArguments {
    pub fn settings(&self) -> Settings {
        let RuleArguments { quality_limits, frontal_percent, frontal_images } = self.rules;
        let frontal = FrontalRule { own: frontal_images, percent: frontal_percent };
        let rules = Rules { limits: quality_limits, frontal, quality_floor: self.target.quality_floor };
        Settings { target: self.target.target(), rules, ..Settings::default() }
    }

    pub fn of_stack(&self) -> [Setting; 8] {
        let Self { target, rules } = self;
        [
            ("TargetTotal", "TARGET_TOTAL", target.target_total.to_string()),
            ("TargetShares", "TARGET_SHARES", target.target_shares.to_string()),
            ("FramingShares", "FRAMING_SHARES", target.framing_shares.to_string()),
            ("AngleShares", "ANGLE_SHARES", target.angle_shares.to_string()),
            ("QualityFloor", "QUALITY_FLOOR", target.quality_floor.to_string()),
            ("QualityLimits", "QUALITY_LIMITS", rules.quality_limits.to_string()),
            ("FrontalPercent", "FRONTAL_PERCENT", rules.frontal_percent.to_string()),
            ("FrontalImages", "FRONTAL_IMAGES", rules.frontal_images.to_string()),
        ]
    }
}

impl Default for TargetArguments {
    fn default() -> Self {
        let Target { total, shares, views } = Target::default();
        Self {
            target_total: total,
            target_shares: shares,
            framing_shares: views.framing,
            angle_shares: views.angle,
            quality_floor: DEFAULT_QUALITY_FLOOR,
        }
    }
}

impl Default for RuleArguments {
    fn default() -> Self {
        let Rules { limits, frontal, .. } = Rules::default();
        Self { quality_limits: limits, frontal_percent: frontal.percent, frontal_images: frontal.own }
    }
}
