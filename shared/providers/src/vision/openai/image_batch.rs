//! Images that are shown to the model together.

use imaging::grid::{Page, lay_out};

use crate::vision::VisionMode;

/// How often images that were left out, doubled or garbled are asked for again.
const MOST_REPEATS: u8 = 2;

/// Which pass at an image this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pass {
    /// At all of them.
    First,
    /// At all of them, in another order.
    Second,
    /// At those whose kind the first two passes disagree on.
    Deciding,
}

/// Images shown in one request.
#[derive(Debug, Clone)]
pub(super) struct ImageBatch {
    /// Which images, under which numbers, where.
    pub(super) page: Page,
    /// On a grid, or one by one.
    pub(super) mode: VisionMode,
    /// Which pass this is.
    pub(super) pass: Pass,
    /// How often these images may still be asked for again.
    repeats_left: u8,
    /// What the order is drawn from.
    seed: String,
}

impl ImageBatch {
    /// The batches that show `images`, in an order drawn from `seed`.
    pub(super) fn all(images: &[usize], mode: VisionMode, pass: Pass, seed: &str) -> Vec<Self> {
        let pages = lay_out(images.len(), seed).into_iter().map(|mut page| {
            for cell in &mut page.cells {
                cell.image = images[cell.image];
            }
            page
        });
        pages.map(|page| Self { page, mode, pass, repeats_left: MOST_REPEATS, seed: seed.to_owned() }).collect()
    }

    /// The images on the batch.
    pub(super) fn images(&self) -> Vec<usize> {
        self.page.cells.iter().map(|cell| cell.image).collect()
    }

    /// The same images in another order, for another pass.
    pub(super) fn reordered(&self, pass: Pass) -> Vec<Self> {
        let batches = self.with(&self.images(), "reordered", self.repeats_left).into_iter();
        batches.map(|batch| Self { pass, ..batch }).collect()
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

    /// The batch itself, or several batches with at most this many images each if every image is a picture of its own.
    pub(super) fn parts(self, most_images: Option<usize>) -> Vec<Self> {
        match most_images {
            Some(most) if self.pictures() > most.max(1) => {
                let images = self.images();
                images.chunks(most.max(1)).flat_map(|part| self.with(part, "part", self.repeats_left)).collect()
            }
            _ => vec![self],
        }
    }

    /// The number of pictures in a request for this batch.
    pub(super) fn pictures(&self) -> usize {
        match self.mode {
            VisionMode::Grid => 1,
            VisionMode::Individual => self.page.cells.len(),
        }
    }

    fn with(&self, images: &[usize], part: &str, repeats_left: u8) -> Vec<Self> {
        let seed = format!("{}/{}/{part}", self.seed, self.page.cells.first().map_or(0, |cell| cell.number));
        let batches = Self::all(images, self.mode, self.pass, &seed).into_iter();
        batches.map(|batch| Self { repeats_left, ..batch }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(images: &[usize]) -> ImageBatch {
        ImageBatch::all(images, VisionMode::Grid, Pass::First, "plan").remove(0)
    }

    #[test]
    fn images_are_asked_for_again_twice() {
        let again = batch(&[3, 5, 8]).again(&[5]);
        assert_eq!((again.len(), again[0].images()), (1, vec![5]));
        let last = again[0].again(&[5]);
        assert_eq!(last.len(), 1);
        assert!(last[0].again(&[5]).is_empty());
    }

    #[test]
    fn another_look_shows_the_same_images_in_another_order() {
        let first = batch(&(0..20).collect::<Vec<_>>());
        let mut second = first.reordered(Pass::Second).remove(0).images();
        assert_ne!(second, first.images());
        second.sort_unstable();
        assert_eq!(second, (0..20).collect::<Vec<_>>());
    }

    #[test]
    fn parts_show_every_image_once_and_no_more_than_allowed() {
        let images: Vec<usize> = (0..5).collect();
        let individual = || ImageBatch::all(&images, VisionMode::Individual, Pass::First, "plan").remove(0);
        for (most, sizes) in [(None, vec![5]), (Some(5), vec![5]), (Some(2), vec![2, 2, 1]), (Some(0), vec![1; 5])] {
            let parts = individual().parts(most);
            assert_eq!(parts.iter().map(ImageBatch::pictures).collect::<Vec<_>>(), sizes);
            let mut shown: Vec<usize> = parts.iter().flat_map(ImageBatch::images).collect();
            shown.sort_unstable();
            assert_eq!(shown, images);
        }
        assert_eq!(batch(&images).parts(Some(1)).len(), 1, "a grid is one picture");
    }

    #[test]
    fn halves_show_every_image_once_down_to_a_single_one() {
        let mut batches = vec![batch(&[4, 6, 7, 9, 11])];
        let mut single = Vec::new();
        while let Some(batch) = batches.pop() {
            match batch.halves() {
                halves if halves.is_empty() => single.extend(batch.images()),
                halves => batches.extend(halves),
            }
        }
        single.sort_unstable();
        assert_eq!(single, [4, 6, 7, 9, 11]);
    }
}
