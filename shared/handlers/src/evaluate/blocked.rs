//! A set that can't be judged now: for want of money, time or a service that answers, or because a person must help.

use std::time::Duration;

use aws::store::actors::OnBehalf;
use domain::disposition::Disposition;
use domain::messages::Mode;
use domain::status::Status;
use providers::vision::LONGEST_TIMEOUT_SECONDS;
use providers::vision::VisionError;

use super::Evaluation;
use super::assess::{AssessmentBlocked, BudgetShortage};
use super::context::EvaluationContext;
use crate::{HandlerError, outage, park_over_budget};

impl Evaluation {
    /// The images can't be judged now: it is put off, or a person is asked, or money is waited for, or an outage is waited
    /// out.
    pub(super) async fn end_blocked(
        &self,
        context: &EvaluationContext<'_>,
        blocked: AssessmentBlocked,
    ) -> Result<(), HandlerError> {
        let (error, is_any_new) = match blocked {
            AssessmentBlocked::OverBudget(shortage) => return self.wait_for_money(context, shortage).await,
            AssessmentBlocked::ServiceFailed { error, is_any_new } => (error, is_any_new),
        };
        match error.disposition() {
            Disposition::RetryAfter(pause) => {
                self.forget_outage(context).await?;
                Err(HandlerError::deferred(error.to_string(), pause))
            }
            Disposition::NeedsOperator | Disposition::Permanent => {
                self.forget_outage(context).await?;
                self.ask_for_attention(context, &format!("Nothing can be judged: {error}.")).await
            }
            Disposition::Timeout if !is_any_new => self.after_time_out(context, error).await,
            Disposition::Timeout => Err(self.back_off(context, error, None).await?),
            Disposition::Outage { retry_after } => Err(self.back_off(context, error, retry_after).await?),
            Disposition::Retry | Disposition::NeedsFunds | Disposition::ContentRejected => Err(error.into()),
        }
    }

    /// A service that sends no answer in time is waited out once. It may exceed the time again on each retry, and
    /// charge for it, so the second time in a row needs the operator.
    async fn after_time_out(&self, context: &EvaluationContext<'_>, error: VisionError) -> Result<(), HandlerError> {
        if context.record.vision_timed_out {
            self.forget_outage(context).await?;
            return self.ask_for_attention(context, &format!("Nothing can be judged: {}.", twice(&error))).await;
        }
        let deferred = self.back_off(context, error, None).await?;
        self.store.note_vision_time_out(&context.command.actor_id).await?;
        Err(deferred)
    }

    /// The actor is parked, unless only a dry run was wanted: that one is not worth waiting for.
    async fn wait_for_money(
        &self,
        context: &EvaluationContext<'_>,
        shortage: BudgetShortage,
    ) -> Result<(), HandlerError> {
        let BudgetShortage { limit, needed, day, because } = shortage;
        let because = because.map(|why| format!(" A question was to be asked again: {why}.")).unwrap_or_default();
        let mut reason = self.budget.shortage(limit, needed, day) + &because;
        // Looking again in vain tells the same without that, and must not hide why the money went.
        let told = context.record.reason.as_ref().filter(|told| told.starts_with(&reason));
        if let (Status::Parked, Some(told)) = (context.record.status, told) {
            reason.clone_from(told);
        }
        if context.command.mode == Mode::DryRun {
            return self.ask_for_attention(context, &format!("Nothing can be judged. {reason}")).await;
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
    ) -> Result<HandlerError, HandlerError> {
        let now = self.clock.now();
        let since = outage::since(context.record.vision_outage_since, now);
        let Some(pause) = outage::pause(since, now, retry_after) else { return Ok(error.into()) };
        self.store.note_vision_outage(&context.command.actor_id, Some(since)).await?;
        Ok(HandlerError::deferred(error.to_string(), pause))
    }

    /// The service has been asked, and has answered.
    pub(super) async fn forget_outage(&self, context: &EvaluationContext<'_>) -> Result<(), HandlerError> {
        if context.record.vision_outage_since.is_some() || context.record.vision_timed_out {
            self.store.note_vision_outage(&context.command.actor_id, None).await?;
        }
        Ok(())
    }
}

fn twice(error: &VisionError) -> String {
    format!(
        "{error}, twice in a row: raise VISION_TIMEOUT_SECONDS ({LONGEST_TIMEOUT_SECONDS} at most) or set a faster VISION_MODEL, then ask for an evaluation"
    )
}
