//! Compares the nominated pairs of a set by their pixels, and stores each result, so that no later evaluation repeats
//! it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use aws::bucket::{Bucket, Fetched};
use aws::store::Store;
use domain::actor::ActorId;
use domain::assessment::Observed;
use domain::keys::Keys;
use domain::resemblance::{Resemblance, Resemblances, name_of, nominate};
use futures::{StreamExt, TryStreamExt, stream};
use imaging::{Comparable, MAX_BYTES, decode};
use tokio::sync::Semaphore;

use super::MAX_CONCURRENT_READS;
use super::inventory::{Inventory, InventoryImage};
use crate::HandlerError;

/// The pairs that one evaluation compares, which takes a few seconds. The next evaluation continues; until then the
/// other pairs don't count as duplicates.
const MAX_COMPARISONS: usize = 200;

/// The images that one evaluation compares. A prepared image takes up to 330 KB of memory.
const MAX_PICTURES: usize = 100;

/// Compares the images of one actor's set.
pub(super) struct Comparer<'a> {
    pub(super) store: &'a Store,
    pub(super) bucket: &'a Bucket,
    pub(super) keys: &'a Keys,
    pub(super) read_permits: &'a Semaphore,
    pub(super) actor: &'a ActorId,
}

/// The index of an image with which another one was compared, and the result.
type Compared = (usize, Resemblance);

impl Comparer<'_> {
    /// The resemblances in the image records and those of pairs that were not compared yet. `observed` contains the
    /// assessed images of the inventory.
    pub(super) async fn compare(
        &self,
        inventory: &mut Inventory,
        observed: &[Observed],
    ) -> Result<Resemblances, HandlerError> {
        let names: BTreeSet<&str> = observed.iter().map(|image| image.filename.as_str()).collect();
        let of_set = inventory.images.iter_mut().filter(|file| names.contains(file.filename.as_str()));
        let mut files: Vec<&mut InventoryImage> = of_set.collect();
        let mut known = Resemblances::default();
        for (image, file) in observed.iter().zip(&files) {
            known.record_all(&image.facts, &file.image.compared);
        }
        let is_unknown =
            |&(one, other): &(usize, usize)| known.of(&observed[one].facts, &observed[other].facts).is_none();
        let pairs = affordable(nominate(observed).into_iter().filter(is_unknown));
        let pictures = Arc::new(self.pictures(&files, &pairs).await?);
        let mut partners: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (one, other) in pairs {
            partners.entry(one).or_default().push(other);
        }
        // Image by image: an evaluation that is cut off keeps the results so far.
        for (one, others) in partners {
            let pictures = Arc::clone(&pictures);
            let compared = tokio::task::spawn_blocking(move || compare_with(one, &others, &pictures)).await?;
            for &(other, resemblance) in &compared {
                known.record(&observed[one].facts, &observed[other].facts, resemblance);
            }
            if !compared.is_empty() {
                self.save(files[one], observed, &compared).await?;
            }
        }
        Ok(known)
    }

    /// The pictures of the pairs, by their indices, without those that can't be read.
    async fn pictures(
        &self,
        files: &[&mut InventoryImage],
        pairs: &[(usize, usize)],
    ) -> Result<BTreeMap<usize, Comparable>, HandlerError> {
        let needed: BTreeSet<usize> = pairs.iter().flat_map(|&(one, other)| [one, other]).collect();
        stream::iter(needed)
            .map(async |index| Ok(self.picture(&*files[index]).await?.map(|picture| (index, picture))))
            .buffered(MAX_CONCURRENT_READS)
            .try_filter_map(async |picture| Ok(picture))
            .try_collect()
            .await
    }

    /// The picture of an image, from its preview or the bucket; `None` if the object was replaced or can't be decoded.
    async fn picture(&self, file: &InventoryImage) -> Result<Option<Comparable>, HandlerError> {
        if let Some(preview) = file.preview.clone() {
            return Ok(Some(tokio::task::spawn_blocking(move || Comparable::of(&preview)).await?));
        }
        let _permit = self.read_permits.acquire().await;
        let fetched = self.bucket.get_at_most(&self.keys.image(self.actor, &file.filename), MAX_BYTES).await?;
        let Fetched::Whole(object) = fetched else { return Ok(None) };
        if file.image.etag.as_deref() != Some(object.etag.as_str()) {
            return Ok(None);
        }
        let read = move || decode(&object.bytes).ok().map(|image| Comparable::of(&image));
        // A decoder that panics does so at each attempt.
        Ok(tokio::task::spawn_blocking(read).await.unwrap_or_default())
    }

    /// Writes the results of comparing an image with `others` to its record, and removes those of files that have left the
    /// set.
    async fn save(
        &self,
        InventoryImage { filename, image, .. }: &mut InventoryImage,
        observed: &[Observed],
        others: &[Compared],
    ) -> Result<(), HandlerError> {
        let name = |index: usize| name_of(&observed[index].facts);
        image.compared.extend(others.iter().map(|&(other, resemblance)| (name(other).to_owned(), resemblance)));
        let present: BTreeSet<&str> = (0..observed.len()).map(name).collect();
        image.compared.retain(|name, _| present.contains(name.as_str()));
        Ok(self.store.save_compared(self.actor, filename, image).await?)
    }
}

/// The first pairs, as many as one evaluation can compare.
fn affordable(pairs: impl Iterator<Item = (usize, usize)>) -> Vec<(usize, usize)> {
    let mut images = BTreeSet::new();
    let fit = pairs.filter(|&(one, other)| {
        let more = [one, other].iter().filter(|&image| !images.contains(image)).count();
        let fits = images.len() + more <= MAX_PICTURES;
        images.extend([one, other].into_iter().filter(|_| fits));
        fits
    });
    fit.take(MAX_COMPARISONS).collect()
}

/// Compares an image with others, as far as the pictures could be read.
fn compare_with(one: usize, others: &[usize], pictures: &BTreeMap<usize, Comparable>) -> Vec<Compared> {
    let Some(picture) = pictures.get(&one) else { return Vec::new() };
    let compared = others.iter().filter_map(|other| Some((*other, picture.compare(pictures.get(other)?))));
    compared.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_evaluation_compares_a_bounded_number() {
        let all = |images: usize| (0..images).flat_map(|one| (0..one).map(move |other| (other, one)));
        assert_eq!(affordable(all(5)).len(), 10);
        assert_eq!(affordable(all(500)).len(), MAX_COMPARISONS);
        let apart = (0..500).map(|pair| (2 * pair, 2 * pair + 1));
        assert_eq!(affordable(apart).len(), MAX_PICTURES / 2);
    }
}
