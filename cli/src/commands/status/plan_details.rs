//! The deletions and the new images of a plan.

use aws::store::{Store, StoreError};
use domain::actor::ActorId;
use domain::coverage::Coverage;
use domain::kind::{Kind, KindCounts};
use domain::lifecycle::slot::SlotState;
use domain::plan::{Plan, PlanState, PlannedDeletion};
use jiff::Timestamp;
use serde::{Serialize, Serializer};

/// The plan that is running or awaits approval; or the last plan of a dry run.
#[derive(Serialize)]
pub struct PlanDetails {
    plan_id: String,
    #[serde(serialize_with = "documented_name")]
    state: PlanState,
    before: KindCounts,
    result: KindCounts,
    #[serde(skip_serializing_if = "Option::is_none")]
    coverage: Option<Coverage>,
    delete: Vec<PlannedDeletion>,
    generate: KindCounts,
    failed: Vec<FailedSlot>,
    created_at: Timestamp,
    /// Why it can't be executed.
    #[serde(skip_serializing_if = "Option::is_none")]
    obstacle: Option<String>,
}

/// An image that could not be generated.
#[derive(Serialize)]
struct FailedSlot {
    kind: Kind,
    reason: String,
}

impl PlanDetails {
    /// The plan with this id; `None` if there is none.
    pub async fn read(store: &Store, actor: &ActorId, plan_id: &str) -> Result<Option<Self>, StoreError> {
        let Some(plan) = store.plan(actor, plan_id).await? else { return Ok(None) };
        let slots = store.slots(actor, plan_id).await?;
        let failed = slots.into_iter().filter_map(|(slot_id, slot)| match slot.progress.state {
            SlotState::Failed { reason } => Some(FailedSlot { kind: plan.slot(&slot_id)?.kind, reason }),
            _ => None,
        });
        let failed = failed.collect();
        Ok(Some(Self::of(plan, failed)))
    }

    /// The last plan of a dry run; `None` if there is none.
    pub async fn last_dry_run(store: &Store, actor: &ActorId) -> Result<Option<Self>, StoreError> {
        let dry_runs = store.plans(actor).await?.into_iter().filter(|plan| plan.state == PlanState::DryRun);
        Ok(dry_runs.max_by_key(|plan| plan.created_at).map(|plan| Self::of(plan, Vec::new())))
    }

    fn of(plan: Plan, failed: Vec<FailedSlot>) -> Self {
        Self {
            failed,
            generate: KindCounts::tally(plan.slots.iter().map(|slot| slot.kind)),
            plan_id: plan.plan_id,
            state: plan.state,
            before: plan.before,
            result: plan.result,
            coverage: plan.coverage,
            delete: plan.delete,
            created_at: plan.created_at,
            obstacle: plan.obstacle,
        }
    }

    /// The text for a terminal.
    pub fn in_words(&self, actor: &ActorId) -> String {
        let state = match self.state {
            PlanState::AwaitingApproval => "is on hold",
            PlanState::Adopted | PlanState::Deleting | PlanState::Generating | PlanState::Completed => "is running",
            PlanState::DryRun => "was a dry run",
            PlanState::Reviewed => "is completed",
            PlanState::Superseded => "was superseded",
        };
        let mut lines = vec![format!(
            "{actor}: the plan {} of {:.0} {state}: from {} to {}",
            self.plan_id, self.created_at, self.before, self.result
        )];
        lines.extend(self.coverage.map(|coverage| format!("  coverage: {coverage}")));
        lines.extend(self.obstacle.clone().map(|obstacle| format!("  can't be executed: {obstacle}")));
        lines.extend(self.delete.iter().map(|gone| format!("  delete {}: {}", gone.filename, gone.reason)));
        for kind in Kind::ALL.into_iter().filter(|&kind| self.generate[kind] > 0) {
            lines.push(format!("  generate {} {kind}", self.generate[kind]));
        }
        lines.extend(self.failed.iter().map(|slot| format!("  not generated: {}: {}", slot.kind, slot.reason)));
        lines.join("\n")
    }
}

/// The state in the JSON output, which has one name for all steps of a running plan.
fn documented_name<S: Serializer>(state: &PlanState, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(match state {
        PlanState::DryRun | PlanState::AwaitingApproval | PlanState::Superseded => state.name(),
        PlanState::Adopted | PlanState::Deleting | PlanState::Generating | PlanState::Completed => "running",
        PlanState::Reviewed => "closed",
    })
}

#[cfg(test)]
mod tests {
    use domain::coverage::{ViewCounts, ViewShares};
    use domain::plan::Origin;

    use super::*;

    fn plan() -> Plan {
        let before = ViewCounts { framing: [9, 9, 2, 0], angle: [0; 4] };
        let after = ViewCounts { framing: [6, 8, 4, 2], ..before };
        let coverage = Some(Coverage { wanted: ViewShares::default().counts(20), before, after });
        Plan { coverage, ..Plan::empty("p".to_owned(), Timestamp::UNIX_EPOCH, Origin::Evaluation) }
    }

    #[test]
    fn status_of_a_plan_shows_its_coverage() {
        let words = PlanDetails::of(plan(), Vec::new()).in_words(&"hero".parse().unwrap());
        assert!(words.contains("  coverage: framing 9/9/2/0 before, 6/8/4/2 after, 6/8/4/2 wanted"), "{words}");
    }
}
