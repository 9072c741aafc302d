//! Assigns images to the cells of pages.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use sha2::{Digest, Sha256};

/// The side of a cell, in pixels. 5×4 cells make a page of 1600×1280, the largest that vision models don't shrink.
pub const CELL_SIDE: u32 = 320;

/// The number of cells on a full page.
pub const CELLS_PER_PAGE: usize = (COLUMNS * ROWS) as usize;

const COLUMNS: u32 = 5;
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
    /// The cells, in the order of their numbers.
    pub cells: Vec<Cell>,
}

/// Lays out images in an order shuffled by `seed`, so that a model's bias for a place in the grid doesn't always affect
/// the same image. The same seed gives the same order.
#[must_use]
pub fn lay_out(images: usize, seed: &str) -> Vec<Page> {
    let mut order: Vec<usize> = (0..images).collect();
    order.shuffle(&mut ChaCha8Rng::from_seed(Sha256::digest(seed).into()));
    let numbered: Vec<(u32, usize)> = (1..).zip(order).collect();
    numbered.chunks(CELLS_PER_PAGE).map(page).collect()
}

fn page(images: &[(u32, usize)]) -> Page {
    let cells: Vec<Cell> = (0..)
        .zip(images)
        .map(|(place, &(number, image))| Cell {
            number,
            image,
            x: place % COLUMNS * CELL_SIDE,
            y: place / COLUMNS * CELL_SIDE,
        })
        .collect();
    let edge = |side: fn(&Cell) -> u32| cells.iter().map(side).max().unwrap_or(0) + CELL_SIDE;
    Page { width: edge(|cell| cell.x), height: edge(|cell| cell.y), cells }
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
    fn another_seed_gives_another_order() {
        let order = |seed| lay_out(20, seed)[0].cells.iter().map(|cell| cell.image).collect::<Vec<_>>();
        assert_eq!(order("a"), order("a"));
        assert_ne!(order("a"), order("b"));
        assert_ne!(order("a"), (0..20).collect::<Vec<_>>());
    }

    proptest! {
        #[test]
        fn every_image_has_exactly_one_cell_in_its_page(images in 0_usize..200, seed in ".*") {
            let pages = lay_out(images, &seed);
            let mut shown: Vec<usize> = pages.iter().flat_map(|page| &page.cells).map(|cell| cell.image).collect();
            shown.sort_unstable();
            prop_assert_eq!(shown, (0..images).collect::<Vec<_>>());
            let numbers: Vec<u32> = pages.iter().flat_map(|page| &page.cells).map(|cell| cell.number).collect();
            prop_assert_eq!(numbers, (1..=images as u32).collect::<Vec<_>>());
            for page in &pages {
                prop_assert!(page.width <= 1600 && page.height <= 1280);
                for cell in &page.cells {
                    prop_assert!(cell.x + CELL_SIDE <= page.width && cell.y + CELL_SIDE <= page.height);
                }
            }
        }
    }
}
