//! Which image lies in which cell of which page: pure arithmetic.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use sha2::{Digest, Sha256};

/// Pixels along one side of a cell. 5×4 cells make a page of 1600×1280, the most that vision models see unshrunk.
pub const CELL_SIDE: u32 = 320;

/// Cells on a full page.
pub const CELLS_PER_PAGE: usize = (COLUMNS * ROWS) as usize;

const COLUMNS: u32 = 5;
const ROWS: u32 = 4;

/// The place of one image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cell {
    /// The number drawn into the cell; no two cells of any page share one.
    pub number: u32,
    /// Which image, by its index in the set.
    pub image: usize,
    /// Pixels from the left edge of the page.
    pub x: u32,
    /// Pixels from the top edge of the page.
    pub y: u32,
}

/// One page of a grid, no larger than its cells need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// Its cells, in the order of their numbers.
    pub cells: Vec<Cell>,
}

/// Lays `images` images out in an order shuffled by `seed`, so that what a model makes of a place in the grid isn't
/// always made of the same image. The same seed gives the same order.
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
    fn twenty_images_fill_a_page_that_is_seen_unshrunk() {
        let pages = lay_out(20, "plan");
        assert_eq!((pages.len(), pages[0].width, pages[0].height), (1, 1600, 1280));
    }

    #[test]
    fn another_plan_shows_the_images_in_another_order() {
        let order = |seed| lay_out(20, seed)[0].cells.iter().map(|cell| cell.image).collect::<Vec<_>>();
        assert_eq!(order("a"), order("a"));
        assert_ne!(order("a"), order("b"));
        assert_ne!(order("a"), (0..20).collect::<Vec<_>>());
    }

    proptest! {
        #[test]
        fn every_image_lies_in_exactly_one_cell_inside_its_page(images in 0_usize..200, seed in ".*") {
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
