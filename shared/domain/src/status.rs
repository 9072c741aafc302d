//! The status of a set.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The status of an actor's set.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// No evaluation has finished yet.
    #[default]
    Waiting,
    /// A plan is running.
    Balancing,
    /// The work waits for money: a budget is used up, or the account with a service is empty.
    Parked,
    /// The set has exactly the target's number of images of each kind.
    Balanced,
    /// Only the operator can resolve the reason, which names the remedy.
    NeedsAttention,
}

impl fmt::Display for Status {
    /// The serialised name, such as `needs_attention`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}
