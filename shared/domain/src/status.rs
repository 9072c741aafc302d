//! How a set stands.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How an actor's set stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Nobody has looked at it yet.
    #[default]
    Waiting,
    /// A plan is being carried out.
    Balancing,
    /// Its plan waits for money: a budget is used up.
    Parked,
    /// It is as it should be.
    Balanced,
    /// A person must do something; the reason says what.
    NeedsAttention,
}

impl fmt::Display for Status {
    /// As it is written everywhere: `needs_attention`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Waiting => "waiting",
            Self::Balancing => "balancing",
            Self::Parked => "parked",
            Self::Balanced => "balanced",
            Self::NeedsAttention => "needs_attention",
        })
    }
}
