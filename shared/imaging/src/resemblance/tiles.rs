//! Compares two placed pictures tile by tile.

use super::placement::Placement;
use super::plane::Plane;

/// The side of a tile, in pixels: about the head of a full-length figure.
const TILE: usize = 16;
/// The distance from one tile to the next, in pixels.
const STRIDE: usize = 8;

/// The variance of a tile's brightness that grain and compression cause, in squared levels of 255.
const NOISE: f32 = 30.0;
/// The variance, of both pictures together, from which a tile has structure.
const STRUCTURED: f32 = 4.0 * NOISE;

/// The greatest differences between the tiles of two pictures.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Difference {
    /// The greatest share of a tile's structure that the other picture lacks: 0 for equal tiles, about 1 for unrelated
    /// ones.
    pub(crate) structure: f32,
    /// The greatest difference between the means of two tiles, of 255.
    pub(crate) tone: f32,
    /// The number of tiles with structure.
    pub(crate) structured: usize,
}

/// Compares the tiles of the first picture with those parts of the second that the placement assigns to them. Tiles that
/// the second picture does not contain are left out.
pub(crate) fn compare(first: &Plane, second: &Plane, placement: Placement) -> Difference {
    let starts = |length: usize| (0..=length.saturating_sub(TILE)).step_by(STRIDE);
    let corners = starts(first.height).flat_map(|top| starts(first.width).map(move |left| (left, top)));
    let tiles = corners.filter_map(|(left, top)| Tile::of(first, second, placement, left, top));
    tiles.fold(Difference { structure: 0.0, tone: 0.0, structured: 0 }, |found, tile| Difference {
        structure: found.structure.max(tile.lacking()),
        tone: found.tone.max(tile.shift.abs()),
        structured: found.structured + usize::from(tile.variance > STRUCTURED),
    })
}

struct Tile {
    /// The sum of both variances.
    variance: f32,
    /// The variance of the difference.
    residue: f32,
    /// The difference of the means.
    shift: f32,
}

impl Tile {
    fn of(first: &Plane, second: &Plane, placement: Placement, left: usize, top: usize) -> Option<Self> {
        let (mut ones, mut others, mut differences) = (Moments::default(), Moments::default(), Moments::default());
        for y in top..(top + TILE).min(first.height) {
            for x in left..(left + TILE).min(first.width) {
                let (to_x, to_y) = placement.of(x, y);
                let (one, other) = (first.at(x, y), second.between(to_x, to_y)?);
                ones.add(one);
                others.add(other);
                differences.add(one - other);
            }
        }
        Some(Self {
            variance: ones.variance() + others.variance(),
            residue: differences.variance(),
            shift: differences.mean(),
        })
    }

    fn lacking(&self) -> f32 {
        (self.residue - NOISE).max(0.0) / (self.variance + NOISE)
    }
}

#[derive(Default)]
struct Moments {
    count: f32,
    sum: f32,
    squares: f32,
}

impl Moments {
    fn add(&mut self, value: f32) {
        self.count += 1.0;
        self.sum += value;
        self.squares += value * value;
    }

    fn mean(&self) -> f32 {
        self.sum / self.count.max(1.0)
    }

    fn variance(&self) -> f32 {
        (self.squares / self.count.max(1.0) - self.mean() * self.mean()).max(0.0)
    }
}
