//! What a new attempt at a set depends on beside its images: the settings of the run, the base image, and who it shows.

use std::collections::BTreeMap;

use balancer::domain::standstill::{Standstill, short};
use balancer::domain::status::Status;
use balancer::stages::Clock;
use sha2::{Digest, Sha256};

use super::belongings::BaseImage;
use super::data_folder::{ActorFolder, read_if_there};

/// Parameters of the stack that make no difference to what becomes of a set.
const IRRELEVANT: [&str; 5] =
    ["Architecture", "AutomaticBalancing", "GeneratorConcurrency", "KeyPrefix", "LocalDataDir"];

/// The settings of a run.
pub struct Circumstances {
    settings: String,
    clock: Clock,
}

impl Circumstances {
    /// Those of a stack with these parameters. Keys make no difference, and are not to leave a trace.
    pub fn new(parameters: &BTreeMap<String, String>) -> Self {
        let matters = |name: &str| !IRRELEVANT.contains(&name) && !is_secret(name);
        let settings = parameters.iter().filter(|(name, _)| matters(name));
        let settings = settings.map(|(name, value)| format!("{name}={value}\n")).collect();
        Self { settings, clock: Clock::system() }
    }

    /// As one word, for an actor whose set stands so.
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

    /// Whether they are the same as when this set was given up.
    pub fn are_those_of(&self, given_up: &Standstill, folder: &ActorFolder) -> bool {
        given_up.circumstances.as_ref() == Some(&self.of(folder, given_up.status))
    }
}

fn is_secret(parameter: &str) -> bool {
    ["ApiKey", "ApiToken"].iter().any(|secret| parameter.contains(secret))
}
