//! A suspended set stays unchanged until it changes or the user requests another attempt. Otherwise a second upload of
//! the same file, or a second run on the same folder, would delete and generate as many images in vain again.

use aws::store::leases::Verdict;
use domain::messages::{Cause, Mode};
use domain::planner::Scope;
use domain::status::Status;
use domain::suspension::Suspension;
use tracing::info;

use super::Evaluation;
use super::decide::EvaluationContext;
use super::inventory::Inventory;
use crate::HandlerError;

impl Evaluation {
    /// The record of the suspended set, if the set is the same and the message requests no other attempt.
    pub(super) fn still_suspended<'a>(
        &self,
        context: &'a EvaluationContext<'_>,
        inventory: &Inventory,
    ) -> Option<&'a Suspension> {
        let command = context.command;
        let is_news_of_uploads = command.cause == Cause::Uploads && command.mode == Mode::Execute;
        let may_stay = is_news_of_uploads && command.scope == Scope::All && !command.force;
        let suspension = context.record.suspension.as_ref().filter(|_| may_stay)?;
        suspension.still_holds(&inventory.fingerprint, &self.policy_in_words()).then_some(suspension)
    }

    pub(super) async fn stay_suspended(
        &self,
        context: &EvaluationContext<'_>,
        suspension: &Suspension,
    ) -> Result<(), HandlerError> {
        info!(actor = %context.command.actor_id, "nothing has changed since the set was given up");
        let verdict = context.verdict(suspension.status, suspension.rounds, &suspension.reason);
        self.conclude_with(context, Verdict { suspension: Some(suspension.clone()), ..verdict }).await
    }

    /// Sets the actor to needs attention, and records the set so that the balancer does not retry the same set by
    /// itself.
    pub(super) async fn suspend(
        &self,
        context: &EvaluationContext<'_>,
        round: u32,
        reason: &str,
        fingerprint: &str,
    ) -> Result<(), HandlerError> {
        let suspension = Suspension {
            status: Status::NeedsAttention,
            reason: reason.to_owned(),
            rounds: round.min(self.max_rounds),
            images: fingerprint.to_owned(),
            policy: Some(self.policy_in_words()),
            circumstances: None,
        };
        let verdict = context.verdict(Status::NeedsAttention, round, reason);
        self.conclude_with(context, Verdict { suspension: Some(suspension), ..verdict }).await
    }

    fn policy_in_words(&self) -> String {
        format!(
            "{} floor {} frontal {} rounds {} by {}",
            self.target.counts(),
            self.quality_floor,
            self.frontal_images,
            self.max_rounds,
            self.vision.name()
        )
    }
}
