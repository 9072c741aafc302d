//! One evaluation, from the lease to the verdict.

use aws::store::actors::ActorRecord;
use aws::store::leases::{Uploads, Verdict};
use domain::messages::EvaluationCommand;
use domain::planner::Scope;
use domain::status::Status;
use jiff::Timestamp;

pub(super) struct EvaluationContext<'a> {
    pub(super) command: &'a EvaluationCommand,
    /// The actor record at the time at which the lease was taken.
    pub(super) record: ActorRecord,
    pub(super) round: u32,
    /// Whether this round continues the previous one, without an upload in between.
    pub(super) continues: bool,
    pub(super) began: Timestamp,
    /// The lease token.
    pub(super) token: &'a str,
    pub(super) message_id: &'a str,
}

impl EvaluationContext<'_> {
    /// Whether the verdict covers the pending uploads: only an evaluation with full scope does.
    fn uploads(&self) -> Uploads {
        match self.command.scope {
            Scope::All => Uploads::Evaluated { until: self.record.pending_last },
            Scope::DeleteOnly | Scope::GenerateOnly => Uploads::StillWait,
        }
    }

    pub(super) fn verdict<'v>(&self, status: Status, round: u32, reason: &'v str) -> Verdict<'v> {
        let (scope, began, continues) = (self.command.scope, self.began, self.continues);
        Verdict { status, reason, round, uploads: self.uploads(), scope, began, continues, suspension: None }
    }
}
