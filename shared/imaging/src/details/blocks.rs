//! Measures the edges of the blocks that strong JPEG compression leaves.

use image::GrayImage;

/// The side of a JPEG's blocks, in pixels.
const BLOCK: usize = 8;

/// By how much steps between neighbours are larger across the edges of blocks than within the blocks, in hundredths of
/// a level of 255, times the ratio of both: blocks disturb smooth areas more than rough ones. The lower value of both
/// directions counts, because a picture may contain a pattern of stripes.
///
/// The blocks begin at the left and at the top of a JPEG; a trimmed copy has them elsewhere. So the offset with the
/// largest steps counts.
pub(crate) fn blockiness(gray: &GrayImage) -> u16 {
    let (width, height) = (gray.width() as usize, gray.height() as usize);
    let (mut across, mut down) = (vec![0_u64; width.saturating_sub(1)], Vec::with_capacity(height));
    let step = |(&one, &other): (&u8, &u8)| u64::from(one.abs_diff(other));
    let mut above: Option<&[u8]> = None;
    for row in gray.as_raw().chunks_exact(width.max(1)) {
        across.iter_mut().zip(row.iter().zip(&row[1..])).for_each(|(sum, pair)| *sum += step(pair));
        down.extend(above.map(|above| above.iter().zip(row).map(step).sum::<u64>()));
        above = Some(row);
    }
    excess(&across, height).min(excess(&down, width))
}

/// By how much the steps of one class of lines exceed those of the others, in hundredths of a level, times the ratio of
/// both. `sums` contains the steps across each line of `length` pixels; every [`BLOCK`]th line is of the same class.
///
/// Of each class the median line counts: compression shows at every edge of a block, an edge of the picture only at few.
fn excess(sums: &[u64], length: usize) -> u16 {
    let hundredths =
        |class: usize| median(sums.iter().skip(class).step_by(BLOCK).copied()) * 100 / length.max(1) as u64;
    let classes: Vec<u64> = (0..BLOCK).map(hundredths).collect();
    let largest = classes.iter().copied().max().unwrap_or_default();
    let others = ((classes.iter().sum::<u64>() - largest) / (BLOCK as u64 - 1)).max(1);
    u16::try_from((largest - others.min(largest)) * largest / others).unwrap_or(u16::MAX)
}

fn median(values: impl Iterator<Item = u64>) -> u64 {
    let mut values: Vec<u64> = values.collect();
    values.sort_unstable();
    values.get(values.len() / 2).copied().unwrap_or_default()
}
