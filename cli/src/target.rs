//! The options for the target of a set and for the share that one plan may delete.

use clap::Args;
use domain::coverage::{FourShares, ViewShares};
use domain::limits::frontal::{FrontalImages, FrontalRule};
use domain::limits::{DEFAULT_QUALITY_FLOOR, QualityLimits, Rules};
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
    #[command(flatten)]
    pub rules: RuleArguments,
}

#[derive(Debug, Clone, Copy, Args)]
#[command(next_help_heading = "Quality")]
pub struct RuleArguments {
    /// Replace images of a lower quality than this (1 to 10)
    #[arg(long, default_value_t = DEFAULT_QUALITY_FLOOR, value_parser = clap::value_parser!(u8).range(1..=10))]
    pub quality_floor: u8,
    /// Highest quality of an image with a fault, such as `text=10,blocky=4`; other faults keep the limits that
    /// docs/ASSESSMENT.md lists
    #[arg(long, default_value_t, hide_default_value = true, value_name = "FAULT=N,…")]
    pub quality_limits: QualityLimits,
    /// Share of the target, in percent, that may face the camera or be symmetrical without losing quality: the best
    /// ones. Generated images beyond that are replaced if they are both
    #[arg(long, default_value_t = FrontalRule::default().percent, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(0..=100))]
    pub frontal_percent: u8,
    /// Your own images beyond --frontal-percent: `keep` lowers their quality to the floor at most, `replace` below it
    #[arg(long, default_value_t, value_name = "keep|replace")]
    pub frontal_images: FrontalImages,
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
    pub fn settings(&self) -> Settings {
        let views = ViewShares { framing: self.framing_shares, angle: self.angle_shares };
        let target = Target { total: self.target_total, shares: self.target_shares, views };
        Settings { target, rules: self.rules.rules() }
    }

    pub fn of_stack(&self) -> [Setting; 8] {
        let RuleArguments { quality_floor, quality_limits, frontal_percent, frontal_images } = self.rules;
        [
            ("TargetTotal", "TARGET_TOTAL", self.target_total.to_string()),
            ("TargetShares", "TARGET_SHARES", self.target_shares.to_string()),
            ("FramingShares", "FRAMING_SHARES", self.framing_shares.to_string()),
            ("AngleShares", "ANGLE_SHARES", self.angle_shares.to_string()),
            ("QualityFloor", "QUALITY_FLOOR", quality_floor.to_string()),
            ("QualityLimits", "QUALITY_LIMITS", quality_limits.to_string()),
            ("FrontalPercent", "FRONTAL_PERCENT", frontal_percent.to_string()),
            ("FrontalImages", "FRONTAL_IMAGES", frontal_images.to_string()),
        ]
    }
}

impl RuleArguments {
    pub fn rules(self) -> Rules {
        let frontal = FrontalRule { own: self.frontal_images, percent: self.frontal_percent };
        Rules { limits: self.quality_limits, frontal, quality_floor: self.quality_floor }
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
            rules: RuleArguments::default(),
        }
    }
}

impl Default for RuleArguments {
    fn default() -> Self {
        let Rules { limits, frontal, quality_floor } = Rules::default();
        Self { quality_floor, quality_limits: limits, frontal_percent: frontal.percent, frontal_images: frontal.own }
    }
}
