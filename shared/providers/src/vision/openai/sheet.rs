//! Images that are shown to the model together.

use imaging::grid::{Page, lay_out};

use crate::vision::VisionMode;

/// How often images that were left out, doubled or garbled are asked for again.
const MOST_REPEATS: u8 = 2;

/// Which look at an image this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// At all of them.
    First,
    /// At all of them, in another order.
    Second,
    /// At those whose kind the first two looks disagree on.
    Deciding,
}

/// Images shown in one request.
#[derive(Debug, Clone)]
pub(super) struct Sheet {
    /// Which images, under which numbers, where.
    pub(super) page: Page,
    /// On a grid, or one by one.
    pub(super) mode: VisionMode,
    /// Which look this is.
    pub(super) look: Look,
    /// How often these images may still be asked for again.
    repeats_left: u8,
    /// What the order is drawn from.
    seed: String,
}

impl Sheet {
    /// The sheets that show `images`, in an order drawn from `seed`.
    pub(super) fn all(images: &[usize], mode: VisionMode, look: Look, seed: &str) -> Vec<Self> {
        let pages = lay_out(images.len(), seed).into_iter().map(|mut page| {
            for cell in &mut page.cells {
                cell.image = images[cell.image];
            }
            page
        });
        pages.map(|page| Self { page, mode, look, repeats_left: MOST_REPEATS, seed: seed.to_owned() }).collect()
    }

    /// The images on the sheet.
    pub(super) fn images(&self) -> Vec<usize> {
        self.page.cells.iter().map(|cell| cell.image).collect()
    }

    /// The same images in another order, for another look.
    pub(super) fn reordered(&self, look: Look) -> Vec<Self> {
        let sheets = self.with(&self.images(), "reordered", self.repeats_left).into_iter();
        sheets.map(|sheet| Self { look, ..sheet }).collect()
    }

    /// Sheets that show these of its images once more; none when they have been asked for often enough.
    pub(super) fn again(&self, images: &[usize]) -> Vec<Self> {
        let Some(repeats_left) = self.repeats_left.checked_sub(1) else { return Vec::new() };
        self.with(images, "again", repeats_left)
    }

    /// Sheets with half of its images each; none when there is only one image.
    pub(super) fn halves(&self) -> Vec<Self> {
        let images = self.images();
        if images.len() < 2 {
            return Vec::new();
        }
        let (front, back) = images.split_at(images.len() / 2);
        [self.with(front, "front", self.repeats_left), self.with(back, "back", self.repeats_left)].concat()
    }

    /// The sheet itself, or several sheets with at most this many images each if every image is a picture of its own.
    pub(super) fn parts(self, most_images: Option<usize>) -> Vec<Self> {
        match most_images {
            Some(most) if self.pictures() > most.max(1) => {
                let images = self.images();
                images.chunks(most.max(1)).flat_map(|part| self.with(part, "part", self.repeats_left)).collect()
            }
            _ => vec![self],
        }
    }

    /// The number of pictures in a request for this sheet.
    pub(super) fn pictures(&self) -> usize {
        match self.mode {
            VisionMode::Grid => 1,
            VisionMode::Individual => self.page.cells.len(),
        }
    }

    fn with(&self, images: &[usize], part: &str, repeats_left: u8) -> Vec<Self> {
        let seed = format!("{}/{}/{part}", self.seed, self.page.cells.first().map_or(0, |cell| cell.number));
        let sheets = Self::all(images, self.mode, self.look, &seed).into_iter();
        sheets.map(|sheet| Self { repeats_left, ..sheet }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sheet(images: &[usize]) -> Sheet {
        Sheet::all(images, VisionMode::Grid, Look::First, "plan").remove(0)
    }

    #[test]
    fn images_are_asked_for_again_twice() {
        let again = sheet(&[3, 5, 8]).again(&[5]);
        assert_eq!((again.len(), again[0].images()), (1, vec![5]));
        let last = again[0].again(&[5]);
        assert_eq!(last.len(), 1);
        assert!(last[0].again(&[5]).is_empty());
    }

    #[test]
    fn another_look_shows_the_same_images_in_another_order() {
        let first = sheet(&(0..20).collect::<Vec<_>>());
        let mut second = first.reordered(Look::Second).remove(0).images();
        assert_ne!(second, first.images());
        second.sort_unstable();
        assert_eq!(second, (0..20).collect::<Vec<_>>());
    }

    #[test]
    fn parts_show_every_image_once_and_no_more_than_allowed() {
        let images: Vec<usize> = (0..5).collect();
        let individual = || Sheet::all(&images, VisionMode::Individual, Look::First, "plan").remove(0);
        for (most, sizes) in [(None, vec![5]), (Some(5), vec![5]), (Some(2), vec![2, 2, 1]), (Some(0), vec![1; 5])] {
            let parts = individual().parts(most);
            assert_eq!(parts.iter().map(Sheet::pictures).collect::<Vec<_>>(), sizes);
            let mut shown: Vec<usize> = parts.iter().flat_map(Sheet::images).collect();
            shown.sort_unstable();
            assert_eq!(shown, images);
        }
        assert_eq!(sheet(&images).parts(Some(1)).len(), 1, "a grid is one picture");
    }

    #[test]
    fn halves_show_every_image_once_down_to_a_single_one() {
        let mut sheets = vec![sheet(&[4, 6, 7, 9, 11])];
        let mut single = Vec::new();
        while let Some(sheet) = sheets.pop() {
            match sheet.halves() {
                halves if halves.is_empty() => single.extend(sheet.images()),
                halves => sheets.extend(halves),
            }
        }
        single.sort_unstable();
        assert_eq!(single, [4, 6, 7, 9, 11]);
    }
}
