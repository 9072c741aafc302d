//! From what is known about a set to what must change: a pure function.

use std::cmp::Reverse;

use serde::{Deserialize, Serialize};

use crate::domain::assessment::{Assessment, BEST_QUALITY};
use crate::domain::kind::{Kind, KindCounts};
use crate::domain::numbering::number_of;
use crate::domain::target::Target;

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
/// Within each kind, images below the quality floor go; of the rest, the best stay and what is too many goes. What
/// is then missing is generated. Pinned images count first among the best and never go, whatever their quality. With
/// [`Scope::All`] the result is exactly the target, unless more images of a kind are pinned than are wanted. Equals
/// are told apart by their number, then their name (the older image stays), so the order of `set` makes no difference.
#[must_use]
pub fn propose(set: &[Assessment], policy: &Policy) -> Proposal {
    let target = policy.target.counts();
    let mut delete = Vec::new();
    let mut generate = KindCounts::default();
    let mut result = KindCounts::default();
    for kind in Kind::ALL {
        let best_first = best_first(set, kind);
        let present = u32::try_from(best_first.len()).unwrap_or(u32::MAX);
        let removals = match policy.scope {
            Scope::GenerateOnly => Vec::new(),
            Scope::All | Scope::DeleteOnly => removals(&best_first, target[kind], policy.quality_floor),
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

fn best_first(set: &[Assessment], kind: Kind) -> Vec<&Assessment> {
    let mut of_kind: Vec<&Assessment> = set.iter().filter(|image| image.kind == kind).collect();
    of_kind.sort_by_key(|image| {
        (Reverse(image.pinned), Reverse(image.quality), number_of(&image.filename), image.filename.as_str())
    });
    of_kind
}

fn removals(best_first: &[&Assessment], wanted: u32, quality_floor: u8) -> Vec<Removal> {
    let pinned = best_first.partition_point(|image| image.pinned);
    let good_enough = best_first.partition_point(|image| image.pinned || image.quality >= quality_floor);
    let staying = good_enough.min(pinned.max(wanted as usize));
    let too_many = best_first[staying..good_enough].iter().map(|image| Removal {
        filename: image.filename.clone(),
        reason: format!(
            "One {} image too many: {wanted} wanted, {good_enough} good enough, and this one's quality of {} is among the lowest.",
            image.kind, image.quality
        ),
    });
    let too_poor = best_first[good_enough..].iter().map(|image| Removal {
        filename: image.filename.clone(),
        reason: format!(
            "Quality {} of {BEST_QUALITY} is below the floor of {quality_floor}. {}",
            image.quality, image.reason
        )
        .trim_end()
        .to_owned(),
    });
    too_many.chain(too_poor).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn image(number: usize, kind: Kind, quality: u8) -> Assessment {
        let (flags, reason) = (vec![], "Seen.".to_owned());
        Assessment { filename: format!("a_{number}.jpg"), kind, quality, flags, reason, pinned: false }
    }

    fn policy(scope: Scope) -> Policy {
        Policy { target: Target::default(), quality_floor: 5, scope }
    }

    fn any_kind() -> impl Strategy<Value = Kind> {
        proptest::sample::select(&Kind::ALL[..])
    }

    fn any_set() -> impl Strategy<Value = Vec<Assessment>> {
        proptest::collection::vec((any_kind(), 1_u8..=10), 0..60).prop_map(|images| {
            images.into_iter().enumerate().map(|(number, (kind, quality))| image(number, kind, quality)).collect()
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
        let made = proposal.generate.each().enumerate().map(|(index, kind)| image(1000 + index, kind, 10));
        set.iter().filter(|image| !is_gone(image, proposal)).cloned().chain(made).collect()
    }

    #[test]
    fn of_too_many_the_worst_goes_and_of_equals_the_newest() {
        let set: Vec<_> = [(1, 7), (2, 6), (3, 9), (4, 6)]
            .map(|(number, quality)| image(number, Kind::ColorStylized, quality))
            .into();
        let proposal = propose(&set, &policy(Scope::DeleteOnly));
        let gone: Vec<_> = proposal.delete.iter().map(|removal| removal.filename.as_str()).collect();
        assert_eq!(gone, ["a_4.jpg"]);
        assert_eq!(
            proposal.delete[0].reason,
            "One color_stylized image too many: 3 wanted, 4 good enough, and this one's quality of 6 is among the lowest."
        );
    }

    #[test]
    fn an_image_below_the_floor_goes_and_is_replaced() {
        let proposal = propose(&[image(1, Kind::BwStylized, 4)], &policy(Scope::All));
        assert_eq!(proposal.delete[0].reason, "Quality 4 of 10 is below the floor of 5. Seen.");
        assert_eq!(proposal.generate.bw_stylized, 4);
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
        fn no_image_goes_while_a_worse_one_of_its_kind_stays(set in any_set()) {
            let proposal = propose(&set, &policy(Scope::All));
            let gone = |image: &&Assessment| is_gone(image, &proposal);
            for kind in Kind::ALL {
                let of_kind = || set.iter().filter(move |image| image.kind == kind);
                let best_gone = of_kind().filter(gone).map(|image| image.quality).max();
                let worst_staying = of_kind().filter(|image| !gone(image)).map(|image| image.quality).min();
                prop_assert!(best_gone.zip(worst_staying).is_none_or(|(gone, staying)| gone <= staying));
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
