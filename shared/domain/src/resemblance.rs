//! Resemblances: what the comparison of two images' pixels has found.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::facts::{Facts, PerceptualHash, short_name};
use crate::observation::Observed;

/// The most bits in which the perceptual hashes of nominated uploads differ. Measured on 48 real images: trimmed by 5 %
/// at two or four sides, an image differs from itself in up to 91 of 256 bits. A fifth of the pairs of different images
/// differ in fewer.
const MAX_DISTANCE_OF_UPLOADS: u32 = 96;
/// The same for a pair with a generated image, which is never trimmed: recompressed or resized, an image differs from
/// itself in up to 25 bits.
const MAX_DISTANCE_OF_GENERATED: u32 = 26;
/// The most bits in which an upload's hash differs from the mirrored hash of another. Measured: up to 34 bits between an
/// image and its recompressed mirror image, 45 or more between different images.
const MAX_MIRRORED_DISTANCE: u32 = 44;
/// The partners of one image that are nominated, the nearest first. The hashes of line drawings on white paper are all
/// alike: without this bound, 500 of them would be 125,000 pairs.
const MAX_PARTNERS: usize = 12;

/// What the comparison of two images' pixels has found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resemblance {
    /// Both files show the same picture: one is compressed, resized or trimmed.
    SamePicture,
    /// One picture is the mirror image of the other.
    Mirrored,
    /// A part of the pictures differs, however small.
    Different,
}

/// The known resemblances of a set. A pair without an entry was not compared, and does not count as a duplicate.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Resemblances(BTreeMap<[String; 2], Resemblance>);

impl Resemblances {
    /// Records the result of a comparison.
    pub fn record(&mut self, one: &Facts, other: &Facts, resemblance: Resemblance) {
        self.record_by_name(name_of(one), name_of(other), resemblance);
    }

    /// Records the entries of one image record: the resemblance to other files, by their [names](name_of).
    pub fn record_all(&mut self, facts: &Facts, entries: &BTreeMap<String, Resemblance>) {
        for (other, &resemblance) in entries {
            self.record_by_name(name_of(facts), other, resemblance);
        }
    }

    fn record_by_name(&mut self, one: &str, other: &str, resemblance: Resemblance) {
        self.0.insert(pair(one, other), resemblance);
    }

    /// The resemblance of two files; `None` if they were not compared.
    #[must_use]
    pub fn of(&self, one: &Facts, other: &Facts) -> Option<Resemblance> {
        self.0.get(&pair(name_of(one), name_of(other))).copied()
    }
}

/// The name of a file in the record of another image.
#[must_use]
pub fn name_of(facts: &Facts) -> &str {
    short_name(&facts.sha256)
}

fn pair(one: &str, other: &str) -> [String; 2] {
    let mut names = [one.to_owned(), other.to_owned()];
    names.sort();
    names
}

/// The pairs of a set that a comparison may confirm as the same picture, as indices into the set, the most alike first.
/// Files with the same bytes need no comparison.
#[must_use]
pub fn nominate(set: &[Observed]) -> Vec<(usize, usize)> {
    let candidates: Vec<Candidate<'_>> = set.iter().map(Candidate::of).collect();
    let mut nominated = BTreeSet::new();
    for (one, candidate) in candidates.iter().enumerate() {
        let others = candidates.iter().enumerate().filter(|&(other, _)| other != one);
        let mut partners: Vec<_> =
            others.filter_map(|(other, partner)| Some((candidate.distance(partner)?, other))).collect();
        partners.sort_unstable();
        partners.truncate(MAX_PARTNERS);
        nominated.extend(partners.into_iter().map(|(bits, other)| (bits, one.min(other), one.max(other))));
    }
    nominated.into_iter().map(|(_, one, other)| (one, other)).collect()
}

/// An image with its hashes, which are decoded once for all pairs.
struct Candidate<'a> {
    sha256: &'a str,
    is_uploaded: bool,
    hash: Option<PerceptualHash>,
    mirrored: Option<PerceptualHash>,
}

impl<'a> Candidate<'a> {
    fn of(image: &'a Observed) -> Self {
        let hash = image.facts.hash();
        let mirrored = hash.as_ref().map(PerceptualHash::mirrored);
        Self { sha256: &image.facts.sha256, is_uploaded: image.origin.is_uploaded(), hash, mirrored }
    }

    /// The bits in which the hashes differ, directly or mirrored; `None` if the pair is not nominated.
    fn distance(&self, other: &Self) -> Option<u32> {
        if self.sha256 == other.sha256 {
            return None;
        }
        let are_uploads = self.is_uploaded && other.is_uploaded;
        let most = if are_uploads { MAX_DISTANCE_OF_UPLOADS } else { MAX_DISTANCE_OF_GENERATED };
        let hash = self.hash.as_ref()?;
        let direct = hash.distance(other.hash.as_ref()?).filter(|&bits| bits <= most);
        let mirrored = hash.distance(other.mirrored.as_ref()?);
        let mirrored = mirrored.filter(|&bits| are_uploads && bits <= MAX_MIRRORED_DISTANCE);
        direct.into_iter().chain(mirrored).min()
    }
}
