//! Measures the edges of the blocks that strong JPEG compression leaves.

use image::GrayImage;

/// The side of a JPEG's blocks, in pixels.
const BLOCK: usize = 8;

/// Larger steps, of 255, are edges of the picture itself.
const CLIP: u8 = 32;

/// By how much steps between neighbours are larger across the edges of blocks than within the blocks, in hundredths of
/// a level of 255, times the ratio of both: blocks disturb smooth areas more than rough ones. The lower value of both
/// directions counts, because a picture may contain a pattern of stripes.
///
/// The blocks begin at the left and at the top of a JPEG; a trimmed copy has them elsewhere. So the offset with the
/// largest steps counts.
pub(crate) fn blockiness(gray: &GrayImage) -> u16 {
    let (width, height) = (gray.width() as usize, gray.height() as usize);
    let (mut across, mut down) = ([0_u64; BLOCK], [0_u64; BLOCK]);
    let step = |one: u8, other: u8| u64::from(one.abs_diff(other).min(CLIP));
    for (y, row) in gray.as_raw().chunks_exact(width.max(1)).enumerate() {
        for (x, (&here, &next)) in row.iter().zip(&row[1..]).enumerate() {
            across[x % BLOCK] += step(here, next);
        }
        let below = gray.as_raw().chunks_exact(width.max(1)).nth(y + 1).unwrap_or(row);
        down[y % BLOCK] += row.iter().zip(below).map(|(&here, &below)| step(here, below)).sum::<u64>();
    }
    let pixels = (width * height) as u64;
    excess(across, pixels).min(excess(down, pixels))
}

/// The largest sum minus the mean of the others, for each pixel of one of the [`BLOCK`] classes of `pixels`, times the
/// ratio of both.
fn excess(sums: [u64; BLOCK], pixels: u64) -> u16 {
    let largest = sums.iter().copied().max().unwrap_or_default();
    let others = ((sums.iter().sum::<u64>() - largest) / (BLOCK as u64 - 1)).max(1);
    let of_class = (pixels / BLOCK as u64).max(1);
    let excess = largest.saturating_sub(others) * 100 / of_class;
    u16::try_from(excess * largest / others).unwrap_or(u16::MAX)
}
