//! The ends of an evaluation: it starts a plan, puts a plan on hold, or settles the actor's status without one.
//!
//! Each of them replaces the active plan in three steps. First it supersedes that plan, if it isn't completed. Then one
//! write stores the verdict and releases the lease. Last it marks the previous plan as reviewed. Superseding must come
//! first: a crash after it only leads to another evaluation, while a running plan that no actor record names would
//! generate images for ever.

use aws::metrics::Metric;
use aws::queues::Queue;
use aws::store::leases::Leased;
use aws::store::plans::Adoption;
use aws::store::verdicts::Verdict;
use domain::actor::ActorId;
use domain::lifecycle::actor::{ActorEvent, OnBehalf};
use domain::manifest::{BALANCING, GenerationBatch};
use domain::messages::{Cause, EvaluationCommand, Mode};
use domain::plan::{Plan, PlanState};
use domain::status::Status;
use serde_json::json;
use tracing::{info, warn};

use super::context::EvaluationContext;
use super::generation_failures::generation_failures;
use super::{Evaluation, approval, turn};
use crate::HandlerError;
use crate::dispatch::dispatch_plan;

impl Evaluation {
    /// Adopts the plan and sends its messages.
    pub(super) async fn start_plan(&self, context: &EvaluationContext<'_>, plan: Plan) -> Result<(), HandlerError> {
        let actor = &context.command.actor_id;
        let reason =
            format!("From {} to {}.{}", plan.before, plan.result, generation_failures(&self.store, context).await?);
        let verdict = context.verdict(Status::Balancing, context.round, &reason);
        let batch = plan.generation_id.map(|generation_id| GenerationBatch {
            metadata: json!({ "plan_id": plan.plan_id }).as_object().cloned().unwrap_or_default(),
            ..GenerationBatch::new(generation_id, BALANCING, self.clock.now(), plan.slots.len())
        });
        self.supersede_active_plan(context).await?;
        self.adopt(context, &plan, batch.as_ref(), &verdict).await?;
        info!(%actor, plan_id = plan.plan_id, before = %plan.before, result = %plan.result,
            delete = plan.delete.len(), generate = plan.slots.len(), "plan adopted");
        self.review_previous_plan(context).await?;
        dispatch_plan(&self.store, &self.queues, actor, &plan).await
    }

    /// Stores the plan on hold and requests the operator's approval.
    pub(super) async fn hold_for_approval(
        &self,
        context: &EvaluationContext<'_>,
        plan: Plan,
    ) -> Result<(), HandlerError> {
        let actor = &context.command.actor_id;
        let reason = approval::request(actor, &plan, self.max_deleted_percent);
        warn!(%actor, plan_id = plan.plan_id, reason, "awaits approval");
        let plan = Plan { state: PlanState::AwaitingApproval, generation_id: None, ..plan };
        let verdict = context.verdict(Status::NeedsAttention, context.round, &reason);
        self.supersede_active_plan(context).await?;
        self.adopt(context, &plan, None, &verdict).await?;
        Metric::SetsNeedingAttention.emit();
        self.review_previous_plan(context).await?;
        if self.store.actor(actor).await?.is_some_and(|record| record.is_evaluation_pending()) {
            // A plan on hold may never complete, so its completion can't trigger this evaluation.
            self.evaluate_pending(actor).await?;
        }
        Ok(())
    }

    /// Ends the evaluation without a plan.
    pub(super) async fn settle(
        &self,
        context: &EvaluationContext<'_>,
        verdict: Verdict<'_>,
    ) -> Result<(), HandlerError> {
        let actor = &context.command.actor_id;
        info!(%actor, status = ?verdict.status, reason = verdict.reason, "evaluated");
        if verdict.status == Status::Balanced { Metric::SetsBalanced } else { Metric::SetsNeedingAttention }.emit();
        self.supersede_active_plan(context).await?;
        let is_pending = self.store.settle(actor, context.token, &verdict, self.clock.now()).await?;
        self.review_previous_plan(context).await?;
        if is_pending {
            self.evaluate_pending(actor).await?;
        }
        Ok(())
    }

    /// Ends the evaluation because of a problem that the operator must resolve.
    pub(super) async fn ask_for_attention(
        &self,
        context: &EvaluationContext<'_>,
        problem: &str,
    ) -> Result<(), HandlerError> {
        let actor = &context.command.actor_id;
        warn!(%actor, problem, "needs attention");
        if context.command.mode == Mode::DryRun {
            // A dry run sets the status, but leaves a running plan and the observed revision unchanged.
            let required = ActorEvent::AttentionRequired { reason: problem.to_owned() };
            let behalf = OnBehalf::Evaluation(context.token);
            self.store.change_standing(actor, behalf, &required, self.clock.now()).await?;
            self.record_failed_dry_run(context, problem).await?;
            return Ok(self.store.release_lease(Leased::Actor(actor), context.token).await?);
        }
        // A suspended set stays suspended: once the problem is resolved, the same images get no new rounds.
        let suspension = context.record.suspension.clone();
        let verdict = context.verdict(Status::NeedsAttention, context.round, problem);
        self.settle(context, Verdict { suspension, ..verdict }).await
    }

    /// Stores the plan as the active one, together with the verdict.
    async fn adopt(
        &self,
        context: &EvaluationContext<'_>,
        plan: &Plan,
        batch: Option<&GenerationBatch>,
        verdict: &Verdict<'_>,
    ) -> Result<(), HandlerError> {
        let actor = &context.command.actor_id;
        let now = self.clock.now();
        let adoption = Adoption { plan, generation: batch, verdict, must_be_unchanged: true };
        if self.store.adopt_plan(actor, context.token, &adoption, now).await? {
            return Ok(());
        }
        // A continuous stream of uploads must not block every plan: then the uploads wait for the end of this one.
        let is_overdue = |since| turn::is_overdue(super::age(since, now), self.quiet);
        if context.record.adoption_deferred_since.is_some_and(is_overdue) {
            let adoption = Adoption { must_be_unchanged: false, ..adoption };
            if self.store.adopt_plan(actor, context.token, &adoption, now).await? {
                return Ok(());
            }
        }
        self.store.defer_adoption(actor, context.token, now).await?;
        Err(HandlerError::deferred("images arrived during the evaluation", self.quiet))
    }

    /// Supersedes the active plan if it isn't completed: a forced evaluation found it running, or it was never
    /// approved.
    pub(super) async fn supersede_active_plan(&self, context: &EvaluationContext<'_>) -> Result<(), HandlerError> {
        let actor = &context.command.actor_id;
        let Some(active) = &context.record.active_plan else { return Ok(()) };
        Ok(self.store.supersede_plan(actor, active).await?)
    }

    /// Marks the plan that was active as reviewed, unless it is superseded.
    async fn review_previous_plan(&self, context: &EvaluationContext<'_>) -> Result<(), HandlerError> {
        let Some(previous) = &context.record.active_plan else { return Ok(()) };
        Ok(self.store.review_plan(&context.command.actor_id, previous).await?)
    }

    async fn evaluate_pending(&self, actor: &ActorId) -> Result<(), HandlerError> {
        let command = EvaluationCommand::because(actor.clone(), Cause::Uploads);
        Ok(self.queues.send(Queue::Evaluation, &command, self.quiet).await?)
    }
}
