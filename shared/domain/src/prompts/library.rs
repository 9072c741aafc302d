//! A set of prompts from which plans draw.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use rand::Rng;
use rand::seq::SliceRandom;
use sha2::{Digest, Sha256};

use super::entry::{Entry, Outfit};
use super::file::{self, InvalidLibrary, Mode, Problem, PromptsFile};
use super::{OwnPrompt, Prompt};
use crate::coverage::Needs;
use crate::kind::{Kind, KindCounts};

/// The file of the built-in library, as `balancer prompts export` writes it.
pub const BUILT_IN_FILE: &str = include_str!("library.toml");

/// The digits of a revision: 48 bits tell the files of one user apart.
const REVISION_DIGITS: usize = 12;

/// The built-in prompts, or those of a user's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Library {
    prompts: Vec<Prompt>,
    outfits: Vec<String>,
    revision: Option<String>,
    warnings: Vec<Problem>,
}

/// The entries of the built-in library.
fn built_in_entries() -> &'static [Entry] {
    #[expect(clippy::expect_used, reason = "a constant file that every test of this module reads")]
    static ENTRIES: LazyLock<Vec<Entry>> =
        LazyLock::new(|| file::read(BUILT_IN_FILE.as_bytes()).expect("the built-in file is valid").entries);
    &ENTRIES
}

impl Library {
    /// The library of this version of the program.
    #[must_use]
    pub fn built_in() -> &'static Self {
        static LIBRARY: LazyLock<Library> = LazyLock::new(|| Library {
            prompts: built_in_entries().iter().map(|entry| entry.compose(Outfit::Keep)).collect(),
            outfits: Vec::new(),
            revision: None,
            warnings: Vec::new(),
        });
        &LIBRARY
    }

    /// The library of a user's file.
    ///
    /// # Errors
    /// If the file is unusable, with every problem that was found.
    pub fn read(bytes: &[u8]) -> Result<Self, InvalidLibrary> {
        let PromptsFile { mode, outfit, outfits, entries, warnings } = file::read(bytes)?;
        let is_replaced = |known: &Entry| entries.iter().any(|entry| entry.id == known.id);
        let kept = built_in_entries().iter().filter(|known| mode == Mode::Extend && !is_replaced(known));
        let prompts = kept.chain(&entries).map(|entry| entry.compose(outfit)).collect();
        Ok(Self { prompts, outfits, revision: Some(revision_of(bytes)), warnings })
    }

    /// Every prompt, in the order of the file.
    #[must_use]
    pub fn prompts(&self) -> &[Prompt] {
        &self.prompts
    }

    /// The prompts for a kind of image.
    pub fn of_kind(&self, kind: Kind) -> impl Iterator<Item = &Prompt> + Clone {
        self.prompts.iter().filter(move |prompt| prompt.kind == kind)
    }

    /// The number of prompts for each kind.
    #[must_use]
    pub fn counts(&self) -> KindCounts {
        KindCounts::tally(self.prompts.iter().map(|prompt| prompt.kind))
    }

    /// The prompt with this id; `None` if the library has none.
    #[must_use]
    pub fn by_id(&self, id: &str) -> Option<&Prompt> {
        self.prompts.iter().find(|prompt| prompt.id == id)
    }

    /// The outfits of prompts whose outfit varies.
    #[must_use]
    pub fn outfits(&self) -> &[String] {
        &self.outfits
    }

    /// The beginning of the file's SHA-256; `None` for the built-in library.
    #[must_use]
    pub fn revision(&self) -> Option<&str> {
        self.revision.as_deref()
    }

    /// What is probably not meant in the file, but doesn't make it unusable.
    #[must_use]
    pub fn warnings(&self) -> &[Problem] {
        &self.warnings
    }

    /// Why no set with this target can be generated; `None` if every wanted kind has a prompt.
    #[must_use]
    pub fn missing_kinds(&self, target: KindCounts) -> Option<String> {
        let has = self.counts();
        let missing = Kind::ALL.into_iter().filter(|&kind| target[kind] > 0 && has[kind] == 0);
        let missing: Vec<String> = missing
            .map(|kind| format!("it has no prompt of the kind {kind}, and the target has {}", target[kind]))
            .collect();
        (!missing.is_empty()).then(|| missing.join("; "))
    }

    /// The kinds whose prompts repeat in a set with this target, one sentence for each.
    #[must_use]
    pub fn shortages(&self, target: KindCounts) -> Vec<String> {
        let has = self.counts();
        let short = Kind::ALL.into_iter().filter(|&kind| (1..target[kind]).contains(&has[kind]));
        short
            .map(|kind| format!("{} of the kind {kind} for a target of {}, so they repeat", has[kind], target[kind]))
            .collect()
    }

    /// The prompts that differ from the built-in ones with their ids.
    pub fn own_prompts(&self) -> impl Iterator<Item = &Prompt> {
        self.prompts.iter().filter(|prompt| is_own(prompt))
    }

    /// A prompt as records keep it, in the outfit of this turn; `None` if it is built in, so that its id suffices.
    #[must_use]
    pub fn own(&self, prompt: &Prompt, turn: u32) -> Option<OwnPrompt> {
        let prompts_revision = self.revision.clone().filter(|_| is_own(prompt))?;
        Some(OwnPrompt { prompt: prompt.dressed(&self.outfits, turn), prompts_revision })
    }

    /// Draws `count` prompts of one kind: each time one whose framing and angle the set needs most, at random among
    /// equal ones. Adds the views of the drawn prompts to those that the set has.
    ///
    /// As long as unused prompts remain, the draw repeats none and omits those whose id is in `used`. After that it
    /// starts over with all prompts of the kind, and again repeats none until all have been drawn. A library without
    /// prompts of the kind gives none.
    pub fn draw(
        &self,
        kind: Kind,
        used: &BTreeSet<String>,
        count: usize,
        needs: &mut Needs,
        rng: &mut impl Rng,
    ) -> Vec<&Prompt> {
        let mut lap: Vec<_> = self.of_kind(kind).filter(|prompt| !used.contains(&prompt.id)).collect();
        lap.shuffle(rng);
        let mut drawn = Vec::with_capacity(count);
        while drawn.len() < count {
            if lap.is_empty() {
                lap = self.of_kind(kind).collect();
                lap.shuffle(rng);
            }
            let Some(prompt) = take_most_needed(&mut lap, needs) else { break };
            drawn.push(prompt);
        }
        drawn
    }
}

/// Whether a prompt differs from the built-in one with its id.
fn is_own(prompt: &Prompt) -> bool {
    Library::built_in().by_id(&prompt.id) != Some(prompt)
}

/// Takes the prompt with the most needed view, the last one among equals; `None` if there is no prompt.
fn take_most_needed<'a>(lap: &mut Vec<&'a Prompt>, needs: &mut Needs) -> Option<&'a Prompt> {
    let gain = |prompt: &Prompt| needs.gain(prompt.framing, prompt.angle);
    let (most_needed, _) = lap.iter().enumerate().max_by_key(|(_, prompt)| gain(prompt))?;
    let prompt = lap.remove(most_needed);
    needs.has.count(Some(prompt.framing), Some(prompt.angle));
    Some(prompt)
}

fn revision_of(bytes: &[u8]) -> String {
    let mut digits = crate::suspension::short(&Sha256::digest(bytes));
    digits.truncate(REVISION_DIGITS);
    digits
}
