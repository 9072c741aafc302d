//! The planner: a pure function from the assessments of a set to the changes that balance it.

mod reasons;
mod surplus;

use std::cmp::Reverse;

use serde::{Deserialize, Serialize};

use crate::assessment::Assessment;
use crate::coverage::{Coverage, Needs, ViewCounts};
use crate::kind::{Kind, KindCounts};
use crate::numbering::number_of;
use crate::target::Target;
use surplus::{Pool, to_delete};

/// The settings of the planner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// The target of the set.
    pub target: Target,
    /// The lowest quality that stays in the set.
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

/// The changes that balance a set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposal {
    /// The images to delete.
    pub delete: Vec<Removal>,
    /// The number of images of each kind to generate.
    pub generate: KindCounts,
    /// The number of images of each kind after both.
    pub result: KindCounts,
    /// The framings and angles of the set, and of the images that stay; `None` if all of them are unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coverage: Option<Coverage>,
}

/// An image to delete.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Removal {
    /// The image's file name.
    pub filename: String,
    /// The reason, as a sentence for the user.
    pub reason: String,
}

impl Proposal {
    /// Whether nothing must change.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.delete.is_empty() && self.generate.total() == 0
    }

    /// The proposal with `unassessed` images fewer to generate of each kind, because each unassessed image may be of a
    /// missing kind. The number of deletions doesn't change: no additional image saves another one from deletion.
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

/// Plans the changes that bring a set to its target.
///
/// A generated image of a different kind than requested is a failed slot and is deleted whatever its quality. Within
/// each kind, the planner deletes images below the quality floor; of the others, it deletes the surplus, generated
/// images before the user's own, as the module `surplus` describes. It then generates the missing images. Pinned images are never
/// deleted, whatever their quality or kind. With [`Scope::All`] the result is exactly the target, unless more images of a
/// kind are pinned than the target wants. The order of `set` has no effect.
#[must_use]
pub fn propose(set: &[Assessment], policy: &Policy) -> Proposal {
    let target = policy.target.counts();
    let kinds = Kind::ALL.map(|kind| OfKind::sorted(set, kind, policy));
    let surplus = match policy.scope {
        Scope::GenerateOnly => Vec::new(),
        Scope::All | Scope::DeleteOnly => surplus_of(&kinds, policy.target.view_counts()),
    };
    let mut delete = Vec::new();
    let mut generate = KindCounts::default();
    let mut result = KindCounts::default();
    for (kind, of_kind) in Kind::ALL.into_iter().zip(&kinds) {
        let removals = match policy.scope {
            Scope::GenerateOnly => Vec::new(),
            Scope::All | Scope::DeleteOnly => of_kind.removals(&surplus, policy.quality_floor),
        };
        let kept = of_kind.count() - u32::try_from(removals.len()).unwrap_or_default();
        generate[kind] = match policy.scope {
            Scope::DeleteOnly => 0,
            Scope::All | Scope::GenerateOnly => target[kind].saturating_sub(kept),
        };
        result[kind] = kept + generate[kind];
        delete.extend(removals);
    }
    let coverage = coverage(set, &delete, policy);
    Proposal { delete, generate, result, coverage }
}

/// The images of one kind, each part with the best image first.
struct OfKind<'a> {
    wanted: u32,
    /// Generated images of a different kind than requested.
    failed: Vec<&'a Assessment>,
    /// Images below the quality floor.
    poor: Vec<&'a Assessment>,
    good: Vec<&'a Assessment>,
}

impl<'a> OfKind<'a> {
    fn sorted(set: &'a [Assessment], kind: Kind, policy: &Policy) -> Self {
        let mut of_kind: Vec<_> = set.iter().filter(|image| image.kind == kind).collect();
        of_kind.sort_by_key(|image| rank(image));
        let (failed, sound): (Vec<_>, Vec<_>) =
            of_kind.into_iter().partition(|image| !image.pinned && image.missed_kind().is_some());
        let (good, poor) = sound.into_iter().partition(|image| image.pinned || image.quality >= policy.quality_floor);
        Self { wanted: policy.target.counts()[kind], failed, poor, good }
    }

    fn count(&self) -> u32 {
        u32::try_from(self.failed.len() + self.poor.len() + self.good.len()).unwrap_or(u32::MAX)
    }

    /// The unpinned generated images, or the unpinned ones of the user, of which some may be surplus.
    fn pool(&self, is_uploaded: bool) -> Pool<'a> {
        let unpinned = || self.good.iter().filter(|image| !image.pinned);
        let of_origin = |image: &&&Assessment| image.origin.is_uploaded() == is_uploaded;
        let images: Vec<_> = unpinned().filter(of_origin).copied().collect();
        let pinned = self.good.len() - unpinned().count();
        let others_first = if is_uploaded { unpinned().count() - images.len() } else { 0 };
        let excess = self.good.len() - self.good.len().min(pinned.max(self.wanted as usize));
        let surplus = excess.saturating_sub(others_first).min(images.len());
        Pool { images, surplus }
    }

    /// The deletions of the kind, if these images of all kinds are surplus.
    fn removals(&self, surplus: &[&Assessment], quality_floor: u8) -> Vec<Removal> {
        let is_surplus = |image: &&Assessment| surplus.iter().any(|other| other.filename == image.filename);
        let (surplus, kept): (Vec<&Assessment>, Vec<_>) = self.good.iter().copied().partition(is_surplus);
        let removal = |image: &Assessment, reason| Removal { filename: image.filename.clone(), reason };
        let of_surplus =
            surplus.iter().map(|image| removal(image, reasons::surplus(image, &kept, &surplus, self.wanted)));
        let failed = self.failed.iter().map(|image| removal(image, reasons::another_kind(image)));
        let poor = self.poor.iter().map(|image| removal(image, reasons::poor(image, quality_floor)));
        of_surplus.chain(failed).chain(poor).collect()
    }
}

/// The good images of all kinds that are too many. Which of the user's own images these are doesn't depend on generated
/// images, because a generated image must not displace an uploaded one.
fn surplus_of<'a>(kinds: &[OfKind<'a>], wanted: ViewCounts) -> Vec<&'a Assessment> {
    let views = |is_counted: fn(&Assessment) -> bool| {
        let good = kinds.iter().flat_map(|of_kind| &of_kind.good).copied();
        ViewCounts::tally(good.filter(|image| is_counted(image)).map(|image| &image.content))
    };
    let pools = |is_uploaded| kinds.iter().map(|of_kind| of_kind.pool(is_uploaded)).collect();
    let mut needs = Needs { has: views(|image| image.pinned || image.origin.is_uploaded()), wanted };
    let uploaded = to_delete(pools(true), &mut needs);
    needs.has = needs.has + views(|image| !image.pinned && !image.origin.is_uploaded());
    let generated = to_delete(pools(false), &mut needs);
    [uploaded, generated].concat()
}

/// The coverage of the set now, and without the deleted images.
fn coverage(set: &[Assessment], delete: &[Removal], policy: &Policy) -> Option<Coverage> {
    let stays = |image: &&Assessment| delete.iter().all(|removal| removal.filename != image.filename);
    let views = |images: &mut dyn Iterator<Item = &Assessment>| ViewCounts::tally(images.map(|image| &image.content));
    let (before, after) = (views(&mut set.iter()), views(&mut set.iter().filter(stays)));
    Coverage { wanted: policy.target.view_counts(), before, after }.known()
}

/// The sort key that puts images to keep before images to delete.
pub(crate) fn rank(image: &Assessment) -> impl Ord + use<'_> {
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
mod tests;
