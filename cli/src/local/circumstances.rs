//! The inputs of a suspension other than the images of the set: the settings of the run, the base image, and the
//! actor's settings and prompts. If any of them changes, the next run retries the set.

use std::collections::BTreeMap;

use domain::settings;
use domain::status::Status;
use domain::suspension::{Suspension, short};
use handlers::Clock;
use local_stack::may_be_secret;
use sha2::{Digest, Sha256};

use super::actor_files::ActorFiles;

/// Parameters of the stack that don't affect the outcome of a set.
const IRRELEVANT: [&str; 5] =
    ["Architecture", "AutomaticBalancing", "GeneratorConcurrency", "KeyPrefix", "LocalDataDir"];

/// The digest of outdated circumstances; it equals the digest of no run.
const OUTDATED: &str = "outdated";

/// The settings of a run.
pub struct Settings {
    /// Everything that affects the outcome of a set.
    text: String,
    /// The target and the rules.
    pub of_stack: settings::Settings,
}

impl Settings {
    /// The settings of a stack with these parameters, and with this file of prompts, if it has one. Keys have no effect on a
    /// set, and not even their digest may be stored.
    pub fn of(parameters: &BTreeMap<String, String>, prompts: Option<&[u8]>, of_stack: settings::Settings) -> Self {
        let matters = |name: &str| !IRRELEVANT.contains(&name) && !may_be_secret(name);
        let settings = parameters.iter().filter(|(name, _)| matters(name));
        let settings = settings.map(|(name, value)| format!("{name}={value}\n")).collect::<String>();
        let prompts = format!("prompts={}", digest(prompts));
        let text = concat!(env!("CARGO_PKG_VERSION"), "\n").to_owned() + &settings + &prompts;
        Self { text, of_stack }
    }
}

/// The circumstances of one actor's set in this run.
pub struct Circumstances {
    clock: Clock,
    settings: String,
    /// The target and the rules, for actors whose `actor.json` states no others.
    pub of_stack: settings::Settings,
    base_image: String,
    /// The digest of each of the actor's [`OWN_FILES`](super::data_folder::OWN_FILES).
    own_files: BTreeMap<&'static str, String>,
    /// The last suspension to which [`Self::complete`] has added the circumstances.
    completed: Option<Suspension>,
}

impl Circumstances {
    /// The circumstances of an actor whose files the run has read.
    pub fn new(settings: &Settings, files: &ActorFiles, clock: Clock) -> Self {
        let base_image = files.base_image.as_ref().map(|image| image.bytes.as_slice());
        Self {
            clock,
            settings: settings.text.clone(),
            of_stack: settings.of_stack,
            base_image: digest(base_image),
            own_files: files.own_files.iter().map(|(&name, bytes)| (name, digest(Some(bytes)))).collect(),
            completed: None,
        }
    }

    /// Records that the base image has been replaced.
    pub fn set_base_image(&mut self, bytes: &[u8]) {
        self.base_image = digest(Some(bytes));
        self.outdate();
    }

    /// Records that a file has been replaced or removed.
    pub fn set_own_file(&mut self, name: &'static str, bytes: Option<&[u8]>) {
        self.own_files.remove(name);
        self.own_files.extend(bytes.map(|bytes| (name, digest(Some(bytes)))));
        self.outdate();
    }

    /// Continues a killed run, which has recorded this suspension in the manifest.
    pub fn recall(&mut self, suspension: Option<&Suspension>) {
        self.completed = suspension.filter(|suspension| suspension.circumstances.is_some()).cloned();
    }

    /// Marks the completed suspension, which the table contains until the next evaluation ends. It is based on other
    /// circumstances, so the next run must retry the set.
    fn outdate(&mut self) {
        if let Some(completed) = &mut self.completed {
            completed.circumstances = Some(OUTDATED.to_owned());
        }
    }

    /// Adds the circumstances to a suspension by this run. A suspension by an earlier run keeps its own, and a parked
    /// set keeps the day on which it was parked.
    pub fn complete(&mut self, suspension: &mut Suspension) {
        if suspension.circumstances.is_some() {
            return;
        }
        let is_completed = |known: &&Suspension| Suspension { circumstances: None, ..(*known).clone() } == *suspension;
        if let Some(known) = self.completed.as_ref().filter(is_completed) {
            suspension.circumstances.clone_from(&known.circumstances);
            return;
        }
        suspension.circumstances = Some(self.digest(suspension.status));
        self.completed = Some(suspension.clone());
    }

