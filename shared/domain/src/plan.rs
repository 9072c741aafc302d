//! A plan that is carried out: what the planner proposed, made definite.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::actor::ActorId;
use super::kind::{Kind, KindCounts};
pub use super::lifecycle::plan::PlanState;
use super::money::MicroUsd;
use super::planner::Scope;
use super::prompts::{self, Prompt};

/// A plan and how far it has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Its name; sorts by time.
    pub plan_id: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// Who wanted it.
    pub origin: Origin,
    /// The round, from 1.
    pub round: u32,
    /// What it may do.
    pub scope: Scope,
    /// The set as it was found.
    pub before: KindCounts,
    /// The set as it will be.
    pub result: KindCounts,
    /// The images that go.
    pub delete: Vec<PlannedDeletion>,
    /// The images to make.
    pub slots: Vec<Slot>,
    /// What is odd about the set, one remark for each file.
    pub notes: Vec<Note>,
    /// The generation that the new images form.
    pub generation_id: Option<u32>,
    /// The state; as stored until [`Plan::observed`].
    pub state: PlanState,
    /// Unfinished pieces of work: the deletions together are one, each slot is one.
    pub remaining: u32,
    /// Images deleted.
    pub deleted: u32,
    /// Images made.
    pub generated: u32,
    /// What its images cost, or may cost yet: spent or set aside.
    #[serde(default)]
    pub committed: MicroUsd,
    /// What its images have cost.
    #[serde(default)]
    pub spent: MicroUsd,
    /// What judging the set cost.
    #[serde(default)]
    pub vision_cost: MicroUsd,
    /// Prompts drawn in place of others that were found improper.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub redrawn_prompts: BTreeSet<String>,
    /// The request that it answers, if that request has a name and asked for a dry run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// Why it could not be carried out. Only a dry run has this field; no other plan with an obstacle is stored.
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
    #[serde(rename = "by_hand")]
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

/// An image to generate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slot {
    /// Its name within the plan.
    pub slot_id: String,
    /// The requested kind.
    pub kind: Kind,
    /// The prompt of the first attempt.
    pub prompt_id: String,
    /// The seed of the first attempt, derived from the actor, the plan and the slot, so that a repetition generates the same image.
    pub seed: u32,
}

/// A remark about a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// The file.
    pub filename: String,
    /// The remark, with what to do about it.
    pub remark: String,
}

impl Slot {
    /// The seed of a creation. It differs for each attempt, because the same seed would fail in the same way, and for
    /// each creation that the service did not finish, because a lost creation is found by its seed and must not be
    /// mistaken for an earlier one.
    #[must_use]
    pub fn seed_of(&self, actor: &ActorId, plan_id: &str, attempt: u32, interruptions: u32) -> u32 {
        match (attempt, interruptions) {
            (0, 0) => self.seed,
            (_, 0) => seed_from(&format!("{actor}/{plan_id}/{}/{attempt}", self.slot_id)),
            _ => seed_from(&format!("{actor}/{plan_id}/{}/{attempt}/{interruptions}", self.slot_id)),
        }
    }
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
    /// An adopted plan with nothing in it yet.
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

    /// The slot of this name.
    #[must_use]
    pub fn slot(&self, slot_id: &str) -> Option<&Slot> {
        self.slots.iter().find(|slot| slot.slot_id == slot_id)
    }

    /// How many pieces of work a plan is.
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

/// How the names of plans and deletions begin that were asked for by hand.
pub const MANUAL: &str = "by-hand-";

/// The name of a plan made at `now` for the message `message_id`.
#[must_use]
pub fn plan_id(now: Timestamp, message_id: &str) -> String {
    format!("{}{}", now.strftime("%Y%m%dT%H%M%S%3fZ"), mark_of(message_id))
}

/// Whether a plan was made for this message, which is delivered once more.
#[must_use]
pub fn is_made_for(plan_id: &str, message_id: &str) -> bool {
    plan_id.ends_with(&mark_of(message_id))
}

fn mark_of(message_id: &str) -> String {
    let digest = Sha256::digest(message_id);
    format!("-{:02x}{:02x}{:02x}", digest[0], digest[1], digest[2])
}

/// The seed of a slot: 31 bits, since generators take a positive 32-bit number. A lost prediction is found by its seed, and
/// requests for two actors may have the same id, so the actor is part of it.
fn seed_of(actor: &ActorId, plan_id: &str, slot_id: &str) -> u32 {
    seed_from(&format!("{actor}/{plan_id}/{slot_id}"))
}

fn seed_from(text: &str) -> u32 {
    let digest = Sha256::digest(text);
    u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]]) >> 1
}

