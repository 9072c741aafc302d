//! Percentages that sum to 100, and numbers of images divided by them.

use std::cmp::Reverse;

/// Reads `N` whole percentages with slashes between them, such as `65/20/15`; `None` unless they sum to 100.
pub(crate) fn percentages<const N: usize>(text: &str) -> Option<[u32; N]> {
    let parts: Vec<u32> = text.split('/').map(|part| part.trim().parse()).collect::<Result<_, _>>().ok()?;
    let sum: u64 = parts.iter().copied().map(u64::from).sum();
    <[u32; N]>::try_from(parts).ok().filter(|_| sum == 100)
}

/// Divides `total` by percentages with the largest remainder (Hamilton's method): each part gets the whole part of its
/// share, and the largest fractions get one of the remaining images each, the earlier part first if they are equal. The
/// parts always sum to `total`.
pub(crate) fn apportion<const N: usize>(total: u32, percentages: [u32; N]) -> [u32; N] {
    let hundredths = percentages.map(|percent| u64::from(total) * u64::from(percent));
    let mut parts = hundredths.map(|share| u32::try_from(share / 100).unwrap_or(u32::MAX));
    let mut by_fraction: Vec<usize> = (0..N).collect();
    by_fraction.sort_by_key(|&part| (Reverse(hundredths[part] % 100), part));
    let left_over = total - parts.iter().sum::<u32>();
    for part in by_fraction.into_iter().take(left_over as usize) {
        parts[part] += 1;
    }
    parts
}

/// The numbers with slashes between them, as in `13/4/3`.
pub(crate) fn joined(numbers: &[u32]) -> String {
    numbers.iter().map(u32::to_string).collect::<Vec<_>>().join("/")
}
