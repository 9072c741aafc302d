//! A plan as commands show it.

use domain::coverage::Coverage;
use domain::kind::{Kind, KindCounts};
use domain::lifecycle::slot::SlotState;
use domain::plan::{Note, Plan, PlanState};
use jiff::Timestamp;
use serde::{Serialize, Serializer};

use crate::local::{Cost, Terms};

/// The deletions and the new images of a plan.
#[derive(Debug, Clone, Serialize)]
pub struct PlanAnswer {
    pub plan_id: String,
    pub created_at: Timestamp,
    #[serde(serialize_with = "as_documented")]
    pub state: PlanState,
    pub before: KindCounts,
    pub result: KindCounts,
    /// `None` if the vision model reports neither framings nor angles.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub coverage: Option<Coverage>,
    pub delete: Vec<PlannedDeletion>,
    pub generate: KindCounts,
    /// The images that could not be generated.
    pub failed: Vec<FailedSlot>,
    pub notes: Vec<Note>,
    /// Why it can't be executed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub obstacle: Option<String>,
    /// Why it requires approval; `None` also if the limit is unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub needs_approval: Option<String>,
    /// `None` if the prices are unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost: Option<Cost>,
}

/// An image to delete.
#[derive(Debug, Clone, Serialize)]
pub struct PlannedDeletion {
    pub file: String,
    pub reason: String,
}

/// An image that could not be generated.
#[derive(Debug, Clone, Serialize)]
pub struct FailedSlot {
    pub kind: Kind,
    pub reason: String,
}

impl PlanAnswer {
    pub fn of(plan: &Plan) -> Self {
        let delete = plan.delete.iter();
        Self {
            plan_id: plan.plan_id.clone(),
            created_at: plan.created_at,
            state: plan.state,
            before: plan.before,
            result: plan.result,
            coverage: plan.coverage,
            delete: delete
                .map(|gone| PlannedDeletion { file: gone.filename.clone(), reason: gone.reason.clone() })
                .collect(),
            generate: KindCounts::tally(plan.slots.iter().map(|slot| slot.kind)),
            failed: Vec::new(),
            notes: plan.notes.clone(),
            obstacle: plan.obstacle.clone(),
            needs_approval: None,
            cost: None,
        }
    }

    /// The same on these terms.
    pub fn on_terms(plan: &Plan, terms: &Terms) -> Self {
        Self { needs_approval: terms.objection(plan), cost: Some(terms.cost(plan)), ..Self::of(plan) }
    }

    /// The same with the states of its slots, by their ids.
    pub fn with_slots<'a>(mut self, plan: &Plan, slots: impl Iterator<Item = (&'a String, &'a SlotState)>) -> Self {
        self.failed = slots
            .filter_map(|(slot_id, state)| match state {
                SlotState::Failed { reason } => {
                    Some(FailedSlot { kind: plan.slot(slot_id)?.kind, reason: reason.clone() })
                }
                _ => None,
            })
            .collect();
        self
    }

    /// Whether it changes nothing.
    pub fn is_empty(&self) -> bool {
        self.delete.is_empty() && self.generate == KindCounts::default()
    }

    /// Its lines for a terminal, without a heading. `verbs` are those for deletions and for generations.
    pub fn lines(&self, verbs: [&str; 2]) -> Vec<String> {
        let [delete, generate] = verbs;
        let mut lines: Vec<String> =
            self.coverage.map(|coverage| format!("  coverage: {coverage}")).into_iter().collect();
        lines.extend(self.delete.iter().map(|gone| format!("  {delete} {}: {}", gone.file, gone.reason)));
        for kind in Kind::ALL.into_iter().filter(|&kind| self.generate[kind] > 0) {
            lines.push(format!("  {generate} {} {kind}", self.generate[kind]));
        }
        if self.is_empty() && self.obstacle.is_none() {
            lines.push("  nothing to do".to_owned());
        }
        lines.extend(self.failed.iter().map(|slot| format!("  not generated: {}: {}", slot.kind, slot.reason)));
        lines.extend(self.cost.iter().map(|cost| format!("  {}", cost.in_words())));
        lines.extend(self.needs_approval.iter().map(|why| format!("  needs approval: {why}")));
        lines.extend(self.obstacle.iter().map(|obstacle| format!("  can't be executed: {obstacle}")));
        lines.extend(self.notes.iter().map(|note| format!("  {}: {}", note.filename, note.remark)));
        lines
    }

    /// Its state, as the end of a sentence.
    pub fn state_in_words(&self) -> &'static str {
        match self.state {
            PlanState::AwaitingApproval => "is on hold",
            PlanState::Adopted | PlanState::Deleting | PlanState::Generating | PlanState::Completed => "is running",
            PlanState::DryRun => "was a dry run",
            PlanState::Reviewed => "is completed",
            PlanState::Superseded => "was superseded",
        }
    }
}

/// The state in the JSON output, which has one name for all steps of a running plan.
pub fn documented_name(state: PlanState) -> &'static str {
    match state {
        PlanState::DryRun | PlanState::AwaitingApproval | PlanState::Superseded => state.name(),
        PlanState::Adopted | PlanState::Deleting | PlanState::Generating | PlanState::Completed => "running",
        PlanState::Reviewed => "closed",
    }
}

fn as_documented<S: Serializer>(state: &PlanState, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(documented_name(*state))
}

#[cfg(test)]
mod tests {
    use domain::coverage::{ViewCounts, ViewShares};
    use domain::plan::Origin;

    use super::*;

    const VERBS: [&str; 2] = ["delete", "generate"];

    fn plan() -> Plan {
        let before = ViewCounts { framing: [9, 9, 2, 0], angle: [0; 4] };
        let after = ViewCounts { framing: [6, 8, 4, 2], ..before };
        let coverage = Some(Coverage { wanted: ViewShares::default().counts(20), before, after });
        Plan { coverage, ..Plan::empty("p".to_owned(), Timestamp::UNIX_EPOCH, Origin::Evaluation) }
    }

    #[test]
    fn plan_shows_its_coverage_if_it_is_known() {
        let lines = PlanAnswer::of(&plan()).lines(VERBS);
        assert_eq!(lines[0], "  coverage: framing 9/9/2/0 before, 6/8/4/2 after, 6/8/4/2 wanted");
        let unknown = PlanAnswer::of(&Plan { coverage: None, ..plan() }).lines(VERBS);
        assert_eq!(unknown, ["  nothing to do"]);
    }

    #[test]
    fn plan_shows_notes_in_their_own_words() {
        let note = Note::unassessed("hero_3.jpg", "the model refuses it");
        let lines = PlanAnswer::of(&Plan { notes: vec![note], coverage: None, ..plan() }).lines(VERBS);
        assert_eq!(lines[1], "  hero_3.jpg: not assessed: the model refuses it; it stays and counts as no kind");
    }
}
