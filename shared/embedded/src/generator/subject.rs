//! Finds the figure in a base image, and cuts it out if the backdrop is plain.

use std::collections::VecDeque;

use image::imageops::fast_blur;
use image::{GrayImage, ImageBuffer, Luma, RgbImage, Rgba, RgbaImage};
use imageproc::distance_transform::{Norm, distance_transform};
use imageproc::region_labelling::{Connectivity, connected_components};

use super::tone::{from_pixel, smoothstep, to_byte};

/// The largest difference (Euclidean, channels 0 to 255) between a backdrop pixel and the backdrop beside it.
const BACKDROP_TOLERANCE: f32 = 6.0;
/// The share of the newest pixel in the estimate of the backdrop while the region grows.
const ADAPTATION: f32 = 0.2;
/// Gaps in the figure's outline up to twice this share of the image's height are closed: the backdrop has leaked
/// through them into clothes of its own colour.
const PROBE: f32 = 0.011;
/// The share of the largest region from which a second region shows that the figure is fragmented.
const FRAGMENT: f32 = 0.02;

/// The share of its greatest width below which a figure is torn.
const TORN: f32 = 0.06;

/// A figure cut out of its backdrop.
pub(super) struct Cutout {
    /// The base image with the figure's coverage as alpha.
    pub(super) figure: RgbaImage,
    /// Left, top, right and bottom of the figure, in pixels of the base image.
    pub(super) bounds: [f32; 4],
    /// Whether the lower edge of the base image cuts off the figure.
    pub(super) cut_at_the_foot: bool,
}

/// Cuts out the figure. `None` if the image has no plain backdrop, or no clear figure in front of it.
pub(super) fn cut_out(base: &RgbImage) -> Option<Cutout> {
    let backdrop = close_gaps(&grow_backdrop(base));
    let mask = whole_figure(&backdrop)?;
    let (width, height) = mask.dimensions();
    let is_figure = |x: u32, y: u32| mask.get_pixel(x, y).0[0] > 0;
    let columns: Vec<u32> = (0..width).filter(|&x| (0..height).any(|y| is_figure(x, y))).collect();
    let rows: Vec<u32> = (0..height).filter(|&y| (0..width).any(|x| is_figure(x, y))).collect();
    let (left, right) = (*columns.first()?, *columns.last()?);
    let (top, bottom) = (*rows.first()?, *rows.last()?);
    let coverage = share(mask.pixels().filter(|pixel| pixel.0[0] > 0).count(), mask.len());
    let touches = |x: u32| share((0..height).filter(|&y| is_figure(x, y)).count(), height as usize);
    let has_room = touches(0) < 0.04 && touches(width - 1) < 0.04 && top > 0;
    let is_clear = (0.03..0.75).contains(&coverage) && share((bottom - top) as usize, height as usize) > 0.35;
    (has_room && is_clear && !is_torn(&mask, top, bottom)).then(|| Cutout {
        figure: with_alpha(base, &mask),
        bounds: [left, top, right, bottom].map(|edge| edge as f32),
        cut_at_the_foot: bottom + 3 >= height,
    })
}

/// Whether a row between head and feet contains almost nothing of the figure.
fn is_torn(mask: &GrayImage, top: u32, bottom: u32) -> bool {
    let covered = |y: u32| (0..mask.width()).filter(|&x| mask.get_pixel(x, y).0[0] > 0).count();
    let widest = (top..=bottom).map(covered).max().unwrap_or(0);
    let ends = (bottom - top) / 25;
    (top + ends..bottom - ends).any(|y| share(covered(y), widest) < TORN)
}

fn share(part: usize, whole: usize) -> f32 {
    part as f32 / whole.max(1) as f32
}

/// Marks the backdrop in white: all pixels that are connected to the left, right or upper edge and differ little from a
/// running estimate of the backdrop beside them. The estimate follows soft changes of light.
fn grow_backdrop(base: &RgbImage) -> GrayImage {
    let smooth = fast_blur(base, 1.0);
    let (width, height) = base.dimensions();
    let mut marked = GrayImage::new(width, height);
    let mut queue = VecDeque::new();
    let edges = (0..height).flat_map(|y| [(0, y), (width - 1, y)]).chain((0..width).map(|x| (x, 0)));
    let mut edge_colors: Vec<_> = edges.clone().map(|(x, y)| smooth.get_pixel(x, y).0).collect();
    edge_colors.sort_unstable_by_key(|color| color.iter().map(|&c| u32::from(c)).sum::<u32>());
    let median = edge_colors[edge_colors.len() / 2].map(f32::from);
    for (x, y) in edges {
        let color = smooth.get_pixel(x, y).0.map(f32::from);
        if distance(color, median) < 15.0 * BACKDROP_TOLERANCE {
            marked.put_pixel(x, y, Luma([255]));
            queue.push_back((x, y, color));
        }
    }
    while let Some((x, y, estimate)) = queue.pop_front() {
        let neighbours = [(x.wrapping_sub(1), y), (x + 1, y), (x, y.wrapping_sub(1)), (x, y + 1)];
        for (nx, ny) in neighbours.into_iter().filter(|&(nx, ny)| nx < width && ny < height) {
            let color = smooth.get_pixel(nx, ny).0.map(f32::from);
            if marked.get_pixel(nx, ny).0[0] == 0 && distance(color, estimate) < BACKDROP_TOLERANCE {
                marked.put_pixel(nx, ny, Luma([255]));
                let adapted = std::array::from_fn(|c| estimate[c] + (color[c] - estimate[c]) * ADAPTATION);
                queue.push_back((nx, ny, adapted));
            }
        }
    }
    marked
}

