//! The options for the target of a set and for the share that one plan may delete.

use clap::Args;
use domain::coverage::{FourShares, ViewShares};
use domain::limits::FrontalImages;
use domain::target::{Shares, Target};

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Target")]
pub struct TargetArguments {
    /// Images that each set should have
    #[arg(long, default_value_t = Target::default().total, value_parser = clap::value_parser!(u32).range(1..=500))]
    pub target_total: u32,
    /// Target mix in percent: photorealistic/black-and-white/colour
    #[arg(long, default_value_t = Target::default().shares)]
    pub target_shares: Shares,
    /// Wanted framings in percent: close-up/medium/full body/wide; decides between equally good images, and which
    /// prompts are drawn
    #[arg(long, default_value_t = ViewShares::default().framing)]
    pub framing_shares: FourShares,
    /// Wanted angles in percent: front/three-quarter/profile/back; decides like --framing-shares
    #[arg(long, default_value_t = ViewShares::default().angle)]
    pub angle_shares: FourShares,
    /// Replace images of a lower quality than this (1 to 10)
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u8).range(1..=10))]
    pub quality_floor: u8,
    #[command(flatten)]
    pub frontal: FrontalArguments,
}

#[derive(Debug, Clone, Copy, Default, Args)]
pub struct FrontalArguments {
    /// Images that face the camera or are symmetrical: `keep` deletes them first among images of the same quality,
    /// `replace` limits their quality to 6, or to 4 if they are both
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

impl TargetArguments {
    pub fn target(&self) -> Target {
        let views = ViewShares { framing: self.framing_shares, angle: self.angle_shares };
        Target { total: self.target_total, shares: self.target_shares, views }
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
            quality_floor: 5,
            frontal: FrontalArguments::default(),
        }
    }
}
