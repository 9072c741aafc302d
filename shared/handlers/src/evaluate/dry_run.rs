//! The stored result of a dry run.

use aws::store::leases::Leased;
use domain::plan::{Origin, Plan, PlanState, plan_id};
use tracing::info;

use super::Evaluation;
use super::context::EvaluationContext;
use crate::HandlerError;

impl Evaluation {
    pub(super) async fn record_dry_run(
        &self,
        context: &EvaluationContext<'_>,
        plan: &Plan,
    ) -> Result<(), HandlerError> {
        let actor = &context.command.actor_id;
        info!(%actor, plan_id = plan.plan_id, before = %plan.before, result = %plan.result, "dry run");
        self.store.record_plan(actor, plan).await?;
        Ok(self.store.release_lease(Leased::Actor(actor), context.token).await?)
    }

    /// Answers the request of a dry run that could not make a plan, with the reason.
    pub(super) async fn record_failed_dry_run(
        &self,
        context: &EvaluationContext<'_>,
        problem: &str,
    ) -> Result<(), HandlerError> {
        let Some(request_id) = &context.command.request_id else { return Ok(()) };
        let now = self.clock.now();
        let answer = Plan {
            state: PlanState::DryRun,
            request_id: Some(request_id.clone()),
            obstacle: Some(problem.to_owned()),
            ..Plan::empty(plan_id(now, context.request_id), now, Origin::Evaluation)
        };
        Ok(self.store.record_plan(&context.command.actor_id, &answer).await?)
    }
}
