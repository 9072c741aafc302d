//! The planner: a pure function from the assessments of a set to the changes that balance it.

mod reasons;

use std::cmp::Reverse;

use serde::{Deserialize, Serialize};

use crate::assessment::Assessment;
use crate::kind::{Kind, KindCounts};
use crate::numbering::number_of;
use crate::target::Target;

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
    /// missing kind. The deletions don't change: no additional image saves another one from deletion.
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
        let kept = present - u32::try_from(removals.len()).unwrap_or(present);
        generate[kind] = match policy.scope {
            Scope::DeleteOnly => 0,
            Scope::All | Scope::GenerateOnly => target[kind].saturating_sub(kept),
        };
        result[kind] = kept + generate[kind];
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
    let (kept, surplus) = good.split_at(good.len().min(pinned.max(wanted as usize)));
    let removal = |image: &Assessment, reason| Removal { filename: image.filename.clone(), reason };
    let surplus = surplus.iter().map(|image| removal(image, reasons::surplus(image, kept, surplus, wanted)));
    let failed = failed.iter().map(|image| removal(image, reasons::another_kind(image)));
    let poor = poor.iter().map(|image| removal(image, reasons::poor(image, quality_floor)));
    surplus.chain(failed).chain(poor).collect()
}

/// The sort key that puts images to keep before images to delete.
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
mod tests;
