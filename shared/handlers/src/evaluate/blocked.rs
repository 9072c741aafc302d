//! Ends an evaluation that could not assess the set: no budget, a failing vision service, or work for the operator.

use std::time::Duration;

use domain::disposition::Disposition;
use domain::lifecycle::actor::OnBehalf;
use domain::messages::Mode;
use domain::status::Status;
use providers::vision::LONGEST_TIMEOUT_SECONDS;
use providers::vision::VisionError;

use super::Evaluation;
use super::assess::{AssessmentBlocked, BudgetShortage};
use super::context::EvaluationContext;
use crate::{HandlerError, outage, park_over_budget};

impl Evaluation {
    pub(super) async fn end_blocked(
        &self,
        context: &EvaluationContext<'_>,
        blocked: AssessmentBlocked,
    ) -> Result<(), HandlerError> {
        let (error, is_any_new) = match blocked {
            AssessmentBlocked::OverBudget(shortage) => return self.park(context, shortage).await,
            AssessmentBlocked::ServiceFailed { error, is_any_new } => (error, is_any_new),
        };
        match error.disposition() {
            Disposition::RetryAfter(delay) => {
                self.forget_outage(context).await?;
                Err(HandlerError::deferred(error.to_string(), delay))
            }
            Disposition::NeedsOperator | Disposition::Permanent => {
                self.forget_outage(context).await?;
                Err(HandlerError::NeedsOperator(format!("Nothing can be assessed: {error}.")))
            }
            Disposition::Timeout if !is_any_new => self.after_timeout(context, error).await,
            Disposition::Timeout => Err(self.back_off(context, error, None, is_any_new).await?),
            Disposition::Outage { retry_after } => Err(self.back_off(context, error, retry_after, is_any_new).await?),
            Disposition::Retry | Disposition::NeedsFunds | Disposition::ContentRejected => Err(error.into()),
        }
    }

    /// Backs off after the first timeout. Each retry may exceed the timeout again and be billed, so a second one in a
    /// row needs the operator.
    async fn after_timeout(&self, context: &EvaluationContext<'_>, error: VisionError) -> Result<(), HandlerError> {
        if context.record.vision_timed_out {
            self.forget_outage(context).await?;
            return Err(HandlerError::NeedsOperator(format!("Nothing can be assessed: {}.", second_timeout(&error))));
        }
        let deferred = self.back_off(context, error, None, false).await?;
        self.store.note_vision_time_out(&context.command.actor_id).await?;
        Err(deferred)
    }

    /// Parks the actor. A dry run doesn't wait for the budget; it reports the shortage.
    async fn park(&self, context: &EvaluationContext<'_>, shortage: BudgetShortage) -> Result<(), HandlerError> {
        let BudgetShortage { limit, needed, day, retry_of, is_any_new } = shortage;
        if is_any_new {
            self.forget_outage(context).await?;
        }
        let cause = retry_of.map(|cause| format!(" A request was to be repeated: {cause}.")).unwrap_or_default();
        let mut reason = self.budget.shortage(limit, needed, day) + &cause;
        // A later attempt may find the same shortage without this cause. It must not hide what the money was spent on.
        let recorded = context.record.reason.as_ref().filter(|recorded| recorded.starts_with(&reason));
        if let (Status::Parked, Some(recorded)) = (context.record.status, recorded) {
            reason.clone_from(recorded);
        }
        if context.command.mode == Mode::DryRun {
            return Err(HandlerError::NeedsOperator(format!("Nothing can be assessed. {reason}")));
        }
        let actor = &context.command.actor_id;
        let behalf = OnBehalf::Evaluation(context.token);
        Err(park_over_budget(&self.store, &self.clock, &self.budget, actor, behalf, limit, reason).await?)
    }

    /// Defers the message during an outage, with increasing delays. After about an hour it returns the error itself.
    async fn back_off(
        &self,
        context: &EvaluationContext<'_>,
        error: VisionError,
        retry_after: Option<Duration>,
        is_any_new: bool,
    ) -> Result<HandlerError, HandlerError> {
        let now = self.clock.now();
        // A new assessment shows that an earlier outage is over.
        let recorded = context.record.vision_outage_since.filter(|_| !is_any_new);
        let since = outage::since(recorded, now);
        let Some(delay) = outage::back_off(since, now, retry_after) else { return Ok(error.into()) };
        let cause = error.to_string();
        self.store.note_vision_outage(&context.command.actor_id, Some((since, &cause))).await?;
        Ok(HandlerError::deferred(cause, delay))
    }

    /// Records that the vision service works again.
    pub(super) async fn forget_outage(&self, context: &EvaluationContext<'_>) -> Result<(), HandlerError> {
        if context.record.vision_outage_since.is_some() || context.record.vision_timed_out {
            self.store.note_vision_outage(&context.command.actor_id, None).await?;
        }
        Ok(())
    }
}

fn second_timeout(error: &VisionError) -> String {
    format!(
        "{error}, twice in a row: raise VISION_TIMEOUT_SECONDS ({LONGEST_TIMEOUT_SECONDS} at most) or set a faster VISION_MODEL, then ask for an evaluation"
    )
}
