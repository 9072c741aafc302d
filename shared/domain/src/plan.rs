//! Plans: what the planner has proposed, with an id, prompts and progress.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::coverage::Coverage;
use super::kind::KindCounts;
pub use super::lifecycle::plan::PlanState;
use super::money::MicroUsd;
use super::planner::Scope;
use super::prompts::Prompt;
use super::slot::Slot;

/// A plan and its progress.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The id of an evaluation's plan begins with the time, that of a manual one with [`MANUAL`].
    pub plan_id: String,
    /// When it was created.
    pub created_at: Timestamp,
    /// What requested it.
    pub origin: Origin,
    /// The round, from 1.
    pub round: u32,
    /// What it may do.
    pub scope: Scope,
    /// The numbers of images before the plan.
    pub before: KindCounts,
    /// The numbers of images after it.
    pub result: KindCounts,
    /// The framings and angles before the plan and after it; `None` if the vision model reports none, and in a manual plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coverage: Option<Coverage>,
    /// The images to delete.
    pub delete: Vec<PlannedDeletion>,
    /// The images to generate.
    pub slots: Vec<Slot>,
    /// Remarks about files that need the operator's attention.
    pub notes: Vec<Note>,
    /// The number of the generation batch of its images; `None` if it generates none.
    pub generation_id: Option<u32>,
    /// The state; as stored until [`Plan::observed`].
    pub state: PlanState,
    /// The number of unfinished pieces of work: all deletions together are one, each slot is one.
    pub remaining: u32,
    /// The number of images deleted so far.
    pub deleted: u32,
    /// The number of images generated so far.
    pub generated: u32,
    /// The money spent on its images or reserved for them.
    #[serde(default)]
    pub committed: MicroUsd,
    /// The money spent on its images.
    #[serde(default)]
    pub spent: MicroUsd,
    /// The cost of assessing the set.
    #[serde(default)]
    pub vision_cost: MicroUsd,
    /// Prompts that replace rejected ones.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub redrawn_prompts: BTreeSet<String>,
    /// The revision of the prompts file that the slots' prompts were drawn from; `None` for the built-in prompts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompts_revision: Option<String>,
    /// The prompts of slots that are not built in. They are kept, so that an edited file doesn't change the images.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub own_prompts: Vec<Prompt>,
    /// The outfits that the slots get in turn, if their prompts vary them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outfits: Vec<String>,
    /// The `request_id` of the dry run that it answers, if the request had one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// Why it could not run. Only dry runs have this field; no other plan with an obstacle is stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub obstacle: Option<String>,
}

/// The origin of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// An evaluation found the set out of balance.
    Evaluation,
    /// A manual request for images.
    Manual,
}

/// An image to delete.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedDeletion {
    /// The image's file name.
    pub filename: String,
    /// The assessed version of the object; any other version stays.
    pub etag: String,
    /// The reason, as a sentence for the operator.
    pub reason: String,
}

/// A remark about a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// The file.
    pub filename: String,
    /// The remark, with what to do about it.
    pub remark: String,
}

impl Note {
    /// No vision model could assess the image.
    #[must_use]
    pub fn unassessed(filename: &str, reason: &str) -> Self {
        Self {
            filename: filename.to_owned(),
            remark: format!("not assessed: {reason}; it stays and counts as no kind"),
        }
    }
}

impl Plan {
    /// An adopted plan without any work.
    #[must_use]
    pub fn empty(plan_id: String, created_at: Timestamp, origin: Origin) -> Self {
        Self {
            plan_id,
            created_at,
            origin,
            round: 0,
            scope: Scope::All,
            before: KindCounts::default(),
            result: KindCounts::default(),
            coverage: None,
            delete: Vec::new(),
            slots: Vec::new(),
            notes: Vec::new(),
            generation_id: None,
            state: PlanState::Adopted,
            remaining: 0,
            deleted: 0,
            generated: 0,
            committed: MicroUsd::ZERO,
            spent: MicroUsd::ZERO,
            vision_cost: MicroUsd::ZERO,
            redrawn_prompts: BTreeSet::new(),
            prompts_revision: None,
            own_prompts: Vec::new(),
            outfits: Vec::new(),
            request_id: None,
            obstacle: None,
        }
    }

    /// Whether the plan deletes more than this share of the known images: then it needs the operator's approval.
    #[must_use]
    pub fn deletes_more_than(&self, percent: u8) -> bool {
        self.delete.len() as u64 * 100 > u64::from(percent) * u64::from(self.before.total())
    }

    /// The share of the known images that it deletes, in percent, rounded up.
    #[must_use]
    pub fn deleted_percent(&self) -> usize {
        (self.delete.len() * 100).div_ceil((self.before.total() as usize).max(1))
    }

    /// The slot with this id.
    #[must_use]
    pub fn slot(&self, slot_id: &str) -> Option<&Slot> {
        self.slots.iter().find(|slot| slot.slot_id == slot_id)
    }

    /// The number of its pieces of work.
    #[must_use]
    pub fn pieces_of_work(&self) -> u32 {
        u32::from(!self.delete.is_empty()) + u32::try_from(self.slots.len()).unwrap_or(u32::MAX)
    }

    /// The plan as it was read from the table: completed if no work remains.
    #[must_use]
    pub fn observed(self) -> Self {
        Self { state: self.state.observed(self.remaining), ..self }
    }

    /// Whether it has unfinished work that handlers carry out.
    #[must_use]
    pub fn is_under_way(&self) -> bool {
        self.state.is_under_way()
    }
}

/// The beginning of the ids of manual plans and deletions.
pub const MANUAL: &str = "manual-";

/// The id of a plan that an evaluation creates at `now` for the request `request_id`.
#[must_use]
pub fn plan_id(now: Timestamp, request_id: &str) -> String {
    let digest = Sha256::digest(request_id);
    let mark = format!("{:02x}{:02x}{:02x}", digest[0], digest[1], digest[2]);
    format!("{}-{mark}", now.strftime("%Y%m%dT%H%M%S%3fZ"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deleting(deleted: usize, all: u32) -> Plan {
        let deletion = |number| PlannedDeletion {
            filename: format!("a_{number}.jpg"),
            etag: String::new(),
            reason: String::new(),
        };
        Plan {
            before: KindCounts { photorealistic: all, ..KindCounts::default() },
            delete: (0..deleted).map(deletion).collect(),
            ..Plan::empty("p".to_owned(), Timestamp::UNIX_EPOCH, Origin::Evaluation)
        }
    }

    #[test]
    fn exactly_the_allowed_share_needs_no_approval() {
        for (deleted, all, percent, is_too_much) in [
            (10, 20, 50, false),
            (11, 20, 50, true),
            (1, 3, 33, true),
            (1, 3, 34, false),
            (0, 0, 0, false),
            (1, 9, 0, true),
            (9, 9, 100, false),
        ] {
            let plan = deleting(deleted, all);
            assert_eq!(plan.deletes_more_than(percent), is_too_much, "{deleted} of {all}, {percent} %");
        }
        assert_eq!((deleting(8, 11).deleted_percent(), deleting(0, 0).deleted_percent()), (73, 0));
    }
}
