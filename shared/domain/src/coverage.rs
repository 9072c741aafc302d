//! Coverage: how many images of a set show each framing and each angle, compared with the wanted numbers.

mod named;

use std::fmt;
use std::ops::Add;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::content::{Angle, Content, Framing};
use crate::shares::{apportion, joined, percentages};
use named::NamedCounts;

/// How a target divides its images among framings, and among angles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ViewShares {
    /// In the order of [`Framing::ALL`].
    pub framing: FourShares,
    /// In the order of [`Angle::ALL`].
    pub angle: FourShares,
}

/// Percentages that sum to 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FourShares([u32; 4]);

/// A text that is no division into four shares.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a division into four shares; write four whole percentages that sum to 100, such as 30/40/20/10")]
pub struct InvalidFourShares(String);

/// Images counted twice: by framing and by angle. One whose framing or angle is unknown is missing there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "NamedCounts", into = "NamedCounts")]
pub struct ViewCounts {
    /// In the order of [`Framing::ALL`].
    pub framing: [u32; 4],
    /// In the order of [`Angle::ALL`].
    pub angle: [u32; 4],
}

/// What a set has of the views that its target wants. The difference decides which images go and which prompts come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Needs {
    /// Without the images that have been chosen for deletion so far.
    pub has: ViewCounts,
    /// Those of an ideal set.
    pub wanted: ViewCounts,
}

/// The views of a set before and after a plan, for the operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    /// The shares of the target, applied to its total.
    pub wanted: ViewCounts,
    /// Of every image that has an assessment.
    pub before: ViewCounts,
    /// Without the deleted images. A plan counts the images that it generates as their prompts request them; a proposal,
    /// which has no prompts, counts only the images that stay.
    pub after: ViewCounts,
}

impl Default for ViewShares {
    /// A choice of this project; `docs/ASSESSMENT.md` compares it with published advice.
    fn default() -> Self {
        Self { framing: FourShares([30, 40, 20, 10]), angle: FourShares([25, 40, 25, 10]) }
    }
}

impl ViewShares {
    /// Divides `total` images.
    #[must_use]
    pub fn counts(self, total: u32) -> ViewCounts {
        ViewCounts { framing: apportion(total, self.framing.0), angle: apportion(total, self.angle.0) }
    }

    /// The needs of a set that keeps images with these views and gets `new` ones. The images whose view is unknown are
    /// left out: the known and the new ones together should have the wanted shares.
    #[must_use]
    pub fn needs(self, kept: ViewCounts, new: u32) -> Needs {
        let known = |counts: [u32; 4]| counts.iter().sum::<u32>() + new;
        let wanted = ViewCounts {
            framing: apportion(known(kept.framing), self.framing.0),
            angle: apportion(known(kept.angle), self.angle.0),
        };
        Needs { has: kept, wanted }
    }
}

impl ViewCounts {
    /// The counts of a set with these contents.
    pub fn tally<'a>(contents: impl IntoIterator<Item = &'a Content>) -> Self {
        let mut counts = Self::default();
        for content in contents {
            counts.count(content.framing, content.angle);
        }
        counts
    }

    /// Adds an image with this view.
    pub fn count(&mut self, framing: Option<Framing>, angle: Option<Angle>) {
        for count in self.cells_of(framing, angle).into_iter().flatten() {
            *count += 1;
        }
    }

    /// Takes an image with this view away.
    pub fn subtract(&mut self, framing: Option<Framing>, angle: Option<Angle>) {
        for count in self.cells_of(framing, angle).into_iter().flatten() {
            *count = count.saturating_sub(1);
        }
    }

    /// Whether no framing and no angle is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    fn cells_of(&mut self, framing: Option<Framing>, angle: Option<Angle>) -> [Option<&mut u32>; 2] {
        let framing = framing.map(|framing| &mut self.framing[framing as usize]);
        [framing, angle.map(|angle| &mut self.angle[angle as usize])]
    }
}

impl Needs {
    /// How far the set is from the wanted views, in thousandths: for each framing and each angle, the square of the
    /// missing number divided by the wanted one, as in a χ² statistic without its surplus terms. So the last image of a
    /// rare view weighs more than one of many, and a surplus weighs nothing.
    #[must_use]
    pub fn shortfall(self) -> u32 {
        let of = |has: [u32; 4], wanted: [u32; 4]| -> u32 {
            let missing = has.iter().zip(wanted).filter(|&(_, wanted)| wanted > 0);
            missing.map(|(&has, wanted)| 1000 * wanted.saturating_sub(has).pow(2) / wanted).sum()
        };
        of(self.has.framing, self.wanted.framing) + of(self.has.angle, self.wanted.angle)
    }

    /// How much the shortfall grows if the set loses an image with this view.
    #[must_use]
    pub fn loss(self, framing: Option<Framing>, angle: Option<Angle>) -> u32 {
        let mut without = self;
        without.has.subtract(framing, angle);
        without.shortfall() - self.shortfall()
    }

    /// How much the shortfall shrinks if the set gets an image with this view.
    #[must_use]
    pub fn gain(self, framing: Framing, angle: Angle) -> u32 {
        let mut with = self;
        with.has.count(Some(framing), Some(angle));
        self.shortfall() - with.shortfall()
    }
}

impl Add for ViewCounts {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        let sum = |one: [u32; 4], other: [u32; 4]| std::array::from_fn(|cell| one[cell] + other[cell]);
        Self { framing: sum(self.framing, other.framing), angle: sum(self.angle, other.angle) }
    }
}

impl Coverage {
    /// The coverage, unless nothing is known about the images before and after.
    #[must_use]
    pub fn known(self) -> Option<Self> {
        (!self.before.is_empty() || !self.after.is_empty()).then_some(self)
    }
}

impl fmt::Display for Coverage {
    /// Such as `framing 6/9/3/2 before, 6/8/4/2 after, 6/8/4/2 wanted; angle 5/8/5/2 of 5/8/5/2 wanted`, without framings
    /// or angles of which nothing is known.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { wanted, before, after } = self;
        let framing = in_words("framing", before.framing, after.framing, wanted.framing);
        let angle = in_words("angle", before.angle, after.angle, wanted.angle);
        f.write_str(&framing.into_iter().chain(angle).collect::<Vec<_>>().join("; "))
    }
}

fn in_words(name: &str, before: [u32; 4], after: [u32; 4], wanted: [u32; 4]) -> Option<String> {
    let (now, later, wanted) = (joined(&before), joined(&after), joined(&wanted));
    match () {
        () if before == [0; 4] && after == [0; 4] => None,
        () if before == after => Some(format!("{name} {now} of {wanted} wanted")),
        () => Some(format!("{name} {now} before, {later} after, {wanted} wanted")),
    }
}

impl FromStr for FourShares {
    type Err = InvalidFourShares;

    fn from_str(text: &str) -> Result<Self, InvalidFourShares> {
        percentages(text).map(Self).ok_or_else(|| InvalidFourShares(text.to_owned()))
    }
}

impl TryFrom<String> for FourShares {
    type Error = InvalidFourShares;

    fn try_from(text: String) -> Result<Self, InvalidFourShares> {
        text.parse()
    }
}

impl From<FourShares> for String {
    fn from(shares: FourShares) -> Self {
        shares.to_string()
    }
}

impl fmt::Display for FourShares {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&joined(&self.0))
    }
}

#[cfg(test)]
mod tests;
