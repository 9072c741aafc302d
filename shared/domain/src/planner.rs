//! From what is known about a set to what must change: a pure function.

mod reasons;

use std::cmp::Reverse;

use serde::{Deserialize, Serialize};

use crate::assessment::Assessment;
use crate::kind::{Kind, KindCounts};
use crate::numbering::number_of;
use crate::target::Target;

/// What a set is measured against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// The set to reach.
    pub target: Target,
    /// Images of a lower quality than this go.
    pub quality_floor: u8,
    /// What the plan may do.
    pub scope: Scope,
}

/// What a plan may do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Delete and generate.
    #[default]
    All,
    /// Only delete.
    DeleteOnly,
    /// Only generate.
    GenerateOnly,
}

/// What must change so that a set becomes balanced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposal {
    /// The images that go.
    pub delete: Vec<Removal>,
    /// How many images of each kind must be made.
    pub generate: KindCounts,
    /// What the set holds once both are done.
    pub result: KindCounts,
}

/// An image that goes, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Removal {
    /// The image's file name.
    pub filename: String,
    /// Why it goes, in a sentence for people.
    pub reason: String,
}

impl Proposal {
    /// Whether the set is good as it is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.delete.is_empty() && self.generate.total() == 0
    }

    /// The same with fewer images to make: each of the `unassessed` ones may turn out to be of the kind that is missing, so
    /// of each kind that many fewer are made. Deletions stay as they are, because one image more never saves another.
    #[must_use]
    pub fn leaving_room_for(mut self, unassessed: u32) -> Self {
        for kind in Kind::ALL {
            let held_back = self.generate[kind].min(unassessed);
            self.generate[kind] -= held_back;
            self.result[kind] -= held_back;
        }
        self
    }
}

/// Plans the way from a set to its target.
///
/// A generated image of a different kind than requested is a failed slot and is deleted whatever its quality. Within
/// each kind, the planner deletes images below the quality floor; of the others, it keeps the best and deletes the
/// surplus, generated images before the user's own. It then generates the missing images. Pinned images rank first and
/// are never deleted, whatever their quality or kind. With [`Scope::All`] the result is exactly the target, unless more
/// images of a kind are pinned than the target wants. Among equal images, those with fewer flags that lose ties stay,
/// then the one with the lower number (the older image), then the first name, so the order of `set` has no effect.
#[must_use]
pub fn propose(set: &[Assessment], policy: &Policy) -> Proposal {
    let target = policy.target.counts();
    let mut delete = Vec::new();
    let mut generate = KindCounts::default();
    let mut result = KindCounts::default();
    for kind in Kind::ALL {
        let of_kind: Vec<&Assessment> = set.iter().filter(|image| image.kind == kind).collect();
        let present = u32::try_from(of_kind.len()).unwrap_or(u32::MAX);
        let removals = match policy.scope {
            Scope::GenerateOnly => Vec::new(),
            Scope::All | Scope::DeleteOnly => removals(of_kind, target[kind], policy.quality_floor),
        };
        let staying = present - u32::try_from(removals.len()).unwrap_or(present);
        generate[kind] = match policy.scope {
            Scope::DeleteOnly => 0,
            Scope::All | Scope::GenerateOnly => target[kind].saturating_sub(staying),
        };
        result[kind] = staying + generate[kind];
        delete.extend(removals);
    }
    Proposal { delete, generate, result }
}

/// The deletions of one kind.
fn removals(mut of_kind: Vec<&Assessment>, wanted: u32, quality_floor: u8) -> Vec<Removal> {
    of_kind.sort_by_key(|image| rank(image));
    let (failed, sound): (Vec<_>, Vec<_>) =
        of_kind.into_iter().partition(|image| !image.pinned && image.missed_kind().is_some());
    let (good, poor): (Vec<_>, Vec<_>) =
        sound.into_iter().partition(|image| image.pinned || image.quality >= quality_floor);
    let pinned = good.iter().filter(|image| image.pinned).count();
    let (staying, surplus) = good.split_at(good.len().min(pinned.max(wanted as usize)));
    let because_of = |image: &Assessment, reason| Removal { filename: image.filename.clone(), reason };
    let surplus = surplus.iter().map(|image| because_of(image, reasons::surplus(image, staying, surplus, wanted)));
    let failed = failed.iter().map(|image| because_of(image, reasons::another_kind(image)));
    let poor = poor.iter().map(|image| because_of(image, reasons::poor(image, quality_floor)));
    surplus.chain(failed).chain(poor).collect()
}

/// Sorts the image first that stays longest.
fn rank(image: &Assessment) -> impl Ord + use<'_> {
    (
        !image.pinned,
        !image.origin.is_uploaded(),
        Reverse(image.quality),
        ties_lost(image),
        number_of(&image.filename),
        image.filename.as_str(),
    )
}

