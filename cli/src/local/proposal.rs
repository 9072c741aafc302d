//! What a dry run has found.

use balancer::domain::actor::ActorId;
use balancer::domain::kind::{Kind, KindCounts};
use balancer::domain::plan::{Note, Plan};
use balancer::domain::planner::{Proposal, Removal};
use serde::Serialize;

/// What would be done with an actor's set.
#[derive(Debug, Serialize)]
pub struct ActorProposal {
    pub actor_id: ActorId,
    /// None if a person must help first.
    #[serde(flatten)]
    pub proposal: Option<Proposal>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Note>,
    /// What a person must do first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    #[serde(skip)]
    before: KindCounts,
}

impl ActorProposal {
    /// What an actor's plan would do.
    pub fn of_plan(actor_id: ActorId, plan: Plan) -> Self {
        let (before, notes) = (plan.before, plan.notes.clone());
        Self { actor_id, proposal: Some(proposal_of(plan)), notes, reason: None, before }
    }

    /// An actor that has no plan, and why.
    pub fn none(actor_id: ActorId, reason: String) -> Self {
        Self { actor_id, proposal: None, notes: Vec::new(), reason: Some(reason), before: KindCounts::default() }
    }

    /// What there is to show while others are still waited for.
    pub fn in_a_word(&self) -> &'static str {
        if self.proposal.is_some() { "planned" } else { "needs attention" }
    }

    /// For people.
    pub fn in_words(&self) -> String {
        let Some(proposal) = &self.proposal else {
            return format!("{}: needs attention: {}", self.actor_id, self.reason.as_deref().unwrap_or_default());
        };
        let mut lines = vec![format!("{}: {} now, {} after", self.actor_id, self.before, proposal.result)];
        lines.extend(proposal.delete.iter().map(|gone| format!("  would delete {}: {}", gone.filename, gone.reason)));
        for kind in Kind::ALL.into_iter().filter(|&kind| proposal.generate[kind] > 0) {
            lines.push(format!("  would make {} {kind}", proposal.generate[kind]));
        }
        if proposal.is_empty() {
            lines.push("  nothing to do".to_owned());
        }
        lines.extend(self.notes.iter().map(|note| format!("  unusable: {}: {}", note.filename, note.remark)));
        lines.join("\n")
    }
}

fn proposal_of(plan: Plan) -> Proposal {
    let delete = plan.delete.into_iter().map(|gone| Removal { filename: gone.filename, reason: gone.reason });
    Proposal {
        delete: delete.collect(),
        generate: KindCounts::tally(plan.slots.iter().map(|slot| slot.kind)),
        result: plan.result,
    }
}
