//! One evaluation, from the lease to the verdict.

use aws::store::actors::ActorRecord;
use aws::store::verdicts::{Answers, Verdict};
use domain::messages::{EvaluationCommand, Mode};
use domain::planner::Scope;
use domain::settings::Settings;
use domain::status::Status;

pub(super) struct EvaluationContext<'a> {
    pub(super) command: &'a EvaluationCommand,
    /// The actor record at the time at which the lease was taken.
    pub(super) record: ActorRecord,
    /// The settings of the set: the stack's until `actor.json` has been read.
    pub(super) settings: Settings,
    pub(super) round: u32,
    /// The lease token.
    pub(super) token: &'a str,
    pub(super) request_id: &'a str,
}

impl EvaluationContext<'_> {
    /// Whether the verdict covers the whole set: then it observes the revision.
    pub(super) fn observes_revision(&self) -> bool {
        self.command.scope == Scope::All && self.command.mode == Mode::Execute
    }

    pub(super) fn verdict<'v>(&'v self, status: Status, round: u32, reason: &'v str) -> Verdict<'v> {
        let answers = match self.command.scope {
            Scope::All => Answers::Revision(self.record.desired_revision),
            Scope::DeleteOnly | Scope::GenerateOnly => Answers::Request(self.request_id),
        };
        Verdict { status, reason, round, answers, suspension: None }
    }
}
