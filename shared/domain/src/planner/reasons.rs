//! The reasons of deletions, as sentences for the user.

use super::surplus::is_near_duplicate;
use super::{rank, ties_lost};
use crate::assessment::{Assessment, Flag};

/// A generated image of a different kind than requested.
pub(super) fn another_kind(image: &Assessment) -> String {
    let requested = image.missed_kind().unwrap_or(image.kind);
    format!("Generated as {requested}, but came out as {}.", image.kind)
}

/// An image below the quality floor. For a copy, the name of the original is enough.
pub(super) fn poor(image: &Assessment, quality_floor: u8) -> String {
    if image.flags.contains(&Flag::ExactDuplicate) && !image.reason.is_empty() {
        return image.reason.clone();
    }
    let rated = format!("Rated {}, below the floor of {quality_floor}. {}", image.quality, image.reason);
    rated.trim_end().to_owned()
}

/// A good image of a kind with a surplus.
pub(super) fn surplus(image: &Assessment, kept: &[&Assessment], surplus: &[&Assessment], wanted: u32) -> String {
    format!(
        "Surplus: {} good {} images, {wanted} wanted; {} ({}).",
        kept.len() + surplus.len(),
        image.kind.in_words(),
        why_this_one(image, kept, surplus),
        rating(image),
    )
}

fn why_this_one(image: &Assessment, kept: &[&Assessment], surplus: &[&Assessment]) -> &'static str {
    let unpinned = || kept.iter().filter(|other| !other.pinned);
    if !image.origin.is_uploaded() && unpinned().any(|other| other.origin.is_uploaded()) {
        return "a generated image goes before your own";
    }
    if kept.is_empty() {
        return "no image of this kind is wanted";
    }
    let Some(last_kept) = unpinned().next_back() else { return "pinned images stay first" };
    if rank(image) < rank(last_kept) {
        if is_near_duplicate(image) {
            return "among images with about this rating, one that repeats another goes first";
        }
        return "the set needs the framings and angles of others with about this rating more";
    }
    if image.quality < last_kept.quality {
        let is_lowest = surplus.iter().all(|other| other.filename == image.filename || other.quality > image.quality);
        return if is_lowest { "this one is rated lowest" } else { "this one is among the lowest rated" };
    }
    if ties_lost(image) > ties_lost(last_kept) {
        "others with this rating are better suited"
    } else {
        "of equally good images, the last by number and name go first"
    }
}

/// `6: face turned to the camera, small`.
fn rating(image: &Assessment) -> String {
    let faults: Vec<&str> = image.flags.iter().map(|flag| flag.in_words()).collect();
    if faults.is_empty() { image.quality.to_string() } else { format!("{}: {}", image.quality, faults.join(", ")) }
}
