mod coverage;

use proptest::prelude::*;

use super::*;
use crate::assessment::{Flag, Origin};
use crate::content::{Angle, Content, Framing};
use crate::limits::DEFAULT_QUALITY_FLOOR;

fn image(number: usize, kind: Kind, quality: u8) -> Assessment {
    let (flags, reason) = (vec![], "Seen.".to_owned());
    let (pinned, origin) = (false, Origin::Uploaded);
    let content = Content::default();
    Assessment { filename: format!("a_{number}.jpg"), kind, quality, flags, reason, content, pinned, origin }
}

fn generated(requested: Kind, image: Assessment) -> Assessment {
    Assessment { origin: Origin::Generated { requested: Some(requested) }, ..image }
}

fn policy(scope: Scope) -> Policy {
    Policy { target: Target::default(), quality_floor: DEFAULT_QUALITY_FLOOR, scope }
}

fn any_kind() -> impl Strategy<Value = Kind> {
    proptest::sample::select(&Kind::ALL[..])
}

/// Half are uploaded, half are generated, and a quarter of the generated ones came out as any kind.
fn any_origin(kind: Kind) -> impl Strategy<Value = Origin> {
    let generated = |requested| Origin::Generated { requested };
    prop_oneof![
        4 => Just(Origin::Uploaded),
        3 => Just(generated(Some(kind))),
        1 => proptest::option::of(any_kind()).prop_map(generated),
    ]
}

fn any_flags() -> impl Strategy<Value = Vec<Flag>> {
    proptest::sample::subsequence(vec![Flag::LookingAtCamera, Flag::Symmetrical, Flag::NearDuplicate], 0..=3)
}

fn any_content() -> impl Strategy<Value = Content> {
    let framing = proptest::option::of(proptest::sample::select(&Framing::ALL[..]));
    let angle = proptest::option::of(proptest::sample::select(&Angle::ALL[..]));
    (framing, angle).prop_map(|(framing, angle)| Content { framing, angle, ..Content::default() })
}

/// The set, without anything known about framings and angles.
fn without_views(set: &[Assessment]) -> Vec<Assessment> {
    set.iter().map(|image| Assessment { content: Content::default(), ..image.clone() }).collect()
}

fn any_set() -> impl Strategy<Value = Vec<Assessment>> {
    let any_image =
        any_kind().prop_flat_map(|kind| (Just(kind), 1_u8..=10, any_origin(kind), any_flags(), any_content()));
    proptest::collection::vec(any_image, 0..60).prop_map(|images| {
        let numbered = images.into_iter().enumerate();
        numbered
            .map(|(number, (kind, quality, origin, flags, content))| Assessment {
                origin,
                flags,
                content,
                ..image(number, kind, quality)
            })
            .collect()
    })
}

/// A set in which one image in four is pinned.
fn any_set_with_pins() -> impl Strategy<Value = Vec<Assessment>> {
    (any_set(), proptest::collection::vec(proptest::bool::weighted(0.25), 60)).prop_map(|(set, pins)| {
        set.into_iter().zip(pins).map(|(image, pinned)| Assessment { pinned, ..image }).collect()
    })
}

fn is_deleted(image: &Assessment, proposal: &Proposal) -> bool {
    proposal.delete.iter().any(|removal| removal.filename == image.filename)
}

/// The set after the plan, with perfect generated images.
fn execute(set: &[Assessment], proposal: &Proposal) -> Vec<Assessment> {
    let new_images =
        proposal.generate.each().enumerate().map(|(index, kind)| generated(kind, image(1000 + index, kind, 10)));
    set.iter().filter(|image| !is_deleted(image, proposal)).cloned().chain(new_images).collect()
}

fn reasons(set: &[Assessment], scope: Scope) -> Vec<(String, String)> {
    let deleted = propose(set, &policy(scope)).delete.into_iter();
    deleted.map(|removal| (removal.filename, removal.reason)).collect()
}

#[test]
fn worst_then_highest_number_of_a_surplus_goes() {
    let of = |number, quality| image(number, Kind::ColorStylized, quality);
    let equal = reasons(&[of(1, 7), of(2, 6), of(3, 9), of(4, 6)], Scope::DeleteOnly);
    let reason =
        "Surplus: 4 good colour images, 3 wanted; of equally good images, the last by number and name go first (6).";
    assert_eq!(equal, [("a_4.jpg".to_owned(), reason.to_owned())]);
    let worst = Assessment { flags: vec![Flag::LookingAtCamera], ..of(2, 6) };
    let lowest = reasons(&[of(1, 7), worst, of(3, 9), of(4, 7)], Scope::DeleteOnly);
    let reason = "Surplus: 4 good colour images, 3 wanted; this one is rated lowest (6: face turned to the camera).";
    assert_eq!(lowest, [("a_2.jpg".to_owned(), reason.to_owned())]);
}

