//! Decides by their pixels whether two images show the same picture.
//!
//! The comparison places one picture within the other, and then compares them tile by tile. A copy may be compressed,
//! resized, trimmed by about 5 % on each side, or mirrored. A small part that differs, such as a raised arm or another
//! face, makes the pictures different.

mod placement;
mod plane;
mod tiles;

use std::collections::BTreeMap;

use domain::assessment::Observed;
use domain::resemblance::{Resemblance, Resemblances, nominate};
use image::RgbImage;
use image::imageops::flip_horizontal;

use crate::{resize, shrink};
use placement::{Placement, refine, search};
use plane::Plane;

/// The longest side, in pixels, of the copies among which the placement is searched.
const COARSE_SIDE: u32 = 64;
/// The longest side, in pixels, of the copies whose tiles are compared: a head of a full-length figure has about 20
/// pixels.
const FINE_SIDE: u32 = 320;
/// The mean square difference of the placed coarse copies, divided by the sum of their variances, above which the
/// pictures differ. Measured: up to 0.05 between 48 real images and their altered copies, 0.11 for thin line drawings.
const MAX_COARSE_DIFFERENCE: f32 = 0.2;
/// The greatest share of a tile's structure that the other picture may lack. Measured: up to 0.01 between an image and
/// its altered copies, 0.1 at JPEG quality 25; 0.3 or more if an oval of 6 % of the width is replaced.
const MAX_STRUCTURE: f32 = 0.15;
/// The greatest difference between the means of two tiles, of 255. Measured: up to 6 between an image and its copy at
/// JPEG quality 25; 13 or more if an oval of 6 % of the width is replaced.
const MAX_TONE: f32 = 10.0;

/// A picture, prepared for comparisons.
#[derive(Debug, Clone)]
pub struct Comparable {
    coarse: Plane,
    /// At most [`FINE_SIDE`] pixels on the longest side.
    fine: RgbImage,
}

impl Comparable {
    /// Prepares an upright image, or a preview of it.
    #[must_use]
    pub fn of(image: &RgbImage) -> Self {
        Self { coarse: Plane::brightness(&scaled_to(image, COARSE_SIDE)), fine: shrink(image, FINE_SIDE) }
    }

    /// Compares two pictures. A symmetrical picture counts as the same, not as mirrored.
    #[must_use]
    pub fn compare(&self, other: &Self) -> Resemblance {
        if self.is_same_as(other) {
            Resemblance::SamePicture
        } else if self.is_same_as(&other.mirrored()) {
            Resemblance::Mirrored
        } else {
            Resemblance::Different
        }
    }

    fn mirrored(&self) -> Self {
        Self::of(&flip_horizontal(&self.fine))
    }

    fn is_same_as(&self, other: &Self) -> bool {
        let Some((difference, coarse)) = search(&self.coarse, &other.coarse) else { return false };
        let variance = self.coarse.variance() + other.coarse.variance();
        difference <= MAX_COARSE_DIFFERENCE * variance && self.is_same_at(other, coarse).unwrap_or(false)
    }

    /// Compares the tiles, from the placement of the coarse copies; `None` if the pictures can't be placed.
    fn is_same_at(&self, other: &Self, coarse: Placement) -> Option<bool> {
        let longest = |image: &RgbImage| image.width().max(image.height());
        let side = longest(&self.fine).min(longest(&other.fine)).max(COARSE_SIDE);
        let (one, two) = (scaled_to(&self.fine, side), scaled_to(&other.fine, side));
        let medium = (side / 2).max(COARSE_SIDE);
        let soft = |image: &RgbImage, side: u32| Plane::brightness(&scaled_to(image, side)).softened();
        let growth = |to: u32, from: u32| to as f32 / from as f32;
        let start = coarse.enlarged(growth(medium, COARSE_SIDE));
        let placed = refine(&soft(&one, medium), &soft(&two, medium), start)?;
        let placed = refine(&soft(&one, side), &soft(&two, side), placed.enlarged(growth(side, medium)))?;
        let channel = |image: &RgbImage, index: usize| Plane::channel(image, index).softened();
        Some((0..3).all(|index| {
            let found = tiles::compare(&channel(&one, index), &channel(&two, index), placed);
            found.structured > 0 && found.structure <= MAX_STRUCTURE && found.tone <= MAX_TONE
        }))
    }
}

/// Compares the nominated pairs of a set, whose pictures are in the same order.
#[must_use]
pub fn compare_nominated(set: &[Observed], pictures: &[&RgbImage]) -> Resemblances {
    let mut resemblances = Resemblances::default();
    let mut prepared: BTreeMap<usize, Comparable> = BTreeMap::new();
    for (one, other) in nominate(set) {
        for index in [one, other] {
            if let Some(picture) = pictures.get(index) {
                prepared.entry(index).or_insert_with(|| Comparable::of(picture));
            }
        }
        if let (Some(first), Some(second)) = (prepared.get(&one), prepared.get(&other)) {
            resemblances.record(&set[one].facts, &set[other].facts, first.compare(second));
        }
    }
    resemblances
}

/// A copy whose longest side has `longest` pixels, also of a smaller picture.
fn scaled_to(image: &RgbImage, longest: u32) -> RgbImage {
    let (width, height) = image.dimensions();
    let scale = f64::from(longest) / f64::from(width.max(height).max(1));
    let side = |length: u32| ((f64::from(length) * scale).round() as u32).max(1);
    if width.max(height) == longest { image.clone() } else { resize(image, side(width), side(height)) }
}
