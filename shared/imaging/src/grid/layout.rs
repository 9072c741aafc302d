//! Assigns images to the cells of pages.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use sha2::{Digest, Sha256};

/// The side of a cell, in pixels. Vision models see a page of up to 2,500 patches of 32×32 pixels, and of up to 2,048
/// pixels on its longer side, at its full size. So a page has up to 6×4 cells of this size (1920×1280, 2,400 patches).
pub const CELL_SIDE: u32 = 320;

/// The label of the cell that shows the base image.
pub const REFERENCE_LABEL: &str = "REF";

/// The most images on a page without a reference, which has five columns.
const IMAGES_PER_PAGE: usize = 20;

/// The most images on a page with a reference, which has six columns if five don't suffice.
const IMAGES_PER_PAGE_WITH_REFERENCE: usize = 23;

const ROWS: u32 = 4;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cell {
    /// The number drawn into the cell; no two cells of any page share one.
    pub number: u32,
    /// The index of the image in the set.
    pub image: usize,
    /// The distance from the left edge of the page, in pixels.
    pub x: u32,
    /// The distance from the upper edge of the page, in pixels.
    pub y: u32,
}

/// One page of a grid, no larger than its cells require; lengths are in pixels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    pub width: u32,
    pub height: u32,
    /// Whether the first cell, in the upper left corner, shows the base image.
    pub has_reference: bool,
    /// The cells of the images, in the order of their numbers.
    pub cells: Vec<Cell>,
}

/// Lays out images in an order shuffled by `seed`, so that a model's bias for a place in the grid doesn't always affect
/// the same image. The same seed gives the same order.
#[must_use]
pub fn lay_out(images: usize, seed: &str) -> Vec<Page> {
    shuffled(images, seed).chunks(IMAGES_PER_PAGE).map(|images| page(images, false)).collect()
}

/// The same, with the first cell of each page reserved for the base image.
#[must_use]
pub fn lay_out_with_reference(images: usize, seed: &str) -> Vec<Page> {
    shuffled(images, seed).chunks(IMAGES_PER_PAGE_WITH_REFERENCE).map(|images| page(images, true)).collect()
}

/// The numbers of the images, which no two pages share.
fn shuffled(images: usize, seed: &str) -> Vec<(u32, usize)> {
    let mut order: Vec<usize> = (0..images).collect();
    order.shuffle(&mut ChaCha8Rng::from_seed(Sha256::digest(seed).into()));
    (1..).zip(order).collect()
}

/// A page as small as its cells allow.
fn page(images: &[(u32, usize)], has_reference: bool) -> Page {
    let reserved = u32::from(has_reference);
    let places = images.len() as u32 + reserved;
    let columns = if places > 5 * ROWS { 6 } else { 5 };
    let cell = |place: u32, &(number, image): &(u32, usize)| Cell {
        number,
        image,
        x: place % columns * CELL_SIDE,
        y: place / columns * CELL_SIDE,
    };
    Page {
        width: places.min(columns) * CELL_SIDE,
        height: places.div_ceil(columns) * CELL_SIDE,
        has_reference,
        cells: (reserved..).zip(images).map(|(place, image)| cell(place, image)).collect(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn twenty_images_fill_one_page() {
        let pages = lay_out(20, "plan");
        assert_eq!((pages.len(), pages[0].width, pages[0].height), (1, 1600, 1280));
    }

    #[test]
    fn twenty_images_and_a_reference_fill_one_page() {
        let pages = lay_out_with_reference(20, "plan");
        assert_eq!((pages.len(), pages[0].width, pages[0].height), (1, 1920, 1280));
        let small = &lay_out_with_reference(2, "plan")[0];
        assert_eq!((small.width, small.height), (960, 320));
    }

    #[test]
    fn another_seed_gives_another_order() {
        let order = |seed| lay_out(20, seed)[0].cells.iter().map(|cell| cell.image).collect::<Vec<_>>();
        assert_eq!(order("a"), order("a"));
        assert_ne!(order("a"), order("b"));
        assert_ne!(order("a"), (0..20).collect::<Vec<_>>());
    }

    proptest! {
        #[test]
        fn every_image_has_exactly_one_cell_in_its_page(
            images in 0_usize..200, seed in ".*", has_reference in any::<bool>(),
        ) {
            let pages =
                if has_reference { lay_out_with_reference(images, &seed) } else { lay_out(images, &seed) };
            let mut shown: Vec<usize> = pages.iter().flat_map(|page| &page.cells).map(|cell| cell.image).collect();
            shown.sort_unstable();
            prop_assert_eq!(shown, (0..images).collect::<Vec<_>>());
            let numbers: Vec<u32> = pages.iter().flat_map(|page| &page.cells).map(|cell| cell.number).collect();
            prop_assert_eq!(numbers, (1..=images as u32).collect::<Vec<_>>());
            for page in &pages {
                prop_assert!(page.width <= 1920 && page.height <= 1280 && page.has_reference == has_reference);
                let mut places: Vec<_> = page.cells.iter().map(|cell| (cell.x, cell.y)).collect();
                places.dedup();
                prop_assert_eq!(places.len(), page.cells.len());
                prop_assert!(!has_reference || !places.contains(&(0, 0)));
                for cell in &page.cells {
                    prop_assert!(cell.x + CELL_SIDE <= page.width && cell.y + CELL_SIDE <= page.height);
                }
            }
        }
    }
}
