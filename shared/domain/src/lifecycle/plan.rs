//! The lifecycle of a plan.
//!
//! The number of unfinished pieces of work is an atomic counter beside the state, because many workers finish slots at
//! once. So no event is written when the last piece is finished: [`PlanState::observed`] derives the state `completed`.

use serde::{Deserialize, Serialize};

use super::ImpossibleEvent;

/// The state of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlanState {
    /// It answers the question what an evaluation would do. It is never carried out.
    DryRun,
    /// It is on hold: it deletes more than a plan may without the operator's approval.
    AwaitingApproval,
    /// It is stored, and its messages may not have been sent.
    Adopted,
    /// The message for its deletions has been sent. The slots wait for them.
    Deleting,
    /// Its deletions, if any, are finished.
    Generating,
    /// Its work is finished. An evaluation has yet to review the result.
    Completed,
    /// An evaluation has reviewed its result.
    Reviewed,
    /// A newer plan or verdict has replaced it.
    Superseded,
}

/// An event in the life of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlanEvent {
    /// The message for its deletions has been sent.
    DeletionsSent,
    /// The messages for its slots have been sent, since it deletes nothing.
    SlotsSent,
    /// All its deletions are finished.
    DeletionsFinished,
    /// Its last piece of work is finished.
    WorkFinished,
    /// An evaluation has seen its result.
    Reviewed,
    /// A newer plan or verdict replaces it.
    Superseded,
}

impl PlanState {
    /// The state after an event.
    ///
    /// # Errors
    /// If the event is impossible in this state.
    pub fn apply(self, event: PlanEvent) -> Result<Self, ImpossibleEvent> {
        use PlanEvent as E;
        match (self, event) {
            (Self::Adopted, E::DeletionsSent) => Ok(Self::Deleting),
            (Self::Adopted, E::SlotsSent) => Ok(Self::Generating),
            // The deletion handler may finish before the evaluation handler has recorded that it sent the message.
            (Self::Adopted | Self::Deleting, E::DeletionsFinished) => Ok(Self::Generating),
            (Self::Adopted | Self::Generating, E::WorkFinished) => Ok(Self::Completed),
            (Self::Completed, E::Reviewed) => Ok(Self::Reviewed),
            (Self::AwaitingApproval | Self::Adopted | Self::Deleting | Self::Generating, E::Superseded) => {
                Ok(Self::Superseded)
            }
            _ => Err(ImpossibleEvent { record: "plan", state: self.name(), event: event.name() }),
        }
    }

    /// The state of a plan that is stored in state `self` with this much remaining work.
    #[must_use]
    pub fn observed(self, remaining: u32) -> Self {
        match remaining {
            0 => self.apply(PlanEvent::WorkFinished).unwrap_or(self),
            _ => self,
        }
    }

    /// The name of the state in the table and in the documentation.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::DryRun => "dry_run",
            Self::AwaitingApproval => "awaiting_approval",
            Self::Adopted => "adopted",
            Self::Deleting => "deleting",
            Self::Generating => "generating",
            Self::Completed => "completed",
            Self::Reviewed => "reviewed",
            Self::Superseded => "superseded",
        }
    }

    /// Whether it has unfinished work that handlers carry out.
    #[must_use]
    pub fn is_under_way(self) -> bool {
        match self {
            Self::Adopted | Self::Deleting | Self::Generating => true,
            Self::DryRun | Self::AwaitingApproval | Self::Completed | Self::Reviewed | Self::Superseded => false,
        }
    }

    /// Whether it is under way, or completed and not reviewed.
    #[must_use]
    pub fn is_open(self) -> bool {
        self.is_under_way() || self == Self::Completed
    }

    /// Whether handlers accept its messages. Those of a finished plan are redeliveries, and find nothing left to do.
    #[must_use]
    pub fn accepts_messages(self) -> bool {
        self.is_open() || self == Self::Reviewed
    }
}

impl PlanEvent {
    /// The name of the event in the documentation.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::DeletionsSent => "deletions sent",
            Self::SlotsSent => "slots sent",
            Self::DeletionsFinished => "deletions finished",
            Self::WorkFinished => "work finished",
            Self::Reviewed => "reviewed",
            Self::Superseded => "superseded",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::iter::successors;

    use super::*;
    use crate::lifecycle::tables::assert_documented;

    /// Every state once. A new variant doesn't compile until it has a place here.
    fn states() -> impl Iterator<Item = PlanState> {
        successors(Some(PlanState::DryRun), |state| match state {
            PlanState::DryRun => Some(PlanState::AwaitingApproval),
            PlanState::AwaitingApproval => Some(PlanState::Adopted),
            PlanState::Adopted => Some(PlanState::Deleting),
            PlanState::Deleting => Some(PlanState::Generating),
            PlanState::Generating => Some(PlanState::Completed),
            PlanState::Completed => Some(PlanState::Reviewed),
            PlanState::Reviewed => Some(PlanState::Superseded),
            PlanState::Superseded => None,
        })
    }

    /// Every event once. A new variant doesn't compile until it has a place here.
    fn events() -> impl Iterator<Item = PlanEvent> {
        successors(Some(PlanEvent::DeletionsSent), |event| match event {
            PlanEvent::DeletionsSent => Some(PlanEvent::SlotsSent),
            PlanEvent::SlotsSent => Some(PlanEvent::DeletionsFinished),
            PlanEvent::DeletionsFinished => Some(PlanEvent::WorkFinished),
            PlanEvent::WorkFinished => Some(PlanEvent::Reviewed),
            PlanEvent::Reviewed => Some(PlanEvent::Superseded),
            PlanEvent::Superseded => None,
        })
    }

    #[test]
    fn documented_transitions_are_those_of_the_code() {
        let states: Vec<_> = states().collect();
        let events: Vec<_> = events().collect();
        let names = (states.iter().map(|state| state.name()), events.iter().map(|event| event.name()));
        assert_documented("plan", names.0, names.1, |state, event| {
            states[state].apply(events[event]).map(PlanState::name)
        });
    }

    #[test]
    fn only_unfinished_plans_can_be_superseded() {
        for state in states() {
            let can_be = state.is_under_way() || state == PlanState::AwaitingApproval;
            assert_eq!(state.apply(PlanEvent::Superseded).is_ok(), can_be, "{state:?}");
        }
    }

    #[test]
    fn finished_work_completes_a_plan_under_way_only() {
        for state in states() {
            assert_eq!(state.observed(1), state);
            let is_completed = matches!(state, PlanState::Adopted | PlanState::Generating | PlanState::Completed);
            assert_eq!(state.observed(0) == PlanState::Completed, is_completed, "{state:?}");
        }
    }

    #[test]
    fn stored_names_are_those_of_the_documentation() {
        for state in states() {
            assert_eq!(serde_json::to_value(state).unwrap(), state.name());
        }
    }
}
