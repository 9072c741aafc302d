//! A suspended set stays unchanged until it changes or the operator requests another attempt. Otherwise a second upload
//! of the same file, or a second run on the same folder, would delete and generate as many images in vain again.

use aws::store::verdicts::Verdict;
use domain::format::OwnFormat;
use domain::messages::{Cause, Mode};
use domain::planner::Scope;
use domain::settings::Settings;
use domain::status::Status;
use domain::suspension::Suspension;
use tracing::info;

use super::Evaluation;
use super::context::EvaluationContext;
use crate::HandlerError;

impl Evaluation {
    /// The suspension, if the set is the same and the message requests no other attempt.
    pub(super) async fn current_suspension<'a>(
        &self,
        context: &'a EvaluationContext<'_>,
        fingerprint: &str,
    ) -> Result<Option<&'a Suspension>, HandlerError> {
        let command = context.command;
        let is_triggered_by_events = matches!(command.cause, Cause::Uploads | Cause::Changed | Cause::Resume);
        let is_of_full_scope = command.scope == Scope::All && command.mode == Mode::Execute;
        let may_stay = is_triggered_by_events && is_of_full_scope && !command.force;
        let Some(suspension) = context.record.suspension.as_ref().filter(|_| may_stay) else { return Ok(None) };
        let policy = self.policy_text(context).await?;
        Ok(suspension.still_holds(fingerprint, &policy).then_some(suspension))
    }

    pub(super) async fn stay_suspended(
        &self,
        context: &EvaluationContext<'_>,
        suspension: &Suspension,
    ) -> Result<(), HandlerError> {
        info!(actor = %context.command.actor_id, "the set is suspended and unchanged");
        let verdict = context.verdict(suspension.status, suspension.rounds, &suspension.reason);
        self.settle(context, Verdict { suspension: Some(suspension.clone()), ..verdict }).await
    }

    /// Sets the actor to needs attention, and suspends the set that has this fingerprint.
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
            policy: Some(self.policy_text(context).await?),
            circumstances: None,
        };
        let verdict = context.verdict(Status::NeedsAttention, round, reason);
        self.settle(context, Verdict { suspension: Some(suspension), ..verdict }).await
    }

    /// The settings and the stack's prompts that a suspension depends on. The fingerprint covers the actor's own prompts.
    async fn policy_text(&self, context: &EvaluationContext<'_>) -> Result<String, HandlerError> {
        let Settings { target, rules, format } = context.settings;
        let prompts = self.bucket.etag(&self.keys.prompts()).await?;
        Ok(format!(
            "{} of a {} views {} {} floor {} frontal {} {} limits {} rounds {} by {}{}{}{}",
            target.counts(),
            context.record.profile.descriptor(),
            target.views.framing,
            target.views.angle,
            rules.quality_floor,
            rules.frontal.own,
            rules.frontal.percent,
            rules.limits,
            self.max_rounds,
            self.vision.name(),
            if self.vision.always_shows_reference() { " with the base image" } else { "" },
            prompts.map(|etag| format!(" prompts {etag}")).unwrap_or_default(),
            in_words(format),
        ))
    }
}

/// The actor's own format after the other settings; empty if it has none.
fn in_words(format: OwnFormat) -> String {
    let ratio = format.aspect_ratio.map(|ratio| format!(" in {ratio}"));
    let size = format.megapixels.map(|size| format!(" of {size} MP"));
    ratio.into_iter().chain(size).collect()
}
