//! Which images of a surplus are deleted.
//!
//! The planner deletes the surplus one image at a time. The worst image of a kind and origin by rank competes with the
//! images of that kind and origin that are at most [`EQUALS_WITHIN`] better. Near duplicates among them go first, the one
//! that ranks last: each repeats the view of an image that stays. Otherwise those compete whose framing and angle are
//! known as far as the worst one's. The image goes whose loss increases the shortfall of wanted framings and angles least;
//! among equal ones, the one that ranks last. So an image of which nothing is known goes only when it ranks last, or
//! repeats another one. Kinds share the wanted numbers, so each step considers all kinds that still have a surplus.
//! Framings and angles change neither the number of deletions of a kind nor the deletions below the quality floor.

use std::cmp::Reverse;

use super::rank;
use crate::assessment::{Assessment, Flag};
use crate::coverage::Needs;

/// The most by which an image that goes may be better than one that stays.
pub(super) const EQUALS_WITHIN: u8 = 1;

/// The images of one kind and origin that may be deleted, the best first.
pub(super) struct Pool<'a> {
    pub(super) images: Vec<&'a Assessment>,
    /// How many of them are too many.
    pub(super) surplus: usize,
}

/// The images to delete: from each pool as many as it has too many. Subtracts them from the views that the set has.
pub(super) fn to_delete<'a>(mut pools: Vec<Pool<'a>>, needs: &mut Needs) -> Vec<&'a Assessment> {
    let mut deleted = Vec::new();
    // Pools without a choice come first, so that the choices in others count only images that may stay.
    for pool in pools.iter_mut().filter(|pool| pool.surplus == pool.images.len()) {
        deleted.append(&mut pool.images);
        pool.surplus = 0;
    }
    deleted.iter().for_each(|image| subtract(needs, image));
    while let Some((pool, index)) = least_loss(&pools, *needs) {
        let image = pools[pool].images.remove(index);
        pools[pool].surplus -= 1;
        subtract(needs, image);
        deleted.push(image);
    }
    deleted
}

fn subtract(needs: &mut Needs, image: &Assessment) {
    needs.has.subtract(image.content.framing, image.content.angle);
}

/// The next image to delete, as the indices of its pool and of the image in it; `None` if there is no surplus.
fn least_loss(pools: &[Pool<'_>], needs: Needs) -> Option<(usize, usize)> {
    let with_surplus = pools.iter().enumerate().filter(|(_, pool)| pool.surplus > 0);
    let candidates =
        with_surplus.flat_map(|(index, pool)| pool.candidates().map(move |(at, image)| (index, at, image)));
    // `None`, for a near duplicate, comes first.
    let loss = |image: &Assessment| {
        let is_counted = !is_near_duplicate(image);
        is_counted.then(|| needs.loss(image.content.framing, image.content.angle))
    };
    let (pool, index, _) = candidates.min_by_key(|(_, _, image)| (loss(image), Reverse(rank(image))))?;
    Some((pool, index))
}

impl<'a> Pool<'a> {
    /// The worst image and those that may go in its place.
    fn candidates(&self) -> impl Iterator<Item = (usize, &'a Assessment)> {
        let worst = self.images.last().copied();
        let is_comparable = move |image: &Assessment| {
            worst.is_some_and(|worst| {
                image.quality <= worst.quality.saturating_add(EQUALS_WITHIN)
                    && (is_near_duplicate(image) || known_views(image) == known_views(worst))
            })
        };
        self.images.iter().copied().enumerate().filter(move |(_, image)| is_comparable(image))
    }
}

/// Whether the image shows the same picture as another one of the set.
pub(super) fn is_near_duplicate(image: &Assessment) -> bool {
    image.flags.contains(&Flag::NearDuplicate)
}

/// Whether the framing and the angle are known.
fn known_views(image: &Assessment) -> (bool, bool) {
    (image.content.framing.is_some(), image.content.angle.is_some())
}
