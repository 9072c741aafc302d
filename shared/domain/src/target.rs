//! The target: the number of images in a balanced set, the shares of the kinds, and the shares of framings and angles.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::coverage::{ViewCounts, ViewShares};
use crate::kind::{Kind, KindCounts};
use crate::shares::{apportion, percentages};

/// The largest set that a function can evaluate within its memory and time.
pub const MAX_TARGET_TOTAL: u32 = 500;

/// The number of images of each kind that a set should have. Framings and angles only decide between equal images.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// The number of images in the set.
    pub total: u32,
    /// The shares of the kinds.
    pub shares: Shares,
    /// The shares of framings and angles.
    #[serde(default)]
    pub views: ViewShares,
}

/// The share of each kind, in percent. The shares sum to 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Shares(KindCounts);

/// The error for shares that can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a division into three shares; write three whole percentages that sum to 100, such as 65/20/15")]
pub struct InvalidShares(String);

impl Default for Target {
    /// 20 images, 65 % photorealistic, 20 % black-and-white stylized, 15 % colour stylized, with the default views.
    fn default() -> Self {
        let shares = Shares(KindCounts { photorealistic: 65, bw_stylized: 20, color_stylized: 15 });
        Self { total: 20, shares, views: ViewShares::default() }
    }
}

impl Target {
    /// The number of images of each kind. The counts always sum to `total`.
    #[must_use]
    pub fn counts(&self) -> KindCounts {
        let [photorealistic, bw_stylized, color_stylized] =
            apportion(self.total, Kind::ALL.map(|kind| self.shares.0[kind]));
        KindCounts { photorealistic, bw_stylized, color_stylized }
    }

    /// The number of images of each framing and of each angle.
    #[must_use]
    pub fn view_counts(&self) -> ViewCounts {
        self.views.counts(self.total)
    }
}

impl FromStr for Shares {
    type Err = InvalidShares;

    fn from_str(text: &str) -> Result<Self, InvalidShares> {
        let [photorealistic, bw_stylized, color_stylized] =
            percentages(text).ok_or_else(|| InvalidShares(text.to_owned()))?;
        Ok(Self(KindCounts { photorealistic, bw_stylized, color_stylized }))
    }
}

impl TryFrom<String> for Shares {
    type Error = InvalidShares;

    fn try_from(text: String) -> Result<Self, InvalidShares> {
        text.parse()
    }
}

impl From<Shares> for String {
    fn from(shares: Shares) -> Self {
        shares.to_string()
    }
}

impl fmt::Display for Shares {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn default_target_is_thirteen_four_and_three() {
        assert_eq!(Target::default().counts().to_string(), "13/4/3");
    }

    #[test]
    fn error_of_wrong_shares_names_the_remedy() {
        for text in ["65/20", "65/20/16", "a/b/c", "", "65/20/15/0", "4294967295/1/100"] {
            let error = text.parse::<Shares>().unwrap_err().to_string();
            assert!(error.contains("sum to 100"), "{error}");
        }
    }

    proptest! {
        #[test]
        fn counts_sum_to_the_total_and_differ_by_under_one(
            total in 0_u32..10_000, first in 0_u32..=100, cut in 0_u32..=100,
        ) {
            let second = (100 - first) * cut / 100;
            let shares = format!("{first}/{second}/{}", 100 - first - second).parse::<Shares>().unwrap();
            let counts = Target { total, shares, ..Target::default() }.counts();
            prop_assert_eq!(counts.total(), total);
            for kind in Kind::ALL {
                let exact = f64::from(total) * f64::from(shares.0[kind]) / 100.0;
                prop_assert!((f64::from(counts[kind]) - exact).abs() < 1.0);
            }
        }
    }
}
