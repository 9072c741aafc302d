//! Finds the place of one picture within another one: the second may be a trimmed copy of the first, or the reverse.

use super::plane::Plane;

/// The scales that the search tries: a trimmed copy is enlarged by up to an eighth when both are brought to one size.
const SCALES: [f32; 14] = [0.88, 0.9, 0.92, 0.94, 0.96, 0.98, 1.0, 1.02, 1.04, 1.06, 1.08, 1.1, 1.12, 1.14];
/// How far beyond the other picture's edge a picture may reach, as a share of the longest side: both may be trimmed.
const OVERHANG: f32 = 0.05;
/// The least share of the first picture that must lie within the second.
const MIN_OVERLAP: f32 = 0.7;
/// Steps of the refinement at each resolution. Most pairs converge in five.
const MAX_STEPS: usize = 12;

/// Where a point of the first picture lies in the second: `left + scale_x * x`, `top + scale_y * y`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Placement {
    pub(crate) scale_x: f32,
    pub(crate) scale_y: f32,
    pub(crate) left: f32,
    pub(crate) top: f32,
}

impl Placement {
    pub(crate) fn of(&self, x: usize, y: usize) -> (f32, f32) {
        (self.left + self.scale_x * x as f32, self.top + self.scale_y * y as f32)
    }

    /// The same placement for copies that are `factor` times as large. Pixels are measured at their centres.
    pub(crate) fn enlarged(&self, factor: f32) -> Self {
        let start = |offset: f32, scale: f32| (offset + 0.5 - scale * 0.5) * factor - 0.5 + scale * 0.5;
        Self { left: start(self.left, self.scale_x), top: start(self.top, self.scale_y), ..*self }
    }

    /// Whether the scales are those of a trimmed copy, with the proportions nearly kept.
    pub(crate) fn is_plausible(&self) -> bool {
        let is_scale = |scale: f32| (0.85..=1.18).contains(&scale);
        is_scale(self.scale_x) && is_scale(self.scale_y) && (self.scale_x / self.scale_y - 1.0).abs() < 0.03
    }
}

/// The placement with the least mean square difference among [`SCALES`] and all shifts by whole pixels, with that
/// difference. `None` if no placement has enough overlap.
pub(crate) fn search(first: &Plane, second: &Plane) -> Option<(f32, Placement)> {
    let mut best: Option<(f32, Placement)> = None;
    for scale in SCALES {
        let scaled = enlarged_by(first, scale);
        let overhang = OVERHANG * first.width.max(first.height) as f32;
        for top in shifts(second.height, scaled.height, overhang) {
            for left in shifts(second.width, scaled.width, overhang) {
                let Some(difference) = difference_at(&scaled, second, left, top) else { continue };
                if best.as_ref().is_none_or(|(least, _)| difference < *least) {
                    let start = |shift: isize| shift as f32 + 0.5 * scale - 0.5;
                    let (left, top) = (start(left), start(top));
                    best = Some((difference, Placement { scale_x: scale, scale_y: scale, left, top }));
                }
            }
        }
    }
    best
}

/// The shifts at which one picture contains the other, or reaches beyond it by the overhang.
fn shifts(second: usize, first: usize, overhang: f32) -> std::ops::RangeInclusive<isize> {
    let room = second as isize - first as isize;
    let overhang = overhang.round() as isize;
    room.min(0) - overhang..=room.max(0) + overhang
}

fn enlarged_by(plane: &Plane, scale: f32) -> Plane {
    let side = |length: usize| ((length as f32 * scale).round() as usize).max(1);
    let (width, height) = (side(plane.width), side(plane.height));
    let source =
        |index: usize, length: usize| ((index as f32 + 0.5) / scale - 0.5).clamp(0.0, (length as f32 - 1.001).max(0.0));
    let at = |x: usize, y: usize| plane.between(source(x, plane.width), source(y, plane.height)).unwrap_or_default();
    let values = (0..height).flat_map(|y| (0..width).map(move |x| (x, y))).map(|(x, y)| at(x, y)).collect();
    Plane { width, height, values }
}

