//! Building blocks of the colour techniques: brush smoothing, palettes, and the relief of paint.

use image::{Rgb, RgbImage};

use super::tone::{Plane, Rgb01, at, from_pixel, gradient, luma_plane, to_pixel};

/// Smooths a picture into brush-sized patches and keeps edges: the filter of Kuwahara (1976) gives each pixel the mean
/// of that of its four adjacent squares of `radius` pixels that has the least variance.
pub(super) fn kuwahara(picture: &RgbImage, radius: u32) -> RgbImage {
    let (width, height) = picture.dimensions();
    let sums = Sums::of(picture);
    // The square to the lower right of every pixel; the other three belong to pixels up and left of it.
    let squares: Vec<(Rgb<u8>, f32)> = (0..height)
        .flat_map(|y| (0..width).map(move |x| (x, y)))
        .map(|(x, y)| sums.mean_and_variance([x, y, (x + radius).min(width - 1), (y + radius).min(height - 1)]))
        .collect();
    let square = |x: u32, y: u32| squares[(y * width + x) as usize];
    RgbImage::from_fn(width, height, |x, y| {
        let (left, top) = (x.saturating_sub(radius), y.saturating_sub(radius));
        let mut calmest = square(x, y);
        for other in [square(left, top), square(x, top), square(left, y)] {
            if other.1 < calmest.1 {
                calmest = other;
            }
        }
        calmest.0
    })
}

/// The summed-area tables of colours and of squared brightness.
struct Sums {
    width: usize,
    table: Vec<[u32; 3]>,
    squares: Vec<u64>,
}

impl Sums {
    fn of(picture: &RgbImage) -> Self {
        let (columns, rows) = picture.dimensions();
        let width = columns as usize + 1;
        let mut table: Vec<[u32; 3]> = vec![[0; 3]; width * (rows as usize + 1)];
        let mut squares = vec![0; table.len()];
        for (x, y, pixel) in picture.enumerate_pixels() {
            let here = (y as usize + 1) * width + x as usize + 1;
            let (left, above, corner) = (here - 1, here - width, here - width - 1);
            table[here] =
                std::array::from_fn(|c| table[left][c] + table[above][c] - table[corner][c] + u32::from(pixel.0[c]));
            squares[here] = squares[left] + squares[above] - squares[corner] + brightness(pixel.0).pow(2);
        }
        Self { width, table, squares }
    }

    /// The mean colour of an inclusive rectangle, and the variance of its brightness.
    fn mean_and_variance(&self, [left, top, right, bottom]: [u32; 4]) -> (Rgb<u8>, f32) {
        let index = |x: u32, y: u32| y as usize * self.width + x as usize;
        let (a, b) = (index(left, top), index(right + 1, top));
        let (c, d) = (index(left, bottom + 1), index(right + 1, bottom + 1));
        let area = (right + 1 - left) * (bottom + 1 - top);
        let total: [u32; 3] =
            std::array::from_fn(|ch| self.table[d][ch] + self.table[a][ch] - self.table[b][ch] - self.table[c][ch]);
        let square = (self.squares[d] + self.squares[a] - self.squares[b] - self.squares[c]) as f32;
        let mean_brightness = total.iter().sum::<u32>() as f32 / area as f32;
        let variance = square / area as f32 - mean_brightness.powi(2);
        (Rgb(total.map(|sum| (sum / area) as u8)), variance)
    }
}

fn brightness([r, g, b]: [u8; 3]) -> u64 {
    u64::from(r) + u64::from(g) + u64::from(b)
}

/// A palette for a picture: `count` means by Lloyd's k-means algorithm on a sample of pixels, which starts with colours
/// spread over the range of brightness.
pub(super) fn palette(picture: &RgbImage, count: usize) -> Vec<Rgb01> {
    let mut sample: Vec<Rgb01> = picture.pixels().step_by(61).map(|pixel| from_pixel(*pixel)).collect();
    sample.sort_unstable_by(|a, b| a.iter().sum::<f32>().total_cmp(&b.iter().sum::<f32>()));
    let mut means: Vec<Rgb01> = (0..count).map(|i| sample[(2 * i + 1) * sample.len() / (2 * count)]).collect();
    for _ in 0..12 {
        let mut sums = vec![([0.0; 3], 0.0); count];
        for color in &sample {
            let (sum, members) = &mut sums[nearest(&means, *color)];
            *sum = std::array::from_fn(|c| sum[c] + color[c]);
            *members += 1.0;
        }
        for (mean, (sum, members)) in means.iter_mut().zip(sums) {
            if members > 0.0 {
                *mean = sum.map(|channel| channel / members);
            }
        }
    }
    means
}

/// The index of the palette colour nearest to a colour.
pub(super) fn nearest(palette: &[Rgb01], color: Rgb01) -> usize {
    let distance = |other: &Rgb01| -> f32 { other.iter().zip(color).map(|(a, b)| (a - b).powi(2)).sum() };
    (0..palette.len()).min_by(|&a, &b| distance(&palette[a]).total_cmp(&distance(&palette[b]))).unwrap_or(0)
}

/// Lights a picture from the upper left as if its brightness and a layer of bristle marks were a relief.
pub(super) fn emboss(picture: &RgbImage, bristles: &Plane, strength: f32) -> RgbImage {
    let mut relief = luma_plane(picture);
    for (height, bristle) in relief.iter_mut().zip(bristles.iter()) {
        *height = 0.35 * *height + bristle;
    }
    RgbImage::from_fn(picture.width(), picture.height(), |x, y| {
        let (dx, dy) = gradient(&relief, x, y);
        let light = 1.0 + strength * (dx + dy).clamp(-0.25, 0.25);
        to_pixel(from_pixel(*picture.get_pixel(x, y)).map(|c| c * light))
    })
}

/// Applies a function to every colour, given its position.
pub(super) fn recolor(picture: &RgbImage, mut change: impl FnMut(u32, u32, Rgb01) -> Rgb01) -> RgbImage {
    RgbImage::from_fn(picture.width(), picture.height(), |x, y| {
        to_pixel(change(x, y, from_pixel(*picture.get_pixel(x, y))))
    })
}

/// Draws the lines of a plane of contours over a picture, in a colour.
pub(super) fn ink(picture: &RgbImage, outline: &Plane, line: Rgb01) -> RgbImage {
    recolor(picture, |x, y, color| super::tone::mix(line, color, at(outline, x, y)))
}