fn distance(a: [f32; 3], b: [f32; 3]) -> f32 {
    a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f32>().sqrt()
}

/// Keeps only the part of the backdrop that a disc-shaped probe can reach from its widest part (morphological opening
/// by reconstruction).
fn close_gaps(backdrop: &GrayImage) -> GrayImage {
    let (width, height) = backdrop.dimensions();
    let probe = (PROBE * height as f32).clamp(1.0, 100.0) as u8;
    let inverted = GrayImage::from_fn(width, height, |x, y| Luma([255 - backdrop.get_pixel(x, y).0[0]]));
    let room = distance_transform(&inverted, Norm::L2);
    let roomy =
        GrayImage::from_fn(width, height, |x, y| Luma([if room.get_pixel(x, y).0[0] > probe { 255 } else { 0 }]));
    let (regions, sizes) = regions_of(&roomy, Luma([0]));
    let widest = largest(&sizes);
    let reached = GrayImage::from_fn(width, height, |x, y| {
        Luma([if regions.get_pixel(x, y).0[0] as usize == widest { 255 } else { 0 }])
    });
    let reach = distance_transform(&reached, Norm::L2);
    GrayImage::from_fn(width, height, |x, y| {
        let kept = backdrop.get_pixel(x, y).0[0] > 0 && reach.get_pixel(x, y).0[0] <= probe + 1;
        Luma([if kept { 255 } else { 0 }])
    })
}

/// The largest connected region that is not backdrop, in white. `None` if other regions show that it is only a part.
fn whole_figure(backdrop: &GrayImage) -> Option<GrayImage> {
    let (regions, sizes) = regions_of(backdrop, Luma([255]));
    let figure = largest(&sizes);
    let is_fragment = |label: usize| label != figure && sizes[label] as f32 > FRAGMENT * sizes[figure] as f32;
    if sizes.len() < 2 || (1..sizes.len()).any(is_fragment) {
        return None;
    }
    Some(GrayImage::from_fn(backdrop.width(), backdrop.height(), |x, y| {
        Luma([if regions.get_pixel(x, y).0[0] as usize == figure { 255 } else { 0 }])
    }))
}

/// Numbers the connected regions of an image, and counts the pixels of each. Number 0 is the background.
fn regions_of(image: &GrayImage, background: Luma<u8>) -> (ImageBuffer<Luma<u32>, Vec<u32>>, Vec<usize>) {
    let regions = connected_components(image, Connectivity::Four, background);
    let mut sizes = vec![0];
    for label in regions.pixels().map(|pixel| pixel.0[0] as usize) {
        if label >= sizes.len() {
            sizes.resize(label + 1, 0);
        }
        sizes[label] += usize::from(label > 0);
    }
    (regions, sizes)
}

fn largest(sizes: &[usize]) -> usize {
    (0..sizes.len()).max_by_key(|&label| sizes[label]).unwrap_or(0)
}

/// Adds a soft alpha channel whose edge lies just inside the mask, so that no backdrop shows around it.
fn with_alpha(base: &RgbImage, mask: &GrayImage) -> RgbaImage {
    let soft = fast_blur(mask, 1.5);
    RgbaImage::from_fn(base.width(), base.height(), |x, y| {
        let [r, g, b] = base.get_pixel(x, y).0;
        let inside = f32::from(soft.get_pixel(x, y).0[0]) / 255.0;
        Rgba([r, g, b, to_byte(smoothstep(0.5, 0.97, inside))])
    })
}

/// The centre of interest of a scene, as shares of its width and height: the centroid of the differences from the mean
/// colour of the border.
pub(super) fn centre_of_interest(base: &RgbImage) -> (f32, f32) {
    let (width, height) = base.dimensions();
    let (mut border, mut count) = ([0.0; 3], 0.0);
    for (x, y, pixel) in base.enumerate_pixels() {
        if x == 0 || y == 0 || x + 1 == width || y + 1 == height {
            let color = from_pixel(*pixel);
            border = std::array::from_fn(|c| border[c] + color[c]);
            count += 1.0;
        }
    }
    let mean = border.map(|sum| sum / count);
    let (mut weight, mut sum_x, mut sum_y) = (1e-6, 0.5e-6, 0.5e-6);
    for (x, y, pixel) in base.enumerate_pixels() {
        let difference = distance(from_pixel(*pixel), mean).powi(2);
        weight += difference;
        sum_x += difference * (x as f32 + 0.5) / width as f32;
        sum_y += difference * (y as f32 + 0.5) / height as f32;
    }
    (sum_x / weight, sum_y / weight)
}
