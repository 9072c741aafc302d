//! Plans that would delete a large share of a set wait until a person has looked at them.

use std::collections::BTreeSet;

use aws::metrics::Metric;
use aws::queues::Queue;
use domain::messages::{Cause, EvaluationCommand};
use domain::plan::{Plan, PlanState};
use domain::status::Status;
use tracing::warn;

use super::Evaluation;
use super::decide::EvaluationContext;
use crate::HandlerError;

impl Evaluation {
    /// Whether a person has agreed to every deletion of the plan: to that file, in that version.
    pub(super) async fn is_approved(&self, context: &EvaluationContext<'_>, plan: &Plan) -> Result<bool, HandlerError> {
        let Some(approved) = &context.record.approved_plan else { return Ok(false) };
        let Some(approved) = self.store.plan(&context.command.actor_id, approved).await? else { return Ok(false) };
        let agreed = versions(&approved);
        Ok(versions(plan).is_subset(&agreed))
    }

    /// Keeps the plan and asks a person to look at it.
    pub(super) async fn await_approval(&self, context: &EvaluationContext<'_>, plan: Plan) -> Result<(), HandlerError> {
        let actor = &context.command.actor_id;
        let (going, all) = (plan.delete.len(), plan.before.total());
        let reason = format!(
            "The plan would delete {going} of {all} images ({} %), more than MAX_DELETED_PERCENT={} allows: look at them with `balancer status {actor} --plan`, then `balancer approve {actor}`.",
            plan.deleted_percent(),
            self.most_deleted_percent,
        );
        warn!(%actor, plan_id = plan.plan_id, reason, "awaits approval");
        let plan = Plan { state: PlanState::AwaitingApproval, generation_id: None, ..plan };
        let verdict = context.verdict(Status::NeedsAttention, context.round, &reason);
        self.supersede_active_plan(context).await?;
        self.adopt(context, &plan, None, &verdict).await?;
        Metric::SetsNeedingAttention.emit();
        self.review_active_plan(context).await?;
        if self.store.actor(actor).await?.is_some_and(|record| record.pending_since.is_some()) {
            // The end of a plan that waits for a person may never come.
            let command = EvaluationCommand::because(actor.clone(), Cause::Uploads);
            self.queues.send(Queue::Evaluation, &command, self.quiet).await?;
        }
        Ok(())
    }
}

fn versions(plan: &Plan) -> BTreeSet<(&str, &str)> {
    plan.delete.iter().map(|deletion| (deletion.filename.as_str(), deletion.etag.as_str())).collect()
}
