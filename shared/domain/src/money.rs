//! Amounts of money.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Mul};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// An amount in millionths of a US dollar, so that sums are exact. Arithmetic saturates.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MicroUsd(pub u64);

/// The error for a text that is no amount in US dollars.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an amount in US dollars; write it as 10 or 0.04, with at most six decimals")]
pub struct InvalidAmount(String);

const MILLION: u64 = 1_000_000;
const DECIMALS: usize = 6;

impl MicroUsd {
    /// The amount of $0.
    pub const ZERO: Self = Self(0);

    /// The difference, or zero if `other` is larger.
    #[must_use]
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl FromStr for MicroUsd {
    type Err = InvalidAmount;

    fn from_str(text: &str) -> Result<Self, InvalidAmount> {
        let invalid = || InvalidAmount(text.to_owned());
        let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
        let is_number = |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        if !is_number(whole) || !is_number(decimals) || decimals.len() > DECIMALS {
            return Err(invalid());
        }
        let whole: u64 = whole.parse().map_err(|_| invalid())?;
        let millionths: u64 = format!("{decimals:0<DECIMALS$}").parse().map_err(|_| invalid())?;
        whole.checked_mul(MILLION).and_then(|whole| whole.checked_add(millionths)).map(Self).ok_or_else(invalid)
    }
}

impl fmt::Display for MicroUsd {
    /// The amount with at least two decimals, as in `$0.04` or `$0.0025`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let decimals = format!("{:06}", self.0 % MILLION);
        let (cents, rest) = decimals.split_at(2);
        write!(f, "${}.{cents}{}", self.0 / MILLION, rest.trim_end_matches('0'))
    }
}

impl Add for MicroUsd {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl AddAssign for MicroUsd {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Mul<u64> for MicroUsd {
    type Output = Self;

    fn mul(self, times: u64) -> Self {
        Self(self.0.saturating_mul(times))
    }
}

impl Sum for MicroUsd {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Add::add)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn amounts_have_at_least_two_decimals() {
        for (text, shown) in [("10", "$10.00"), ("0.04", "$0.04"), ("0.0025", "$0.0025"), ("3.5", "$3.50")] {
            assert_eq!(text.parse::<MicroUsd>().unwrap().to_string(), shown);
        }
    }

    #[test]
    fn other_texts_are_rejected() {
        for text in ["", ".", "1.", ".5", "-1", "1,5", "$1", "1e3", "0.0000001", "99999999999999999999"] {
            assert!(text.parse::<MicroUsd>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn displayed_amount_is_read_back(millionths in 0..1_000_000_000_000_u64) {
            let amount = MicroUsd(millionths);
            prop_assert_eq!(amount.to_string()[1..].parse::<MicroUsd>().unwrap(), amount);
        }
    }
}
