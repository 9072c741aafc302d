//! What the environment says, read once at a cold start.

mod evaluation;
mod generation;
mod reader;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use aws::metrics::UNNAMED_STACK;
use aws::queues::QueueUrls;
use domain::budget::Budget;
use domain::keys::Keys;
use domain::money::MicroUsd;

pub use evaluation::EvaluationConfig;
pub use generation::GenerationConfig;
pub use reader::Reader;

/// What every function is told, and all that the deletion function is.
#[derive(Debug, Clone)]
pub struct Config {
    /// Which stack the function belongs to.
    pub stack: String,
    /// The bucket with every actor's images.
    pub bucket: String,
    /// The DynamoDB table with the manifests.
    pub table: String,
    /// The URLs of the three queues.
    pub queues: QueueUrls,
    /// Where things lie in the bucket.
    pub keys: Keys,
    /// Where images are kept as plain files too, laid out as `{data}/{actor_id}/…`.
    pub local_data_dir: Option<PathBuf>,
}

/// The environment lacks something or says something impossible. Names every offending variable at once.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the environment can't be used: {}", .0.join("; "))]
pub struct InvalidConfig(pub Vec<String>);

/// What a function reads of its environment.
pub trait Section: Sized {
    /// Reads it; problems stay with the reader.
    fn read(reader: &mut Reader) -> Self;
}

/// Reads the process's environment.
///
/// # Errors
/// If a variable is missing or wrong; the error names all that are.
pub fn from_env<T: Section>() -> Result<T, InvalidConfig> {
    from_variables(std::env::vars().collect())
}

/// Reads these variables.
///
/// # Errors
/// If a variable is missing or wrong; the error names all that are.
pub fn from_variables<T: Section>(variables: BTreeMap<String, String>) -> Result<T, InvalidConfig> {
    Reader::read(variables)
}

/// The names of the variables that are looked at where these are set: which ones depends on the providers chosen.
#[must_use]
pub fn names_read<T: Section>(variables: BTreeMap<String, String>) -> BTreeSet<String> {
    Reader::names_read::<T>(variables)
}

impl Section for Config {
    fn read(reader: &mut Reader) -> Self {
        Self {
            stack: reader.optional("STACK_NAME", "a stack's name", UNNAMED_STACK.to_owned(), |_| true),
            bucket: reader.required("BUCKET"),
            table: reader.required("TABLE"),
            queues: QueueUrls {
                evaluation: reader.required("EVALUATION_QUEUE_URL"),
                deletion: reader.required("DELETION_QUEUE_URL"),
                generation: reader.required("GENERATION_QUEUE_URL"),
            },
            keys: Keys::new(&reader.optional("KEY_PREFIX", "a key prefix", "system_actors".to_owned(), |_| true)),
            local_data_dir: reader.text("LOCAL_DATA_DIR").map(PathBuf::from),
        }
    }
}

impl Section for Budget {
    fn read(reader: &mut Reader) -> Self {
        const DOLLARS: &str = "an amount in dollars, such as 10 or 2.50";
        Self {
            daily: reader.optional("DAILY_BUDGET_USD", DOLLARS, MicroUsd(10_000_000), |_| true),
            daily_per_actor: reader.optional("ACTOR_DAILY_BUDGET_USD", DOLLARS, MicroUsd(3_000_000), |_| true),
            per_plan: reader.optional("PLAN_BUDGET_USD", DOLLARS, MicroUsd(2_000_000), |_| true),
            poll: Duration::from_secs(reader.optional(
                "BUDGET_POLL_SECONDS",
                "a number from 1 to 900",
                900,
                |&seconds: &u64| (1..=900).contains(&seconds),
            )),
        }
    }
}
