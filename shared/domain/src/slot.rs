//! Slots: the images that a plan generates, with their prompts and seeds.

use std::collections::BTreeSet;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::actor::ActorId;
use super::kind::{Kind, KindCounts};
use super::prompts::{self, Prompt};

/// An image to generate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slot {
    /// Its number within the plan, from `001`.
    pub slot_id: String,
    /// The requested kind.
    pub kind: Kind,
    /// The prompt of the first attempt.
    pub prompt_id: String,
    /// The seed of the first attempt. It is derived from the actor, the plan and the slot, so that a repetition
    /// generates the same image.
    pub seed: u32,
}

impl Slot {
    /// The seed of a prediction. It differs for each attempt, because the same seed would fail in the same way, and for
    /// each prediction that the service did not finish: a lost prediction is found by its seed, and must not be mistaken
    /// for an earlier one.
    #[must_use]
    pub fn seed_of(&self, actor: &ActorId, plan_id: &str, attempt: u32, interruptions: u32) -> u32 {
        match (attempt, interruptions) {
            (0, 0) => self.seed,
            (_, 0) => seed_from(&format!("{actor}/{plan_id}/{}/{attempt}", self.slot_id)),
            _ => seed_from(&format!("{actor}/{plan_id}/{}/{attempt}/{interruptions}", self.slot_id)),
        }
    }
}

/// The seed of a slot: 31 bits, since generators take a positive 32-bit number. A lost prediction is found by its seed,
/// and requests for two actors may have the same id, so the actor is part of it.
fn seed_of(actor: &ActorId, plan_id: &str, slot_id: &str) -> u32 {
    seed_from(&format!("{actor}/{plan_id}/{slot_id}"))
}

fn seed_from(text: &str) -> u32 {
    let digest = Sha256::digest(text);
    u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]]) >> 1
}

/// A prompt of the slot's kind that replaces a rejected one. It is none of `used` while there are others.
#[must_use]
pub fn redraw_prompt(plan_id: &str, slot: &Slot, attempt: u32, used: &BTreeSet<String>) -> Option<&'static Prompt> {
    let seed = Sha256::digest(format!("{plan_id}/{}/{attempt}", slot.slot_id)).into();
    prompts::draw(slot.kind, used, 1, &mut ChaCha8Rng::from_seed(seed)).pop()
}

/// The slots of a plan that generates these images. The plan's id is the seed of the random prompts. No prompt is one
/// of `used_prompts` or that of another slot while there are others.
#[must_use]
pub fn draw_slots(actor: &ActorId, plan_id: &str, generate: KindCounts, used_prompts: &BTreeSet<String>) -> Vec<Slot> {
    let mut random = ChaCha8Rng::from_seed(Sha256::digest(plan_id).into());
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

    #[test]
    fn every_prediction_of_every_actor_has_its_own_seed() {
        let mut seeds = Vec::new();
        for actor in ["hero", "villain"] {
            let actor: ActorId = actor.parse().unwrap();
            let generate = KindCounts { photorealistic: 5, bw_stylized: 5, color_stylized: 5 };
            let slots = draw_slots(&actor, "manual-batch-1", generate, &BTreeSet::new());
            let creations = (0..3).flat_map(|attempt| (0..4).map(move |interruptions| (attempt, interruptions)));
            for slot in slots {
                let seed = |(attempt, interruptions)| slot.seed_of(&actor, "manual-batch-1", attempt, interruptions);
                seeds.extend(creations.clone().map(seed));
            }
        }
        assert_eq!(seeds.iter().collect::<BTreeSet<_>>().len(), 2 * 15 * 3 * 4);
    }
}
