//! Framings and angles decide only between images within one point of quality.

use proptest::prelude::*;

use super::*;
use crate::coverage::{Needs, ViewShares};

fn showing(framing: Framing, angle: Angle, image: Assessment) -> Assessment {
    Assessment { content: Content { framing: Some(framing), angle: Some(angle), ..Content::default() }, ..image }
}

/// Photographs of the target's number that all show the same view.
fn alike_photographs() -> impl Iterator<Item = Assessment> {
    let photograph = |number| image(number, Kind::Photorealistic, 9);
    (100..113).map(move |number| showing(Framing::Medium, Angle::ThreeQuarter, photograph(number)))
}

/// Sets of one kind in which one image is too many.
fn any_set_with_one_surplus_image() -> impl Strategy<Value = Vec<Assessment>> {
    proptest::collection::vec((5_u8..=10, any_flags(), any_content()), 14).prop_map(|images| {
        let photograph = |(number, (quality, flags, content))| Assessment {
            flags,
            content,
            ..image(number, Kind::Photorealistic, quality)
        };
        images.into_iter().enumerate().map(photograph).collect()
    })
}

fn deletions(set: &[Assessment]) -> Proposal {
    propose(set, &policy(Scope::DeleteOnly))
}

/// How far the set is from the wanted views after the deletions.
fn shortfall(set: &[Assessment], proposal: &Proposal) -> u32 {
    let kept = set.iter().filter(|image| !is_deleted(image, proposal));
    let has = ViewCounts::tally(kept.map(|image| &image.content));
    Needs { has, wanted: Target::default().view_counts() }.shortfall()
}

/// Good images of a kind and an origin, each with whether it is deleted.
fn good_ones<'a>(
    set: &'a [Assessment],
    proposal: &'a Proposal,
    kind: Kind,
    is_uploaded: bool,
) -> impl Iterator<Item = (&'a Assessment, bool)> {
    let is_good = move |image: &&Assessment| {
        let is_sound = image.missed_kind().is_none() && image.quality >= 5 && !image.pinned;
        is_sound && image.kind == kind && image.origin.is_uploaded() == is_uploaded
    };
    set.iter().filter(is_good).map(|image| (image, is_deleted(image, proposal)))
}

fn kinds_and_origins() -> impl Iterator<Item = (Kind, bool)> {
    Kind::ALL.into_iter().flat_map(|kind| [(kind, true), (kind, false)])
}

#[test]
fn surplus_image_with_a_rare_view_stays() {
    let of = |number, quality| image(number, Kind::ColorStylized, quality);
    let rare = |quality| showing(Framing::Wide, Angle::Back, of(1, quality));
    let common = |number| showing(Framing::Medium, Angle::ThreeQuarter, of(number, 6));
    let set = |rarity| alike_photographs().chain([rare(rarity), common(2), common(3), common(4)]).collect::<Vec<_>>();
    let reason = "Surplus: 4 good colour images, 3 wanted; the set needs the framings and angles of others with about this rating more (6).";
    assert_eq!(reasons(&set(5), Scope::DeleteOnly), [("a_4.jpg".to_owned(), reason.to_owned())]);
}

#[test]
fn two_points_of_quality_outweigh_any_view() {
    let of = |number, quality| image(number, Kind::ColorStylized, quality);
    let rare = showing(Framing::Wide, Angle::Back, of(1, 5));
    let common = |number| showing(Framing::Medium, Angle::ThreeQuarter, of(number, 7));
    let set: Vec<_> = alike_photographs().chain([rare, common(2), common(3), common(4)]).collect();
    let reason = "Surplus: 4 good colour images, 3 wanted; this one is rated lowest (5).";
    assert_eq!(reasons(&set, Scope::DeleteOnly), [("a_1.jpg".to_owned(), reason.to_owned())]);
}

#[test]
fn near_duplicate_goes_before_another_view() {
    let of = |number, quality| image(number, Kind::ColorStylized, quality);
    let alike = |number, quality| showing(Framing::Medium, Angle::ThreeQuarter, of(number, quality));
    let repeating = |image| Assessment { flags: vec![Flag::NearDuplicate], ..image };
    let others =
        [showing(Framing::Medium, Angle::Profile, of(2, 7)), showing(Framing::CloseUp, Angle::Front, of(3, 8))];
    let scarce = |image| showing(Framing::Wide, Angle::Back, image);
    // By coverage alone, the profile would go: three other images have it, and only the duplicate has a wide view.
    let crowd = (200..203).map(|number| showing(Framing::Medium, Angle::Profile, image(number, Kind::BwStylized, 9)));
    let set = |duplicate: Assessment| {
        let rest = alike_photographs().chain(crowd.clone()).chain(others.clone());
        rest.chain([alike(1, 9), duplicate]).collect::<Vec<_>>()
    };
    let gone = |duplicate| reasons(&set(duplicate), Scope::DeleteOnly).remove(0);
    let reason = "Surplus: 4 good colour images, 3 wanted; among images with about this rating, one that repeats another goes first (8: much like another image).";
    assert_eq!(gone(repeating(scarce(of(4, 8)))), ("a_4.jpg".to_owned(), reason.to_owned()));
    assert_eq!(gone(repeating(of(4, 8))).0, "a_4.jpg", "whatever is known of its view");
    assert_eq!(gone(scarce(of(4, 8))).0, "a_2.jpg", "the same image, if it repeats none");
    assert_eq!(gone(repeating(alike(4, 9))).0, "a_2.jpg", "two points of quality outweigh a repetition");
}