/// The number of flags that rank the image after others of its quality.
fn ties_lost(image: &Assessment) -> usize {
    image.flags.iter().filter(|flag| flag.loses_ties()).count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::assessment::{Flag, Origin};

    fn image(number: usize, kind: Kind, quality: u8) -> Assessment {
        let (flags, reason) = (vec![], "Seen.".to_owned());
        let (pinned, origin) = (false, Origin::Uploaded);
        Assessment { filename: format!("a_{number}.jpg"), kind, quality, flags, reason, pinned, origin }
    }

    fn generated(requested: Kind, image: Assessment) -> Assessment {
        Assessment { origin: Origin::Generated { requested: Some(requested) }, ..image }
    }

    fn policy(scope: Scope) -> Policy {
        Policy { target: Target::default(), quality_floor: 5, scope }
    }

    fn any_kind() -> impl Strategy<Value = Kind> {
        proptest::sample::select(&Kind::ALL[..])
    }

    /// Half are the user's own, half are generated, and a quarter of the generated ones came out as any kind.
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

    fn any_set() -> impl Strategy<Value = Vec<Assessment>> {
        let any_image = any_kind().prop_flat_map(|kind| (Just(kind), 1_u8..=10, any_origin(kind), any_flags()));
        proptest::collection::vec(any_image, 0..60).prop_map(|images| {
            let numbered = images.into_iter().enumerate();
            numbered
                .map(|(number, (kind, quality, origin, flags))| Assessment {
                    origin,
                    flags,
                    ..image(number, kind, quality)
                })
                .collect()
        })
    }

    /// The same with one image in four pinned.
    fn any_set_with_pins() -> impl Strategy<Value = Vec<Assessment>> {
        (any_set(), proptest::collection::vec(proptest::bool::weighted(0.25), 60)).prop_map(|(set, pins)| {
            set.into_iter().zip(pins).map(|(image, pinned)| Assessment { pinned, ..image }).collect()
        })
    }

    fn is_gone(image: &Assessment, proposal: &Proposal) -> bool {
        proposal.delete.iter().any(|removal| removal.filename == image.filename)
    }

    /// The set after the plan was carried out, with perfect generated images.
    fn execute(set: &[Assessment], proposal: &Proposal) -> Vec<Assessment> {
        let made =
            proposal.generate.each().enumerate().map(|(index, kind)| generated(kind, image(1000 + index, kind, 10)));
        set.iter().filter(|image| !is_gone(image, proposal)).cloned().chain(made).collect()
    }

    fn reasons(set: &[Assessment], scope: Scope) -> Vec<(String, String)> {
        let gone = propose(set, &policy(scope)).delete.into_iter();
        gone.map(|removal| (removal.filename, removal.reason)).collect()
    }

    #[test]
    fn of_too_many_the_worst_goes_and_of_equals_the_newest() {
        let of = |number, quality| image(number, Kind::ColorStylized, quality);
        let equal = reasons(&[of(1, 7), of(2, 6), of(3, 9), of(4, 6)], Scope::DeleteOnly);
        let reason = "Surplus: 4 good colour images, 3 wanted; of images rated the same this one is the newest (6).";
        assert_eq!(equal, [("a_4.jpg".to_owned(), reason.to_owned())]);
        let worst = Assessment { flags: vec![Flag::LookingAtCamera], ..of(2, 6) };
        let lowest = reasons(&[of(1, 7), worst, of(3, 9), of(4, 7)], Scope::DeleteOnly);
        let reason =
            "Surplus: 4 good colour images, 3 wanted; this one is rated lowest (6: face turned to the camera).";
        assert_eq!(lowest, [("a_2.jpg".to_owned(), reason.to_owned())]);
    }

    #[test]
    fn a_frontal_image_goes_before_its_equals() {
        let of = |number| image(number, Kind::ColorStylized, 6);
        let frontal = Assessment { flags: vec![Flag::LookingAtCamera, Flag::Symmetrical], ..of(1) };
        let said = reasons(&[frontal, of(2), of(3), of(4)], Scope::DeleteOnly);
        let reason = "Surplus: 4 good colour images, 3 wanted; others with this rating are better suited (6: face turned to the camera, symmetrical).";
        assert_eq!(said, [("a_1.jpg".to_owned(), reason.to_owned())]);
    }

    #[test]
    fn an_uploaded_image_outlives_a_generated_one() {
        let of = |number, quality| image(number, Kind::ColorStylized, quality);
        let made = generated(Kind::ColorStylized, of(9, 9));
        let said = reasons(&[of(1, 6), of(2, 6), of(3, 6), made.clone()], Scope::All);
        let reason = "Surplus: 4 good colour images, 3 wanted; a generated image goes before your own (9).";
        assert_eq!(said, [("a_9.jpg".to_owned(), reason.to_owned())]);
        assert!(reasons(&[of(1, 6), of(2, 6), made], Scope::All).is_empty());
    }

    #[test]
    fn an_image_of_another_kind_than_asked_goes() {
        let drawing = image(1, Kind::ColorStylized, 6);
        let botched = generated(Kind::Photorealistic, image(2, Kind::ColorStylized, 9));
        let set = [drawing, botched];
        let proposal = propose(&set, &policy(Scope::All));
        let reason = "Generated as photorealistic, but came out as color_stylized.";
        assert_eq!(proposal.delete, [Removal { filename: "a_2.jpg".to_owned(), reason: reason.to_owned() }]);
        assert_eq!(proposal.generate, KindCounts { photorealistic: 13, bw_stylized: 4, color_stylized: 2 });
        let pinned = set.map(|image| Assessment { pinned: true, ..image });
        assert!(propose(&pinned, &policy(Scope::All)).delete.is_empty());
    }

    #[test]
    fn an_image_below_the_floor_goes_and_is_replaced() {
        let proposal = propose(&[image(1, Kind::BwStylized, 4)], &policy(Scope::All));
        assert_eq!(proposal.delete[0].reason, "Rated 4, below the floor of 5. Seen.");
        assert_eq!(proposal.generate.bw_stylized, 4);
    }

    #[test]
    fn assessments_without_an_origin_are_the_users_own() {
        let old = r#"{ "filename": "a_1.jpg", "kind": "bw_stylized", "quality": 8 }"#;
        let read: Assessment = serde_json::from_str(old).unwrap();
        assert_eq!(read.origin, Origin::Uploaded);
        let made = generated(Kind::BwStylized, read);
        let written = serde_json::to_value(&made).unwrap();
        assert_eq!(written["origin"], serde_json::json!({ "generated": { "requested": "bw_stylized" } }));
        assert_eq!(serde_json::from_value::<Assessment>(written).unwrap(), made);
    }

    proptest! {
        #[test]
        fn a_plan_carried_out_ends_exactly_at_the_target_and_needs_no_second_one(set in any_set()) {
            let proposal = propose(&set, &policy(Scope::All));
            let after = execute(&set, &proposal);
            prop_assert_eq!(KindCounts::tally(after.iter().map(|image| image.kind)), Target::default().counts());
            prop_assert_eq!(proposal.result, Target::default().counts());
            prop_assert!(propose(&after, &policy(Scope::All)).is_empty());
        }

        #[test]
        fn the_result_is_what_carrying_out_gives_whatever_the_scope(
            set in any_set(), scope in proptest::sample::select(vec![Scope::All, Scope::DeleteOnly, Scope::GenerateOnly]),
        ) {
            let proposal = propose(&set, &policy(scope));
            let after = execute(&set, &proposal);
            prop_assert_eq!(proposal.result, KindCounts::tally(after.iter().map(|image| image.kind)));
            prop_assert!(scope != Scope::GenerateOnly || proposal.delete.is_empty());
            prop_assert!(scope != Scope::DeleteOnly || proposal.generate.total() == 0);
        }

        #[test]
        fn whatever_unassessed_images_turn_out_to_be_nothing_was_made_or_deleted_for_nothing(
            set in any_set(), unassessed in proptest::collection::vec((any_kind(), 1_u8..=10), 0..8),
        ) {
            let count = u32::try_from(unassessed.len()).unwrap();
            let careful = propose(&set, &policy(Scope::All)).leaving_room_for(count);
            let after = execute(&set, &careful);
            prop_assert_eq!(careful.result, KindCounts::tally(after.iter().map(|image| image.kind)));
            let turned_out = unassessed.into_iter().enumerate().map(|(index, (kind, quality))| image(500 + index, kind, quality));
            let turned_out: Vec<_> = turned_out.collect();
            // What was made stays, once all is known.
            let known: Vec<_> = after.iter().chain(&turned_out).cloned().collect();
            let finally = propose(&known, &policy(Scope::All));
            let is_made = |name: &str| after.iter().any(|image| image.filename == name) && !set.iter().any(|image| image.filename == name);
            prop_assert!(!finally.delete.iter().any(|removal| is_made(&removal.filename)));
            // What went would have gone anyway.
            let all: Vec<_> = set.iter().chain(&turned_out).cloned().collect();
            let informed = propose(&all, &policy(Scope::All));
            for removal in &careful.delete {
                prop_assert!(informed.delete.iter().any(|other| other.filename == removal.filename));
            }
        }

        #[test]
        fn no_image_goes_while_a_worse_one_of_its_kind_and_origin_stays(set in any_set()) {
            let proposal = propose(&set, &policy(Scope::All));
            let gone = |image: &&Assessment| is_gone(image, &proposal);
            for (kind, is_uploaded) in Kind::ALL.into_iter().flat_map(|kind| [(kind, true), (kind, false)]) {
                let alike = || {
                    let sound = set.iter().filter(|image| image.missed_kind().is_none());
                    sound.filter(move |image| image.kind == kind && image.origin.is_uploaded() == is_uploaded)
                };
                let best_gone = alike().filter(gone).map(|image| (image.quality, Reverse(ties_lost(image)))).max();
                let staying = alike().filter(|image| !gone(image));
                let worst_staying = staying.map(|image| (image.quality, Reverse(ties_lost(image)))).min();
                prop_assert!(best_gone.zip(worst_staying).is_none_or(|(gone, staying)| gone <= staying));
            }
        }

        #[test]
        fn no_good_upload_goes_while_a_generated_image_of_its_kind_stays(set in any_set_with_pins()) {
            let proposal = propose(&set, &policy(Scope::All));
            let lost = set.iter().filter(|image| image.origin.is_uploaded() && image.quality >= 5 && is_gone(image, &proposal));
            for upload in lost {
                let generated = set.iter().filter(|image| image.kind == upload.kind && !image.origin.is_uploaded());
                prop_assert!(generated.clone().all(|image| image.pinned || is_gone(image, &proposal)), "{upload:?}");
                prop_assert!(proposal.generate[upload.kind] == 0);
            }
        }

        #[test]
        fn whatever_is_generated_takes_no_good_upload_away(
            set in any_set(), made in proptest::collection::vec((any_kind(), any_kind(), 1_u8..=10), 0..12),
        ) {
            let made = made.into_iter().enumerate();
            let made = made.map(|(index, (requested, kind, quality))| generated(requested, image(500 + index, kind, quality)));
            let with_made: Vec<_> = set.iter().cloned().chain(made).collect();
            let (before, after) = (propose(&set, &policy(Scope::All)), propose(&with_made, &policy(Scope::All)));
            for upload in set.iter().filter(|image| image.origin.is_uploaded()) {
                prop_assert_eq!(is_gone(upload, &before), is_gone(upload, &after), "{:?}", upload);
            }
        }

        #[test]
        fn every_unpinned_image_of_another_kind_than_asked_goes(set in any_set_with_pins()) {
            let proposal = propose(&set, &policy(Scope::All));
            for missed in set.iter().filter(|image| image.missed_kind().is_some()) {
                prop_assert_eq!(is_gone(missed, &proposal), !missed.pinned);
            }
        }

        #[test]
        fn a_pinned_image_never_goes_and_only_pinned_ones_pass_the_target(set in any_set_with_pins()) {
            let proposal = propose(&set, &policy(Scope::All));
            prop_assert!(!set.iter().any(|image| image.pinned && is_gone(image, &proposal)));
            for kind in Kind::ALL {
                let pinned = set.iter().filter(|image| image.pinned && image.kind == kind).count() as u32;
                prop_assert_eq!(proposal.result[kind], pinned.max(Target::default().counts()[kind]));
            }
            prop_assert!(propose(&execute(&set, &proposal), &policy(Scope::All)).is_empty());
        }

        #[test]
        fn a_pin_only_takes_an_image_out_of_what_goes(set in any_set_with_pins(), index in any::<prop::sample::Index>()) {
            prop_assume!(!set.is_empty());
            let mut pinned = set.clone();
            index.get_mut(&mut pinned).pinned = true;
            let (before, after) = (propose(&set, &policy(Scope::All)), propose(&pinned, &policy(Scope::All)));
            let stays = index.get(&set);
            prop_assert!(!is_gone(stays, &after));
            // At most one other image goes in its stead.
            let new = after.delete.iter().filter(|gone| before.delete.iter().all(|was| was.filename != gone.filename));
            prop_assert!(new.count() <= usize::from(is_gone(stays, &before)));
        }

        #[test]
        fn the_order_of_the_set_makes_no_difference(set in any_set_with_pins(), seed in any::<u64>()) {
            use rand::{SeedableRng, seq::SliceRandom};
            let mut shuffled = set.clone();
            shuffled.shuffle(&mut rand_chacha::ChaCha8Rng::seed_from_u64(seed));
            prop_assert_eq!(propose(&set, &policy(Scope::All)), propose(&shuffled, &policy(Scope::All)));
        }
    }
}
