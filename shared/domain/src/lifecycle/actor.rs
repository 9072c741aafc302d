//! The lifecycle of an actor: the status of its set, and what may change it.

use super::ImpossibleEvent;
use crate::budget::Limit;
use crate::plan::MANUAL;
use crate::status::Status;

/// The state of an actor.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum ActorState {
    /// No evaluation has finished yet.
    #[default]
    Waiting,
    /// A plan is running.
    Balancing,
    /// The work waits for money.
    Parked {
        /// The budget that it waits for; `None` for the account with a service.
        limit: Option<Limit>,
        /// The reason for which the actor needs attention as well. Money doesn't resolve it, so it returns when the
        /// work resumes.
        attention: Option<String>,
    },
    /// The set matches the target.
    Balanced,
    /// Only the operator can resolve the reason.
    NeedsAttention,
}

/// The state of an actor and its reason, as a sentence for the operator.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standing {
    /// The state.
    pub state: ActorState,
    /// The reason; `None` before the first evaluation.
    pub reason: Option<String>,
}

/// An event in the life of an actor. Each `reason` is a sentence for the operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ActorEvent {
    /// An evaluation has ended.
    Verdict {
        /// The status that it found. No evaluation ends with `waiting`.
        status: Status,
        /// The reason of the verdict.
        reason: String,
    },
    /// The next step of the work costs more than a budget or an account covers.
    WorkParked {
        /// The budget; `None` for the account with a service.
        limit: Option<Limit>,
        /// Which budget, and the remedy.
        reason: String,
    },
    /// The price of the next step is paid.
    WorkResumed,
    /// A message has failed for the last time, or a dry run met a problem.
    AttentionRequired {
        /// The failure, and the remedy.
        reason: String,
    },
}

impl Standing {
    /// The standing after an event.
    ///
    /// # Errors
    /// If the event is impossible in this state.
    pub fn apply(&self, event: &ActorEvent) -> Result<Self, ImpossibleEvent> {
        use ActorState as S;
        let (state, reason) = match event {
            ActorEvent::Verdict { status, reason } => {
                let state = match status {
                    Status::Balancing => S::Balancing,
                    Status::Parked => S::Parked { limit: None, attention: None },
                    Status::Balanced => S::Balanced,
                    Status::NeedsAttention => S::NeedsAttention,
                    Status::Waiting => return Err(self.impossible(event)),
                };
                (state, reason.clone())
            }
            ActorEvent::WorkParked { limit, reason } => {
                let attention = match &self.state {
                    S::NeedsAttention => Some(self.reason.clone().unwrap_or_default()),
                    S::Parked { attention, .. } => attention.clone(),
                    S::Waiting | S::Balancing | S::Balanced => None,
                };
                (S::Parked { limit: *limit, attention }, reason.clone())
            }
            ActorEvent::WorkResumed => match &self.state {
                S::Parked { attention: Some(attention), .. } => (S::NeedsAttention, attention.clone()),
                S::Parked { attention: None, .. } => {
                    (S::Balancing, "The budget or the account has money again; the plan resumes.".to_owned())
                }
                S::Waiting | S::Balancing | S::Balanced | S::NeedsAttention => return Err(self.impossible(event)),
            },
            ActorEvent::AttentionRequired { reason } => (S::NeedsAttention, reason.clone()),
        };
        Ok(Self { state, reason: Some(reason) })
    }

    fn impossible(&self, event: &ActorEvent) -> ImpossibleEvent {
        ImpossibleEvent { record: "actor", state: self.state.name(), event: event.name() }
    }
}

impl ActorState {
    /// The status that operators see.
    #[must_use]
    pub fn status(&self) -> Status {
        match self {
            Self::Waiting => Status::Waiting,
            Self::Balancing => Status::Balancing,
            Self::Parked { .. } => Status::Parked,
            Self::Balanced => Status::Balanced,
            Self::NeedsAttention => Status::NeedsAttention,
        }
    }

    /// The name of the state in the documentation.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Balancing => "balancing",
            Self::Parked { attention: None, .. } => "parked",
            Self::Parked { attention: Some(_), .. } => "parked_with_attention",
            Self::Balanced => "balanced",
            Self::NeedsAttention => "needs_attention",
        }
    }
}

impl ActorEvent {
    /// The name of the event in the documentation.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Verdict { status: Status::Waiting, .. } => "verdict: waiting",
            Self::Verdict { status: Status::Balancing, .. } => "verdict: balancing",
            Self::Verdict { status: Status::Parked, .. } => "verdict: parked",
            Self::Verdict { status: Status::Balanced, .. } => "verdict: balanced",
            Self::Verdict { status: Status::NeedsAttention, .. } => "verdict: needs attention",
            Self::WorkParked { .. } => "work parked",
            Self::WorkResumed => "work resumed",
            Self::AttentionRequired { .. } => "attention required",
        }
    }
}

/// The work that reports an event. An event of work that no longer concerns the actor changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnBehalf<'a> {
    /// A plan. It concerns the actor while it is the active one. No other plan supersedes a manual one, so a manual
    /// plan always does.
    Plan(&'a str),
    /// The evaluation with this lease token. It concerns the actor while it holds the lease.
    Evaluation(&'a str),
    /// A request that raised the actor's desired revision to this, if it did. It concerns the actor until a verdict has
    /// observed the revision.
    Request(Option<u64>),
}

/// The work that concerns an actor at present.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CurrentWork {
    /// The active plan.
    pub active_plan: Option<String>,
    /// The token of the evaluation lease.
    pub lease_token: Option<String>,
    /// The revision that the last verdict has observed.
    pub observed_revision: u64,
}

impl OnBehalf<'_> {
    /// Whether the work concerns the actor.
    #[must_use]
    pub fn concerns(self, current: &CurrentWork) -> bool {
        match self {
            Self::Plan(plan_id) => plan_id.starts_with(MANUAL) || current.active_plan.as_deref() == Some(plan_id),
            Self::Evaluation(token) => current.lease_token.as_deref() == Some(token),
            Self::Request(Some(revision)) => current.observed_revision < revision,
            Self::Request(None) => true,
        }
    }
}

#[cfg(test)]
mod tests;
