//! Finds the images of a set that repeat another one.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::numbering::number_of;
use crate::observation::Observed;
use crate::resemblance::{Resemblance, Resemblances};

/// The way in which an image repeats another one of its set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Duplicate<'a> {
    /// A file with the same bytes.
    Exact {
        /// The file name of the original.
        of: &'a str,
    },
    /// A file that shows the same picture by a comparison of the pixels.
    Near {
        /// The file name of the original.
        of: &'a str,
    },
    /// A file that shows the mirror image. Training may profit from both.
    Mirrored {
        /// The file name of the original.
        of: &'a str,
    },
}

/// Finds the images that repeat another one, by file name. `set` has the qualities after measured faults have limited
/// them. A pair that was not compared is no near duplicate, and neither is one of different kinds.
///
/// In each group one image counts as the original: one that no rule deletes before others, so that a group never loses
/// all its images, then the user's own before a generated one, a pinned one, the best rated, the one with the lowest
/// number, the first name. The order of the set has no effect.
#[must_use]
pub fn find_duplicates<'a>(
    set: &'a [Observed],
    resemblances: &Resemblances,
    quality_floor: u8,
) -> BTreeMap<&'a str, Duplicate<'a>> {
    let mut ranked: Vec<&Observed> = set.iter().collect();
    ranked.sort_by_key(|image| rank(image, quality_floor));
    let mut duplicates = BTreeMap::new();
    let mut by_content: BTreeMap<&str, &Observed> = BTreeMap::new();
    let mut originals: Vec<&Observed> = Vec::new();
    for image in ranked {
        let repeated = match by_content.get(image.facts.sha256.as_str()) {
            Some(same) => Some(Duplicate::Exact { of: &same.filename }),
            None => {
                by_content.insert(&image.facts.sha256, image);
                let first = |resemblance: Resemblance| {
                    let is_so = |it: &&&Observed| {
                        it.observation.kind == image.observation.kind
                            && resemblances.of(&image.facts, &it.facts) == Some(resemblance)
                    };
                    originals.iter().find(is_so).map(|original| original.filename.as_str())
                };
                let near = first(Resemblance::SamePicture).map(|of| Duplicate::Near { of });
                near.or_else(|| first(Resemblance::Mirrored).map(|of| Duplicate::Mirrored { of }))
            }
        };
        if matches!(repeated, None | Some(Duplicate::Mirrored { .. })) {
            originals.push(image);
        }
        if let Some(duplicate) = repeated {
            duplicates.insert(image.filename.as_str(), duplicate);
        }
    }
    duplicates
}

/// The sort key that puts the original before its duplicates.
fn rank(image: &Observed, quality_floor: u8) -> impl Ord + use<'_> {
    let is_of_another_kind = image.origin.missed_kind(image.observation.kind).is_some();
    let is_poor = image.observation.quality < quality_floor;
    (
        !image.pinned && (is_of_another_kind || is_poor),
        !image.origin.is_uploaded(),
        !image.pinned,
        Reverse(image.observation.quality),
        number_of(&image.filename),
        image.filename.as_str(),
    )
}
