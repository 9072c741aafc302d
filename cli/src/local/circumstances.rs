//! The inputs of a new attempt at a set other than its images: the settings of the run, the base image, and the actor's
//! metadata.

use std::collections::BTreeMap;

use balancer::domain::standstill::{Standstill, short};
use balancer::domain::status::Status;
use balancer::stages::Clock;
use sha2::{Digest, Sha256};

use super::belongings::BaseImage;
use super::data_folder::{ActorFolder, read_if_there};

/// Parameters of the stack that don't affect the outcome of a set.
const IRRELEVANT: [&str; 5] =
    ["Architecture", "AutomaticBalancing", "GeneratorConcurrency", "KeyPrefix", "LocalDataDir"];

/// The settings of a run.
pub struct Circumstances {
    settings: String,
    clock: Clock,
}

impl Circumstances {
    /// The settings of a stack with these parameters. Keys have no effect, and must not leave a trace.
    pub fn new(parameters: &BTreeMap<String, String>) -> Self {
        let matters = |name: &str| !IRRELEVANT.contains(&name) && !is_secret(name);
        let settings = parameters.iter().filter(|(name, _)| matters(name));
        let settings = settings.map(|(name, value)| format!("{name}={value}\n")).collect();
        Self { settings, clock: Clock::system() }
    }

    /// The circumstances as one word, for an actor in this status.
    pub fn of(&self, folder: &ActorFolder, status: Status) -> String {
        let mut all = Sha256::new_with_prefix(concat!(env!("CARGO_PKG_VERSION"), "\n"));
        all.update(&self.settings);
        if status == Status::Parked {
            all.update(self.clock.today().to_string());
        }
        let base_image = BaseImage::of(folder).ok().flatten().map(|image| image.bytes);
        let actor_file = folder.actor_file().and_then(|path| read_if_there(&path).ok().flatten());
        for file in [base_image, actor_file] {
            all.update(file.map_or_else(|| "none\n".to_owned(), |bytes| short(&Sha256::digest(bytes))));
        }
        short(&all.finalize())
    }

    /// Whether the circumstances are the same as when the set was suspended.
    pub fn are_those_of(&self, given_up: &Standstill, folder: &ActorFolder) -> bool {
        given_up.circumstances.as_ref() == Some(&self.of(folder, given_up.status))
    }
}

fn is_secret(parameter: &str) -> bool {
    ["ApiKey", "ApiToken"].iter().any(|secret| parameter.contains(secret))
}