    /// Whether they are the same as when the set was suspended.
    pub fn are_those_of(&self, suspension: &Suspension) -> bool {
        suspension.circumstances.as_ref() == Some(&self.digest(suspension.status))
    }

    /// For a parked set, the digest includes the day, because a new day renews the budget.
    fn digest(&self, status: Status) -> String {
        let mut all = Sha256::new_with_prefix(&self.settings);
        if status == Status::Parked {
            all.update(self.clock.today().to_string());
        }
        all.update(&self.base_image);
        for (name, content) in &self.own_files {
            all.update(format!("{name}={content}\n"));
        }
        short(&all.finalize())
    }
}

fn digest(file: Option<&[u8]>) -> String {
    file.map_or_else(|| "none\n".to_owned(), |bytes| short(&Sha256::digest(bytes)))
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use jiff::Timestamp;

    use super::*;
    use crate::local::data_folder::OWN_FILES;

    fn suspended(status: Status) -> Suspension {
        Suspension {
            status,
            reason: "After 3 rounds …".to_owned(),
            rounds: 3,
            images: "f".to_owned(),
            policy: None,
            circumstances: None,
        }
    }

    /// Circumstances on a day that the test can change.
    fn circumstances() -> (Circumstances, Arc<Mutex<Timestamp>>) {
        let day = Arc::new(Mutex::new("2026-03-20T23:59:59Z".parse().unwrap()));
        let today = Arc::clone(&day);
        let circumstances = Circumstances {
            clock: Clock::telling(move || *today.lock().unwrap()),
            settings: "TargetTotal=20\n".to_owned(),
            of_stack: settings::Settings::default(),
            base_image: digest(Some(b"face")),
            own_files: BTreeMap::new(),
            completed: None,
        };
        (circumstances, day)
    }

    #[test]
    fn new_base_image_settings_or_prompts_are_a_change() {
        let (mut circumstances, _day) = circumstances();
        let mut suspension = suspended(Status::NeedsAttention);
        circumstances.complete(&mut suspension);
        assert!(circumstances.are_those_of(&suspension));
        circumstances.set_base_image(b"another face");
        assert!(!circumstances.are_those_of(&suspension));
        let mut again = suspended(Status::NeedsAttention);
        circumstances.complete(&mut again);
        assert!(!circumstances.are_those_of(&again), "the suspension is based on the earlier image");
        circumstances.set_base_image(b"face");
        assert!(circumstances.are_those_of(&suspension));
        for name in OWN_FILES {
            circumstances.set_own_file(name, Some(b"{}"));
            assert!(!circumstances.are_those_of(&suspension), "{name}");
            circumstances.set_own_file(name, None);
            assert!(circumstances.are_those_of(&suspension), "{name}");
        }
    }

    #[test]
    fn suspension_by_a_killed_run_keeps_its_circumstances() {
        let (mut killed, _day) = circumstances();
        let mut suspension = suspended(Status::NeedsAttention);
        killed.complete(&mut suspension);
        for (settings, is_same) in [("TargetTotal=20\n", true), ("TargetTotal=30\n", false)] {
            let mut next = Circumstances { settings: settings.to_owned(), ..circumstances().0 };
            next.recall(Some(&suspension));
            let mut recorded = suspended(Status::NeedsAttention);
            next.complete(&mut recorded);
            assert_eq!(next.are_those_of(&recorded), is_same, "{settings}");
        }
    }

    #[test]
    fn suspension_by_an_earlier_run_is_kept() {
        let (mut circumstances, _day) = circumstances();
        let mut suspension =
            Suspension { circumstances: Some("earlier".to_owned()), ..suspended(Status::NeedsAttention) };
        circumstances.complete(&mut suspension);
        assert_eq!(suspension.circumstances.as_deref(), Some("earlier"));
    }

    #[test]
    fn parked_set_keeps_the_day_it_was_parked_on() {
        let (mut circumstances, day) = circumstances();
        let mut evening = suspended(Status::Parked);
        circumstances.complete(&mut evening);
        assert!(circumstances.are_those_of(&evening));
        *day.lock().unwrap() = "2026-03-21T00:00:01Z".parse().unwrap();
        let mut morning = suspended(Status::Parked);
        circumstances.complete(&mut morning);
        assert_eq!(morning, evening);
        assert!(!circumstances.are_those_of(&morning), "a new day renews the budget");
    }
}