#[test]
fn frontal_image_is_deleted_before_its_equals() {
    let of = |number| image(number, Kind::ColorStylized, 6);
    let frontal = Assessment { flags: vec![Flag::LookingAtCamera, Flag::Symmetrical], ..of(1) };
    let deletions = reasons(&[frontal, of(2), of(3), of(4)], Scope::DeleteOnly);
    let reason = "Surplus: 4 good colour images, 3 wanted; others with this rating are better suited (6: face turned to the camera, symmetrical).";
    assert_eq!(deletions, [("a_1.jpg".to_owned(), reason.to_owned())]);
}

#[test]
fn generated_image_is_deleted_before_an_upload() {
    let of = |number, quality| image(number, Kind::ColorStylized, quality);
    let new_image = generated(Kind::ColorStylized, of(9, 9));
    let deletions = reasons(&[of(1, 6), of(2, 6), of(3, 6), new_image.clone()], Scope::All);
    let reason = "Surplus: 4 good colour images, 3 wanted; a generated image goes before your own (9).";
    assert_eq!(deletions, [("a_9.jpg".to_owned(), reason.to_owned())]);
    assert!(reasons(&[of(1, 6), of(2, 6), new_image], Scope::All).is_empty());
}

#[test]
fn generated_image_of_another_kind_is_deleted() {
    let drawing = image(1, Kind::ColorStylized, 6);
    let wrong_kind = generated(Kind::Photorealistic, image(2, Kind::ColorStylized, 9));
    let set = [drawing, wrong_kind];
    let proposal = propose(&set, &policy(Scope::All));
    let reason = "Generated as photorealistic, but came out as color_stylized.";
    assert_eq!(proposal.delete, [Removal { filename: "a_2.jpg".to_owned(), reason: reason.to_owned() }]);
    assert_eq!(proposal.generate, KindCounts { photorealistic: 13, bw_stylized: 4, color_stylized: 2 });
    let pinned = set.map(|image| Assessment { pinned: true, ..image });
    assert!(propose(&pinned, &policy(Scope::All)).delete.is_empty());
}

#[test]
fn image_below_the_floor_is_replaced() {
    let proposal = propose(&[image(1, Kind::BwStylized, 4)], &policy(Scope::All));
    assert_eq!(proposal.delete[0].reason, "Rated 4, below the floor of 5. Seen.");
    assert_eq!(proposal.generate.bw_stylized, 4);
}

#[test]
fn assessment_without_an_origin_is_an_upload() {
    let old = r#"{ "filename": "a_1.jpg", "kind": "bw_stylized", "quality": 8 }"#;
    let read: Assessment = serde_json::from_str(old).unwrap();
    assert_eq!(read.origin, Origin::Uploaded);
    let new_image = generated(Kind::BwStylized, read);
    let written = serde_json::to_value(&new_image).unwrap();
    assert_eq!(written["origin"], serde_json::json!({ "generated": { "requested": "bw_stylized" } }));
    assert_eq!(serde_json::from_value::<Assessment>(written).unwrap(), new_image);
}

