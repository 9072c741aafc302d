//! The result of a dry run.

use domain::actor::ActorId;
use domain::kind::{Kind, KindCounts};
use domain::plan::{Note, Plan};
use domain::planner::{Proposal, Removal};
use serde::Serialize;

use super::data_folder::ActorFolder;
use super::price::{Cost, Terms};
use crate::outcome::Outcome;

/// The proposed changes of an actor's set.
#[derive(Debug, Serialize)]
pub struct ActorProposal {
    pub actor_id: ActorId,
    /// `None` if the actor needs attention first.
    #[serde(flatten)]
    pub proposal: Option<Proposal>,
    /// The present set.
    pub before: KindCounts,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Note>,
    /// Why the actor needs attention, with the remedy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Why the plan can't be executed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub obstacle: Option<String>,
    /// Why the plan requires approval; `None` also if the limit is unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub needs_approval: Option<String>,
    /// `None` if the prices are unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost: Option<Cost>,
}

impl ActorProposal {
    /// The proposal for an actor's plan, on these terms if they are known.
    pub fn of_plan(actor_id: ActorId, plan: Plan, terms: Option<&Terms>) -> Self {
        Self {
            actor_id,
            before: plan.before,
            notes: plan.notes.clone(),
            reason: None,
            obstacle: plan.obstacle.clone(),
            needs_approval: terms.and_then(|terms| terms.objection(&plan)),
            cost: terms.map(|terms| terms.cost(&plan)),
            proposal: Some(proposal_of(plan)),
        }
    }

    /// An actor that has no plan, and why.
    pub fn none(actor_id: ActorId, reason: String) -> Self {
        Self {
            actor_id,
            proposal: None,
            before: KindCounts::default(),
            notes: Vec::new(),
            reason: Some(reason),
            obstacle: None,
            needs_approval: None,
            cost: None,
        }
    }

    /// Reports where to put a missing base image: the functions of a dry run don't know the folder.
    pub fn name_place_of_base_image(&mut self, folder: &ActorFolder) {
        let is_missing = folder.base_image().is_ok_and(|image| image.is_none());
        if let (Some(obstacle), true) = (&mut self.obstacle, is_missing) {
            *obstacle = format!(
                "There is no base image of {}: put one into {}. Until then nothing is deleted and nothing generated.",
                folder.actor,
                folder.base_images().display()
            );
        }
    }

    /// The text of the actor's progress line.
    pub fn progress_label(&self) -> &'static str {
        if self.proposal.is_some() { "planned" } else { "needs attention" }
    }

    /// The exit code of a command with this result.
    pub fn outcome(&self) -> Outcome {
        let can_proceed = self.proposal.is_some() && self.obstacle.is_none() && self.needs_approval.is_none();
        if can_proceed { Outcome::Done } else { Outcome::NeedsAttention }
    }

    /// The text for a terminal.
    pub fn in_words(&self) -> String {
        let Some(proposal) = &self.proposal else {
            return format!("{}: needs attention: {}", self.actor_id, self.reason.as_deref().unwrap_or_default());
        };
        let mut lines = vec![format!("{}: {} now, {} after", self.actor_id, self.before, proposal.result)];
        lines.extend(proposal.coverage.map(|coverage| format!("  coverage: {coverage}")));
        lines.extend(proposal.delete.iter().map(|gone| format!("  would delete {}: {}", gone.filename, gone.reason)));
        for kind in Kind::ALL.into_iter().filter(|&kind| proposal.generate[kind] > 0) {
            lines.push(format!("  would generate {} {kind}", proposal.generate[kind]));
        }
        if proposal.is_empty() && self.obstacle.is_none() {
            lines.push("  nothing to do".to_owned());
        }
        lines.extend(self.cost.iter().map(|cost| format!("  {}", cost.in_words())));
        lines.extend(self.needs_approval.iter().map(|why| format!("  needs approval: {why}")));
        lines.extend(self.obstacle.iter().map(|obstacle| format!("  can't be executed: {obstacle}")));
        lines.extend(self.notes.iter().map(|note| format!("  {}: {}", note.filename, note.remark)));
        lines.join("\n")
    }
}

fn proposal_of(plan: Plan) -> Proposal {
    let delete = plan.delete.into_iter().map(|gone| Removal { filename: gone.filename, reason: gone.reason });
    Proposal {
        delete: delete.collect(),
        generate: KindCounts::tally(plan.slots.iter().map(|slot| slot.kind)),
        result: plan.result,
        coverage: plan.coverage,
    }
}

#[cfg(test)]
mod tests {
    use domain::coverage::{Coverage, ViewCounts, ViewShares};
    use domain::plan::Origin;
    use jiff::Timestamp;

    use super::*;

    fn plan() -> Plan {
        let before = ViewCounts { framing: [9, 9, 2, 0], angle: [0; 4] };
        let after = ViewCounts { framing: [6, 8, 4, 2], ..before };
        let coverage = Some(Coverage { wanted: ViewShares::default().counts(20), before, after });
        Plan { coverage, ..Plan::empty("p".to_owned(), Timestamp::UNIX_EPOCH, Origin::Evaluation) }
    }

    #[test]
    fn dry_run_shows_notes_in_their_own_words() {
        let note = Note::unassessed("hero_3.jpg", "the model refuses it");
        let plan = Plan { notes: vec![note], coverage: None, ..plan() };
        let words = ActorProposal::of_plan("hero".parse().unwrap(), plan, None).in_words();
        assert!(
            words.ends_with("\n  hero_3.jpg: not assessed: the model refuses it; it stays and counts as no kind"),
            "{words}"
        );
    }

    #[test]
    fn dry_run_shows_the_coverage_if_it_is_known() {
        let words = |plan| ActorProposal::of_plan("hero".parse().unwrap(), plan, None).in_words();
        let known = words(plan());
        assert!(known.contains("  coverage: framing 9/9/2/0 before, 6/8/4/2 after, 6/8/4/2 wanted\n"), "{known}");
        let unknown = words(Plan { coverage: None, ..plan() });
        assert!(!unknown.contains("coverage"), "{unknown}");
    }
}
