//! Slots: the images that a plan generates, with their prompts and seeds.

use std::borrow::Cow;
use std::collections::BTreeSet;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::actor::ActorId;
use super::coverage::{Needs, ViewCounts};
use super::kind::{Kind, KindCounts};
use super::lifecycle::slot::SlotProgress;
use super::plan::Plan;
use super::prompts::{Library, OwnPrompt, Prompt};

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

/// A prompt of the slot's kind that replaces a rejected one. It is none of `used` while there are others, and has the
/// view of the slot's `first` prompt if there is one with that view.
#[must_use]
pub fn redraw_prompt<'a>(
    library: &'a Library,
    plan_id: &str,
    slot: &Slot,
    first: Option<&Prompt>,
    attempt: u32,
    used: &BTreeSet<String>,
) -> Option<&'a Prompt> {
    let seed = Sha256::digest(format!("{plan_id}/{}/{attempt}", slot.slot_id)).into();
    let mut needs = Needs { wanted: views_of(first), ..Needs::default() };
    library.draw(slot.kind, used, 1, &mut needs, &mut ChaCha8Rng::from_seed(seed)).pop()
}

/// The slots of a plan that generates these images. The plan's id is the seed of the random prompts. No prompt is one
/// of `used_prompts` or that of another slot while there are others. The prompts ask for the views that the set
/// needs, as far as the library has unused ones. A kind without prompts gets no slots.
#[must_use]
pub fn draw_slots(
    library: &Library,
    actor: &ActorId,
    plan_id: &str,
    generate: KindCounts,
    used_prompts: &BTreeSet<String>,
    mut needs: Needs,
) -> Vec<Slot> {
    let mut random = ChaCha8Rng::from_seed(Sha256::digest(plan_id).into());
    let draw = |kind| library.draw(kind, used_prompts, generate[kind] as usize, &mut needs, &mut random);
    (1..)
        .zip(Kind::ALL.into_iter().flat_map(draw))
        .map(|(number, prompt)| {
            let slot_id = format!("{number:03}");
            let seed = seed_of(actor, plan_id, &slot_id);
            Slot { slot_id, kind: prompt.kind, prompt_id: prompt.id.clone(), seed }
        })
        .collect()
}

/// The framings and angles that prompts ask for.
#[must_use]
pub fn views_of<'a>(prompts: impl IntoIterator<Item = &'a Prompt>) -> ViewCounts {
    let mut views = ViewCounts::default();
    for prompt in prompts {
        views.count(Some(prompt.framing), Some(prompt.angle));
    }
    views
}

/// The prompt that an image is made with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlotPrompt<'a> {
    /// In its outfit.
    pub prompt: Cow<'a, Prompt>,
    /// The revision of the library that it comes from; `None` if it is built in.
    pub revision: Option<&'a str>,
}

impl Plan {
    /// The prompt that a slot is made with now; `None` if another version of the program made the plan, with a prompt
    /// that this version lacks.
    #[must_use]
    pub fn prompt_of<'a>(&'a self, slot: &Slot, progress: &'a SlotProgress) -> Option<SlotPrompt<'a>> {
        if let Some(OwnPrompt { prompt, prompts_revision }) = &progress.own_prompt {
            return Some(SlotPrompt { prompt: Cow::Borrowed(prompt), revision: Some(prompts_revision) });
        }
        match &progress.prompt_id {
            Some(redrawn) => built_in(redrawn),
            None => self.first_prompt_of(slot),
        }
    }

