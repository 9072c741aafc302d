//! Which images of a set show what another one shows already.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::domain::assessment::Observed;
use crate::domain::numbering::number_of;
use crate::imaging::Facts;

/// How an image repeats another one of its set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Duplicate<'a> {
    /// The same bytes as `of`.
    Exact {
        /// The file that stays.
        of: &'a str,
    },
    /// Other bytes, the same picture as `of`.
    Near {
        /// The file that stays.
        of: &'a str,
    },
}

/// Finds the images that repeat another one, by file name.
///
/// Of each group the best stays, of equals the one with the lowest number, then the first name: going through the
/// set in that order, an image is a duplicate when one that stays already shows the same. The order in which the
/// set is given makes no difference.
#[must_use]
pub fn find_duplicates(set: &[Observed]) -> BTreeMap<&str, Duplicate<'_>> {
    let mut best_first: Vec<&Observed> = set.iter().collect();
    best_first
        .sort_by_key(|image| (Reverse(image.observation.quality), number_of(&image.filename), image.filename.as_str()));
    let mut kept: Vec<&Observed> = Vec::new();
    let mut duplicates = BTreeMap::new();
    for image in best_first {
        match kept.iter().find_map(|stays| repeats(&image.facts, stays)) {
            Some(duplicate) => {
                duplicates.insert(image.filename.as_str(), duplicate);
            }
            None => kept.push(image),
        }
    }
    duplicates
}

fn repeats<'a>(facts: &Facts, stays: &'a Observed) -> Option<Duplicate<'a>> {
    let of = stays.filename.as_str();
    if facts.sha256 == stays.facts.sha256 {
        Some(Duplicate::Exact { of })
    } else if facts.looks_like(&stays.facts) {
        Some(Duplicate::Near { of })
    } else {
        None
    }
}
