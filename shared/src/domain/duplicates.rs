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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::assessment::{Flag, Observation, assess};
    use crate::domain::kind::Kind;
    use crate::imaging::measure;
    use image::{Rgb, RgbImage};

    /// A picture of its own for each `seed`.
    fn picture(seed: u32) -> RgbImage {
        RgbImage::from_fn(96, 64, |x, y| {
            let wave = f64::from(x * (seed % 7 + 2) + y * (seed % 5 + 1) * 2 + seed * 13).sin();
            Rgb([(128.0 + 127.0 * (wave * f64::from(seed + 1)).sin()) as u8; 3])
        })
    }

    fn observed(filename: &str, file: &[u8], image: &RgbImage, quality: u8) -> Observed {
        let observation =
            Observation { kind: Kind::Photorealistic, quality, flags: Vec::new(), reason: "Sharp.".to_owned() };
        Observed { filename: filename.to_owned(), observation, facts: measure(file, image) }
    }

    #[test]
    fn of_files_with_the_same_bytes_the_oldest_stays() {
        let set = [10, 9, 2].map(|number| observed(&format!("a_{number}.jpg"), b"same", &picture(1), 8));
        let duplicates = find_duplicates(&set);
        let exact = Some(&Duplicate::Exact { of: "a_2.jpg" });
        assert_eq!((duplicates.get("a_9.jpg"), duplicates.get("a_10.jpg")), (exact, exact));
        assert_eq!(duplicates.get("a_2.jpg"), None);
    }

    #[test]
    fn of_files_that_show_the_same_the_best_stays() {
        let set = [observed("a_1.jpg", b"one", &picture(1), 6), observed("a_2.jpg", b"two", &picture(1), 8)];
        assert_eq!(find_duplicates(&set).get("a_1.jpg"), Some(&Duplicate::Near { of: "a_2.jpg" }));
    }

    #[test]
    fn different_pictures_are_no_duplicates() {
        let set = [1, 2, 3].map(|seed| observed(&format!("a_{seed}.jpg"), &[seed as u8], &picture(seed), 8));
        assert!(find_duplicates(&set).is_empty());
    }

    #[test]
    fn a_duplicate_loses_its_worth_and_says_why() {
        let set = [observed("a_1.jpg", b"same", &picture(1), 9), observed("a_2.jpg", b"same", &picture(1), 9)];
        let assessments = assess(&set);
        assert_eq!((assessments[0].quality, assessments[1].quality), (9, 1));
        assert_eq!(assessments[1].flags, [Flag::ExactDuplicate]);
        assert_eq!(assessments[1].reason, "The same file as a_1.jpg.");
    }
}
