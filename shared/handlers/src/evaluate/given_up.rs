//! A suspended set stays unchanged until it changes or the user requests another attempt. Otherwise a second upload of
//! the same file, or a second run on the same folder, would delete and generate as many images in vain again.

use aws::store::leases::Verdict;
use domain::messages::{Cause, Mode};
use domain::planner::Scope;
use domain::standstill::Standstill;
use domain::status::Status;
use tracing::info;

use super::Evaluation;
use super::decide::Case;
use super::survey::Survey;
use crate::StageError;

impl Evaluation {
    /// The record of the suspended set, if the set is the same and the message requests no other attempt.
    pub(super) fn still_given_up<'a>(&self, case: &'a Case<'_>, survey: &Survey) -> Option<&'a Standstill> {
        let command = case.command;
        let is_news_of_uploads = command.cause == Cause::Uploads && command.mode == Mode::Execute;
        let may_stay = is_news_of_uploads && command.scope == Scope::All && !command.force;
        let given_up = case.record.given_up.as_ref().filter(|_| may_stay)?;
        given_up.still_holds(&survey.fingerprint, &self.policy_in_words()).then_some(given_up)
    }

    pub(super) async fn stay_given_up(&self, case: &Case<'_>, given_up: &Standstill) -> Result<(), StageError> {
        info!(actor = %case.command.actor_id, "nothing has changed since the set was given up");
        let verdict = case.verdict(given_up.status, given_up.rounds, &given_up.reason);
        self.conclude_with(case, Verdict { given_up: Some(given_up.clone()), ..verdict }).await
    }

    /// Sets the actor to needs attention, and records the set so that the balancer does not retry the same set by
    /// itself.
    pub(super) async fn give_up(
        &self,
        case: &Case<'_>,
        round: u32,
        reason: &str,
        fingerprint: &str,
    ) -> Result<(), StageError> {
        let given_up = Standstill {
            status: Status::NeedsAttention,
            reason: reason.to_owned(),
            rounds: round.min(self.max_rounds),
            images: fingerprint.to_owned(),
            policy: Some(self.policy_in_words()),
            circumstances: None,
        };
        let verdict = case.verdict(Status::NeedsAttention, round, reason);
        self.conclude_with(case, Verdict { given_up: Some(given_up), ..verdict }).await
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