#[test]
fn proposal_shows_the_coverage_before_and_after() {
    let of = |number| image(number, Kind::ColorStylized, 4 + u8::from(number > 1));
    let set = [1, 2].map(|number| showing(Framing::CloseUp, Angle::Profile, of(number)));
    let coverage = deletions(&set).coverage.unwrap();
    assert_eq!((coverage.before.framing, coverage.after.framing), ([2, 0, 0, 0], [1, 0, 0, 0]));
    assert_eq!(coverage.wanted, ViewShares::default().counts(20));
    assert_eq!(deletions(&without_views(&set)).coverage, None);
}

proptest! {
    #[test]
    fn kinds_floor_and_origins_win_over_coverage(set in any_set_with_pins()) {
        let plain = without_views(&set);
        let (with, without) = (propose(&set, &policy(Scope::All)), propose(&plain, &policy(Scope::All)));
        prop_assert_eq!((with.generate, with.result), (without.generate, without.result));
        for image in set.iter().filter(|image| image.pinned || image.quality < 5 || image.missed_kind().is_some()) {
            prop_assert_eq!(is_deleted(image, &with), is_deleted(image, &without), "{:?}", image);
        }
        for (kind, is_uploaded) in kinds_and_origins() {
            let deleted = |proposal| good_ones(&set, proposal, kind, is_uploaded).filter(|(_, gone)| *gone).count();
            prop_assert_eq!(deleted(&with), deleted(&without), "{} {}", kind, is_uploaded);
        }
    }

    #[test]
    fn coverage_costs_at_most_one_point_of_quality(set in any_set_with_pins()) {
        let proposal = deletions(&set);
        for (kind, is_uploaded) in kinds_and_origins() {
            let qualities = |is_gone| {
                let those = good_ones(&set, &proposal, kind, is_uploaded).filter(move |(_, gone)| *gone == is_gone);
                those.map(|(image, _)| image.quality)
            };
            let (best_gone, worst_kept) = (qualities(true).max(), qualities(false).min());
            prop_assert!(best_gone.zip(worst_kept).is_none_or(|(gone, kept)| gone <= kept + surplus::EQUALS_WITHIN));
        }
    }

    #[test]
    fn kept_near_duplicate_is_better_than_what_goes(set in any_set_with_pins()) {
        let proposal = deletions(&set);
        for (kind, is_uploaded) in kinds_and_origins() {
            let good = || good_ones(&set, &proposal, kind, is_uploaded);
            let is_near_duplicate = |image: &Assessment| image.flags.contains(&Flag::NearDuplicate);
            let kept = good().filter(|(image, gone)| !gone && is_near_duplicate(image));
            let best_other_gone = good().filter(|(image, gone)| *gone && !is_near_duplicate(image));
            let best_other_gone = best_other_gone.map(|(image, _)| image.quality).max();
            let worst_kept = kept.map(|(image, _)| image.quality).min();
            prop_assert!(best_other_gone.zip(worst_kept).is_none_or(|(gone, kept)| kept > gone));
        }
    }

    #[test]
    fn unknown_view_is_no_disadvantage(set in any_set_with_pins()) {
        let (with, without) = (deletions(&set), deletions(&without_views(&set)));
        for image in set.iter().filter(|image| image.content.is_unknown()) {
            prop_assert!(!is_deleted(image, &with) || is_deleted(image, &without), "{:?}", image);
        }
    }

    #[test]
    fn surplus_image_is_one_whose_loss_costs_least(set in any_set_with_one_surplus_image()) {
        let proposal = deletions(&set);
        prop_assert_eq!(proposal.delete.len(), 1);
        prop_assert!(shortfall(&set, &proposal) <= shortfall(&set, &deletions(&without_views(&set))));
    }

    #[test]
    fn balanced_set_stays_whatever_it_covers(contents in proptest::collection::vec((any_content(), 5_u8..=10), 20)) {
        let kinds = Target::default().counts().each().zip(contents).enumerate();
        let set: Vec<_> = kinds
            .map(|(number, (kind, (content, quality)))| Assessment { content, ..image(number, kind, quality) })
            .collect();
        prop_assert!(propose(&set, &policy(Scope::All)).is_empty());
    }
}
