//! The options that say what a set should be.

use balancer::domain::target::{Shares, Target};
use clap::Args;

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
}

impl TargetArguments {
    pub fn target(&self) -> Target {
        Target { total: self.target_total, shares: self.target_shares }
    }
}

impl Default for TargetArguments {
    fn default() -> Self {
        let Target { total, shares } = Target::default();
        Self { target_total: total, target_shares: shares, quality_floor: 5 }
    }
}
