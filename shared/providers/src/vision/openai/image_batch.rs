//! An image batch: the images of one vision request.

use imaging::grid::{Page, lay_out, lay_out_with_reference};

use crate::vision::VisionMode;

/// How often a session asks again about images that an answer omitted, listed twice or garbled.
const MAX_REPEATS: u8 = 2;

/// One showing of the images.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pass {
    First,
    /// All images again, in another order.
    Second,
    /// Only the images on whose kind the first two passes disagree.
    Deciding,
}

/// The images of one request.
#[derive(Debug, Clone)]
pub(super) struct ImageBatch {
    /// The number of each image, and its place on a grid.
    pub(super) page: Page,
    pub(super) mode: VisionMode,
    pub(super) pass: Pass,
    /// How often the session may still ask again about these images.
    repeats_left: u8,
    /// Determines the order of the images.
    seed: String,
}

impl ImageBatch {
    /// The batches that show `images`, in an order derived from `seed`, each beside the base image if `has_reference`.
    pub(super) fn all(images: &[usize], mode: VisionMode, pass: Pass, has_reference: bool, seed: &str) -> Vec<Self> {
        let lay_out = if has_reference { lay_out_with_reference } else { lay_out };
        let pages = lay_out(images.len(), seed).into_iter().map(|mut page| {
            for cell in &mut page.cells {
                cell.image = images[cell.image];
            }
            page
        });
        pages.map(|page| Self { page, mode, pass, repeats_left: MAX_REPEATS, seed: seed.to_owned() }).collect()
    }

    /// The indices of its images.
    pub(super) fn images(&self) -> Vec<usize> {
        self.page.cells.iter().map(|cell| cell.image).collect()
    }

    /// The number of images that the service counts in the request: a grid is one image.
    pub(super) fn picture_count(&self) -> usize {
        match self.mode {
            VisionMode::Grid => 1,
            VisionMode::Individual => self.page.cells.len() + usize::from(self.page.has_reference),
        }
    }

    /// The same images in another order, for another pass.
    pub(super) fn reordered(&self, pass: Pass) -> Vec<Self> {
        let batches = self.with(&self.images(), "reordered").into_iter();
        batches.map(|batch| Self { pass, ..batch }).collect()
    }

    /// Batches that show these of its images again; none if the repeats are used up.
    pub(super) fn repeated(&self, images: &[usize]) -> Vec<Self> {
        let Some(repeats_left) = self.repeats_left.checked_sub(1) else { return Vec::new() };
        let batches = self.with(images, "again").into_iter();
        batches.map(|batch| Self { repeats_left, ..batch }).collect()
    }

    /// Two halves of the batch; none if it has only one image.
    pub(super) fn halves(&self) -> Vec<Self> {
        let images = self.images();
        if images.len() < 2 {
            return Vec::new();
        }
        let (front, back) = images.split_at(images.len() / 2);
        [self.with(front, "front"), self.with(back, "back")].concat()
    }

    /// The batch in parts, of which none exceeds this [`picture_count`](Self::picture_count). A service that accepts
    /// only one picture is shown no reference.
    pub(super) fn parts(self, max_pictures: Option<usize>) -> Vec<Self> {
        match max_pictures {
            Some(max) if self.picture_count() > max.max(1) => {
                let images = self.images();
                let has_reference = self.page.has_reference && max > 1;
                let images_per_part = max.max(1) - usize::from(has_reference);
                let parts = images.chunks(images_per_part);
                parts.flat_map(|part| self.derived(part, has_reference, "part")).collect()
            }
            _ => vec![self],
        }
    }

    fn with(&self, images: &[usize], part: &str) -> Vec<Self> {
        self.derived(images, self.page.has_reference, part)
    }

    fn derived(&self, images: &[usize], has_reference: bool, part: &str) -> Vec<Self> {
        let seed = format!("{}/{}/{part}", self.seed, self.page.cells.first().map_or(0, |cell| cell.number));
        let batches = Self::all(images, self.mode, self.pass, has_reference, &seed).into_iter();
        batches.map(|batch| Self { repeats_left: self.repeats_left, ..batch }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid(images: &[usize]) -> ImageBatch {
        ImageBatch::all(images, VisionMode::Grid, Pass::First, false, "plan").remove(0)
    }

    #[test]
    fn images_are_repeated_twice() {
        let first = grid(&[3, 5, 8]).repeated(&[5]);
        assert_eq!((first.len(), first[0].images()), (1, vec![5]));
        let second = first[0].repeated(&[5]);
        assert_eq!(second.len(), 1);
        assert!(second[0].repeated(&[5]).is_empty());
    }

    #[test]
    fn second_pass_shows_the_same_images_reordered() {
        let first = grid(&(0..20).collect::<Vec<_>>());
        let mut second = first.reordered(Pass::Second).remove(0).images();
        assert_ne!(second, first.images());
        second.sort_unstable();
        assert_eq!(second, (0..20).collect::<Vec<_>>());
    }

    #[test]
    fn parts_show_every_image_once_within_the_limit() {
        let images: Vec<usize> = (0..5).collect();
        let cases = [
            (false, None, vec![5]),
            (false, Some(5), vec![5]),
            (false, Some(2), vec![2, 2, 1]),
            (false, Some(0), vec![1; 5]),
            (true, None, vec![6]),
            (true, Some(3), vec![3, 3, 2]),
            (true, Some(1), vec![1; 5]),
        ];
        for (has_reference, max, sizes) in cases {
            let mode = VisionMode::Individual;
            let batch = ImageBatch::all(&images, mode, Pass::First, has_reference, "plan").remove(0);
            let parts = batch.parts(max);
            assert!(parts.iter().all(|part| part.page.has_reference == (has_reference && max != Some(1))));
            assert_eq!(parts.iter().map(ImageBatch::picture_count).collect::<Vec<_>>(), sizes);
            let mut shown: Vec<usize> = parts.iter().flat_map(ImageBatch::images).collect();
            shown.sort_unstable();
            assert_eq!(shown, images);
        }
        assert_eq!(grid(&images).parts(Some(1)).len(), 1, "a grid counts as one image");
    }

    #[test]
    fn repeated_halving_isolates_every_image() {
        let mut batches = vec![grid(&[4, 6, 7, 9, 11])];
        let mut isolated = Vec::new();
        while let Some(batch) = batches.pop() {
            match batch.halves() {
                halves if halves.is_empty() => isolated.extend(batch.images()),
                halves => batches.extend(halves),
            }
        }
        isolated.sort_unstable();
        assert_eq!(isolated, [4, 6, 7, 9, 11]);
    }
}
