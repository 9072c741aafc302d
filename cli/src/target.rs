//! The options that say what a set should be, and how much of it may go at once.

use clap::Args;
use domain::limits::FrontalImages;
use domain::target::{Shares, Target};

#[derive(Debug, Clone, Args)]
pub struct TargetArguments {
    /// Images in a set
    #[arg(long, default_value_t = Target::default().total, value_parser = clap::value_parser!(u32).range(1..=500))]
    pub target_total: u32,
    /// Percent photorealistic/black-and-white/colour
    #[arg(long, default_value_t = Target::default().shares)]
    pub target_shares: Shares,
    /// Images of a lower quality than this, of 10, are replaced
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u8).range(1..=10))]
    pub quality_floor: u8,
    #[command(flatten)]
    pub frontal: FrontalArguments,
}

/// The option for the treatment of images that face the camera or are symmetrical.
#[derive(Debug, Clone, Copy, Default, Args)]
pub struct FrontalArguments {
    /// Images that face the camera or are symmetrical: `keep` deletes them first among images rated the same, `replace`
    /// rates them 6 at most, and 4 if they are both
    #[arg(long, default_value_t, value_name = "keep|replace")]
    pub frontal_images: FrontalImages,
}

/// The option that says how much of a set one plan may delete.
#[derive(Debug, Clone, Copy, Args)]
pub struct CapArguments {
    /// Percent of a set that one plan may delete; one that would delete more is not carried out
    #[arg(long, default_value_t = 50, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(0..=100))]
    pub max_deleted_percent: u8,
}

impl TargetArguments {
    pub fn target(&self) -> Target {
        Target { total: self.target_total, shares: self.target_shares }
    }
}

impl Default for TargetArguments {
    fn default() -> Self {
        let Target { total, shares } = Target::default();
        let frontal = FrontalArguments::default();
        Self { target_total: total, target_shares: shares, quality_floor: 5, frontal }
    }
}