proptest! {
    #[test]
    fn executed_plan_reaches_the_target_exactly(set in any_set()) {
        let proposal = propose(&set, &policy(Scope::All));
        let after = execute(&set, &proposal);
        prop_assert_eq!(KindCounts::tally(after.iter().map(|image| image.kind)), Target::default().counts());
        prop_assert_eq!(proposal.result, Target::default().counts());
        prop_assert!(propose(&after, &policy(Scope::All)).is_empty());
    }

    #[test]
    fn result_matches_execution_in_every_scope(
        set in any_set(), scope in proptest::sample::select(vec![Scope::All, Scope::DeleteOnly, Scope::GenerateOnly]),
    ) {
        let proposal = propose(&set, &policy(scope));
        let after = execute(&set, &proposal);
        prop_assert_eq!(proposal.result, KindCounts::tally(after.iter().map(|image| image.kind)));
        prop_assert!(scope != Scope::GenerateOnly || proposal.delete.is_empty());
        prop_assert!(scope != Scope::DeleteOnly || proposal.generate.total() == 0);
    }

    #[test]
    fn unassessed_images_never_make_work_useless(
        set in any_set(), unassessed in proptest::collection::vec((any_kind(), 1_u8..=10), 0..8),
    ) {
        let count = u32::try_from(unassessed.len()).unwrap();
        let careful = propose(&set, &policy(Scope::All)).leaving_room_for(count);
        let after = execute(&set, &careful);
        prop_assert_eq!(careful.result, KindCounts::tally(after.iter().map(|image| image.kind)));
        let turned_out = unassessed.into_iter().enumerate().map(|(index, (kind, quality))| image(500 + index, kind, quality));
        let turned_out: Vec<_> = turned_out.collect();
        // Generated images stay, once all kinds are known.
        let known: Vec<_> = after.iter().chain(&turned_out).cloned().collect();
        let finally = propose(&known, &policy(Scope::All));
        let is_generated = |name: &str| after.iter().any(|image| image.filename == name) && !set.iter().any(|image| image.filename == name);
        prop_assert!(!finally.delete.iter().any(|removal| is_generated(&removal.filename)));
        // As many images, and the same ones if no views are known, would have been deleted anyway.
        let all: Vec<_> = set.iter().chain(&turned_out).cloned().collect();
        prop_assert!(careful.delete.len() <= propose(&all, &policy(Scope::All)).delete.len());
        let informed = propose(&without_views(&all), &policy(Scope::All));
        for removal in &propose(&without_views(&set), &policy(Scope::All)).delete {
            prop_assert!(informed.delete.iter().any(|other| other.filename == removal.filename));
        }
    }

    #[test]
    fn worse_image_of_kind_and_origin_is_deleted_first(set in any_set()) {
        let set = without_views(&set);
        let proposal = propose(&set, &policy(Scope::All));
        for (kind, is_uploaded) in Kind::ALL.into_iter().flat_map(|kind| [(kind, true), (kind, false)]) {
            let alike = |is_gone: bool| {
                let sound = set.iter().filter(|image| image.missed_kind().is_none());
                sound.filter(|image| image.kind == kind && image.origin.is_uploaded() == is_uploaded)
                    .filter(|image| is_deleted(image, &proposal) == is_gone)
                    .collect::<Vec<_>>()
            };
            let order = |image: &&Assessment| (image.quality, Reverse(ties_lost(image)));
            // A near duplicate that goes may be one point better than an image that repeats none.
            for (gone, kept) in alike(true).iter().flat_map(|gone| alike(false).into_iter().map(move |kept| (gone, kept))) {
                let goes_early = surplus::is_near_duplicate(gone) && !surplus::is_near_duplicate(kept);
                prop_assert!(
                    order(gone) <= order(&kept) || goes_early && gone.quality <= kept.quality + surplus::EQUALS_WITHIN,
                    "{:?} {:?}", gone, kept
                );
            }
        }
    }

    #[test]
    fn generated_images_are_deleted_before_good_uploads(set in any_set_with_pins()) {
        let proposal = propose(&set, &policy(Scope::All));
        let lost = set.iter().filter(|image| image.origin.is_uploaded() && image.quality >= 5 && is_deleted(image, &proposal));
        for upload in lost {
            let generated = set.iter().filter(|image| image.kind == upload.kind && !image.origin.is_uploaded());
            prop_assert!(generated.clone().all(|image| image.pinned || is_deleted(image, &proposal)), "{upload:?}");
            prop_assert!(proposal.generate[upload.kind] == 0);
        }
    }

    #[test]
    fn generated_images_never_displace_an_upload(
        set in any_set(), new_images in proptest::collection::vec((any_kind(), any_kind(), 1_u8..=10), 0..12),
    ) {
        let new_images = new_images.into_iter().enumerate();
        let new_images = new_images.map(|(index, (requested, kind, quality))| generated(requested, image(500 + index, kind, quality)));
        let with_generated: Vec<_> = set.iter().cloned().chain(new_images).collect();
        let (before, after) = (propose(&set, &policy(Scope::All)), propose(&with_generated, &policy(Scope::All)));
        for upload in set.iter().filter(|image| image.origin.is_uploaded()) {
            prop_assert_eq!(is_deleted(upload, &before), is_deleted(upload, &after), "{:?}", upload);
        }
    }

    #[test]
    fn every_unpinned_image_of_another_kind_is_deleted(set in any_set_with_pins()) {
        let proposal = propose(&set, &policy(Scope::All));
        for missed in set.iter().filter(|image| image.missed_kind().is_some()) {
            prop_assert_eq!(is_deleted(missed, &proposal), !missed.pinned);
        }
    }

    #[test]
    fn pinned_image_is_never_deleted(set in any_set_with_pins()) {
        let proposal = propose(&set, &policy(Scope::All));
        prop_assert!(!set.iter().any(|image| image.pinned && is_deleted(image, &proposal)));
        for kind in Kind::ALL {
            let pinned = set.iter().filter(|image| image.pinned && image.kind == kind).count() as u32;
            prop_assert_eq!(proposal.result[kind], pinned.max(Target::default().counts()[kind]));
        }
        prop_assert!(propose(&execute(&set, &proposal), &policy(Scope::All)).is_empty());
    }

    #[test]
    fn pin_deletes_at_most_one_other_image(set in any_set_with_pins(), index in any::<prop::sample::Index>()) {
        prop_assume!(!set.is_empty());
        let set = without_views(&set);
        let mut pinned = set.clone();
        index.get_mut(&mut pinned).pinned = true;
        let (before, after) = (propose(&set, &policy(Scope::All)), propose(&pinned, &policy(Scope::All)));
        let stays = index.get(&set);
        prop_assert!(!is_deleted(stays, &after));
        // At most one other image is deleted in its place.
        let new = after.delete.iter().filter(|deleted| before.delete.iter().all(|was| was.filename != deleted.filename));
        prop_assert!(new.count() <= usize::from(is_deleted(stays, &before)));
    }

    #[test]
    fn order_of_the_set_has_no_effect(set in any_set_with_pins(), seed in any::<u64>()) {
        use rand::{SeedableRng, seq::SliceRandom};
        let mut shuffled = set.clone();
        shuffled.shuffle(&mut rand_chacha::ChaCha8Rng::seed_from_u64(seed));
        prop_assert_eq!(propose(&set, &policy(Scope::All)), propose(&shuffled, &policy(Scope::All)));
    }
}