/// Another prompt of a slot's kind, in place of one that was found improper: none of `used` while there are others.
#[must_use]
pub fn redraw(plan_id: &str, slot: &Slot, attempt: u32, used: &BTreeSet<String>) -> Option<&'static Prompt> {
    use rand::SeedableRng;
    let seed = Sha256::digest(format!("{plan_id}/{}/{attempt}", slot.slot_id)).into();
    prompts::draw(slot.kind, used, 1, &mut rand_chacha::ChaCha8Rng::from_seed(seed)).pop()
}

/// The slots for the images to make, each with a prompt drawn by chance (seeded by the plan's name) that neither
/// the set nor another slot uses, while there are any.
#[must_use]
pub fn slots(actor: &ActorId, plan_id: &str, generate: KindCounts, used_prompts: &BTreeSet<String>) -> Vec<Slot> {
    use rand::SeedableRng;
    let mut random = rand_chacha::ChaCha8Rng::from_seed(Sha256::digest(plan_id).into());
    let drawn =
        Kind::ALL.into_iter().flat_map(|kind| prompts::draw(kind, used_prompts, generate[kind] as usize, &mut random));
    (1..)
        .zip(drawn)
        .map(|(number, prompt)| {
            let slot_id = format!("{number:03}");
            let seed = seed_of(actor, plan_id, &slot_id);
            Slot { slot_id, kind: prompt.kind, prompt_id: prompt.id.to_owned(), seed }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deleting(going: usize, all: u32) -> Plan {
        let deletion = |number| PlannedDeletion {
            filename: format!("a_{number}.jpg"),
            etag: String::new(),
            reason: String::new(),
        };
        Plan {
            before: KindCounts { photorealistic: all, ..KindCounts::default() },
            delete: (0..going).map(deletion).collect(),
            ..Plan::empty("p".to_owned(), Timestamp::UNIX_EPOCH, Origin::Evaluation)
        }
    }

    #[test]
    fn exactly_the_share_is_allowed_and_one_image_more_is_not() {
        for (going, all, percent, is_too_much) in [
            (10, 20, 50, false),
            (11, 20, 50, true),
            (1, 3, 33, true),
            (1, 3, 34, false),
            (0, 0, 0, false),
            (1, 9, 0, true),
            (9, 9, 100, false),
        ] {
            let plan = deleting(going, all);
            assert_eq!(plan.deletes_more_than(percent), is_too_much, "{going} of {all}, {percent} %");
        }
        assert_eq!((deleting(8, 11).deleted_percent(), deleting(0, 0).deleted_percent()), (73, 0));
    }

    #[test]
    fn no_two_images_are_asked_for_with_one_seed_though_two_actors_requests_bear_one_name() {
        let mut seeds = Vec::new();
        for actor in ["hero", "villain"] {
            let actor: ActorId = actor.parse().unwrap();
            let generate = KindCounts { photorealistic: 5, bw_stylized: 5, color_stylized: 5 };
            let slots = slots(&actor, "by-hand-batch-1", generate, &BTreeSet::new());
            let creations = (0..3).flat_map(|attempt| (0..4).map(move |interruptions| (attempt, interruptions)));
            for slot in slots {
                let seed = |(attempt, interruptions)| slot.seed_of(&actor, "by-hand-batch-1", attempt, interruptions);
                seeds.extend(creations.clone().map(seed));
            }
        }
        assert_eq!(seeds.iter().collect::<BTreeSet<_>>().len(), 2 * 15 * 3 * 4);
    }
}