    /// The prompt of the slot's first attempt.
    #[must_use]
    pub fn first_prompt_of(&self, slot: &Slot) -> Option<SlotPrompt<'_>> {
        let Some(own) = self.own_prompts.iter().find(|prompt| prompt.id == slot.prompt_id) else {
            return built_in(&slot.prompt_id);
        };
        let prompt = Cow::Owned(own.dressed(&self.outfits, self.outfit_turn(slot)));
        Some(SlotPrompt { prompt, revision: self.prompts_revision.as_deref() })
    }

    /// Which of the outfits a slot gets, modulo their number. Neighbouring slots get different ones, so that a plan wears
    /// all of them equally often; another plan begins with another one.
    #[must_use]
    pub fn outfit_turn(&self, slot: &Slot) -> u32 {
        let number: u32 = slot.slot_id.parse().unwrap_or_default();
        seed_from(&self.plan_id).wrapping_add(number)
    }

    /// Adds what the slots need of a library that is not built in.
    #[must_use]
    pub fn with_prompts_of(self, library: &Library) -> Self {
        let is_drawn = |prompt: &&Prompt| self.slots.iter().any(|slot| slot.prompt_id == prompt.id);
        let own_prompts: Vec<Prompt> = library.own_prompts().filter(is_drawn).cloned().collect();
        let outfits = if own_prompts.iter().any(Prompt::varies_outfit) { library.outfits() } else { &[] };
        let revision = library.revision().filter(|_| !self.slots.is_empty());
        Self { prompts_revision: revision.map(str::to_owned), outfits: outfits.to_vec(), own_prompts, ..self }
    }
}

fn built_in(id: &str) -> Option<SlotPrompt<'static>> {
    let prompt = Library::built_in().by_id(id)?;
    Some(SlotPrompt { prompt: Cow::Borrowed(prompt), revision: None })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::coverage::ViewShares;

    #[test]
    fn every_prediction_of_every_actor_has_its_own_seed() {
        let mut seeds = Vec::new();
        for actor in ["hero", "villain"] {
            let actor: ActorId = actor.parse().unwrap();
            let generate = KindCounts { photorealistic: 5, bw_stylized: 5, color_stylized: 5 };
            let slots =
                draw_slots(Library::built_in(), &actor, "manual-batch-1", generate, &BTreeSet::new(), Needs::default());
            let creations = (0..3).flat_map(|attempt| (0..4).map(move |interruptions| (attempt, interruptions)));
            for slot in slots {
                let seed = |(attempt, interruptions)| slot.seed_of(&actor, "manual-batch-1", attempt, interruptions);
                seeds.extend(creations.clone().map(seed));
            }
        }
        assert_eq!(seeds.iter().collect::<BTreeSet<_>>().len(), 2 * 15 * 3 * 4);
    }

    #[test]
    fn redrawn_prompt_keeps_the_view() {
        let library = Library::built_in();
        let rejected = library.by_id("photo-forest-dawn").unwrap();
        let slot = Slot { slot_id: "001".to_owned(), kind: rejected.kind, prompt_id: rejected.id.clone(), seed: 1 };
        for attempt in 1..20 {
            let used = BTreeSet::from([rejected.id.clone()]);
            let other = redraw_prompt(library, "p", &slot, Some(rejected), attempt, &used).unwrap();
            assert_eq!((other.framing, other.angle), (rejected.framing, rejected.angle), "{}", other.id);
        }
    }

    #[test]
    fn slots_fill_what_the_set_lacks() {
        let actor: ActorId = "hero".parse().unwrap();
        let generate = KindCounts { photorealistic: 3, bw_stylized: 2, color_stylized: 2 };
        let kept = ViewCounts { framing: [2, 8, 3, 0], angle: [4, 6, 3, 0] };
        let needs = ViewShares::default().needs(kept, generate.total());
        for plan_id in ["a", "b", "c"] {
            let slots = draw_slots(Library::built_in(), &actor, plan_id, generate, &BTreeSet::new(), needs);
            let prompts = slots.iter().filter_map(|slot| Library::built_in().by_id(&slot.prompt_id));
            let has = kept + views_of(prompts);
            assert!(Needs { has, ..needs }.shortfall() * 10 < needs.shortfall(), "{plan_id}: {has:?}");
        }
    }
}
