//! What an actor's plan deletes and makes.

use balancer::domain::actor::ActorId;
use balancer::domain::kind::{Kind, KindCounts};
use balancer::domain::plan::{Plan, PlanState, PlannedDeletion};
use serde::Serialize;

/// The plan that is being carried out, or awaits approval.
#[derive(Serialize)]
pub struct PlanAtHand {
    plan_id: String,
    state: PlanState,
    before: KindCounts,
    result: KindCounts,
    delete: Vec<PlannedDeletion>,
    generate: KindCounts,
}

impl PlanAtHand {
    pub fn of(plan: Plan) -> Self {
        Self {
            generate: KindCounts::tally(plan.slots.iter().map(|slot| slot.kind)),
            plan_id: plan.plan_id,
            state: plan.state,
            before: plan.before,
            result: plan.result,
            delete: plan.delete,
        }
    }

    /// For people.
    pub fn in_words(&self, actor: &ActorId) -> String {
        let state = match self.state {
            PlanState::AwaitingApproval => "awaits approval",
            PlanState::Running => "is being carried out",
            PlanState::DryRun | PlanState::Closed | PlanState::Superseded => "is over",
        };
        let mut lines =
            vec![format!("{actor}: the plan {} {state}: from {} to {}", self.plan_id, self.before, self.result)];
        lines.extend(self.delete.iter().map(|gone| format!("  delete {}: {}", gone.filename, gone.reason)));
        for kind in Kind::ALL.into_iter().filter(|&kind| self.generate[kind] > 0) {
            lines.push(format!("  make {} {kind}", self.generate[kind]));
        }
        lines.join("\n")
    }
}
