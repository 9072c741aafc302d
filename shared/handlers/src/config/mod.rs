//! The configuration of the functions, read from environment variables at a cold start.

mod evaluation;
mod generation;
mod reader;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
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

/// The configuration of every function; the deletion function needs no more.
#[derive(Debug, Clone)]
pub struct Config {
    /// The stack dimension of metrics.
    pub stack: String,
    pub bucket: String,
    pub table: String,
    pub queues: QueueUrls,
    pub keys: Keys,
    /// The folder of the local copy, with the layout `{data}/{actor_id}/…`.
    pub local_data_dir: Option<PathBuf>,
}

/// The problems of all missing and invalid variables.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the environment can't be used: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
pub struct InvalidConfig(pub Vec<InvalidVariable>);

/// The problem of one variable, or of several together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidVariable {
    pub problem: String,
    /// What to do about it; `None` if the problem says what is accepted.
    pub remedy: Option<&'static str>,
}

impl fmt::Display for InvalidVariable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.remedy {
            Some(remedy) => write!(f, "{}; {remedy}", self.problem),
            None => f.write_str(&self.problem),
        }
    }
}

/// A part of the configuration.
pub trait Section: Sized {
    /// Reads the variables. The reader collects the problems.
    fn read(reader: &mut Reader) -> Self;
}

/// Reads the process's environment.
pub fn from_env<T: Section>() -> Result<T, InvalidConfig> {
    from_variables(std::env::vars().collect())
}

pub fn from_variables<T: Section>(variables: BTreeMap<String, String>) -> Result<T, InvalidConfig> {
    Reader::read(variables)
}

/// The names of the variables that a function reads if these are set. They depend on the chosen providers.
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