/// The mean square difference where the pictures overlap; `None` if they overlap too little.
fn difference_at(first: &Plane, second: &Plane, left: isize, top: isize) -> Option<f32> {
    let span = |shift: isize, one: usize, other: usize| {
        let start = (-shift).max(0) as usize;
        (start, ((other as isize - shift).clamp(0, one as isize) as usize).max(start))
    };
    let (from_x, to_x) = span(left, first.width, second.width);
    let (from_y, to_y) = span(top, first.height, second.height);
    let pixels = (to_x - from_x) * (to_y - from_y);
    if (pixels as f32) < MIN_OVERLAP * first.values.len() as f32 || pixels == 0 {
        return None;
    }
    let mut sum = 0.0;
    for y in from_y..to_y {
        let row = &first.values[y * first.width + from_x..y * first.width + to_x];
        let start = (y as isize + top) as usize * second.width + (from_x as isize + left) as usize;
        let other = &second.values[start..start + row.len()];
        sum += row.iter().zip(other).map(|(one, other)| (one - other) * (one - other)).sum::<f32>();
    }
    Some(sum / pixels as f32)
}

/// Improves a placement to fractions of a pixel, by the method of Gauss and Newton on the square difference (Lucas and
/// Kanade, 1981). `None` if the pictures have too little structure or the placement leaves the picture.
pub(crate) fn refine(first: &Plane, second: &Plane, start: Placement) -> Option<Placement> {
    let mut placement = start;
    for _ in 0..MAX_STEPS {
        let [scale_x, left, scale_y, top] = step(first, second, placement)?;
        placement.scale_x += scale_x;
        placement.left += left;
        placement.scale_y += scale_y;
        placement.top += top;
        if !placement.is_plausible() {
            return None;
        }
        let reach = first.width.max(first.height) as f32;
        if left.abs().max(top.abs()) < 0.01 && scale_x.abs().max(scale_y.abs()) * reach < 0.02 {
            break;
        }
    }
    Some(placement)
}

/// The change of `scale_x`, `left`, `scale_y` and `top` that the linearised difference requires.
fn step(first: &Plane, second: &Plane, placement: Placement) -> Option<[f32; 4]> {
    let mut system = [[0.0_f64; 5]; 4];
    for y in 0..first.height {
        for x in 0..first.width {
            let (to_x, to_y) = placement.of(x, y);
            let (Some(left), Some(right)) = (second.between(to_x - 0.5, to_y), second.between(to_x + 0.5, to_y)) else {
                continue;
            };
            let (Some(above), Some(below)) = (second.between(to_x, to_y - 0.5), second.between(to_x, to_y + 0.5))
            else {
                continue;
            };
            let (slope_x, slope_y) = (right - left, below - above);
            let slopes = [slope_x * x as f32, slope_x, slope_y * y as f32, slope_y].map(f64::from);
            let missing = f64::from(first.at(x, y) - (left + right + above + below) / 4.0);
            for (row, &slope) in system.iter_mut().zip(&slopes) {
                for (cell, &other) in row.iter_mut().zip(&slopes) {
                    *cell += slope * other;
                }
                row[4] += slope * missing;
            }
        }
    }
    solve(system)
}

/// Solves four linear equations, whose right sides are the fifth column, by elimination with pivots.
fn solve(mut rows: [[f64; 5]; 4]) -> Option<[f32; 4]> {
    for column in 0..4 {
        let pivot = (column..4).max_by(|&one, &other| rows[one][column].abs().total_cmp(&rows[other][column].abs()))?;
        rows.swap(column, pivot);
        if rows[column][column].abs() < 1e-6 {
            return None;
        }
        let eliminated = rows[column];
        for (_, row) in rows.iter_mut().enumerate().filter(|(index, _)| *index != column) {
            let factor = row[column] / eliminated[column];
            for (cell, pivot) in row.iter_mut().zip(eliminated) {
                *cell -= factor * pivot;
            }
        }
    }
    Some([0, 1, 2, 3].map(|row| (rows[row][4] / rows[row][row]) as f32))
}
