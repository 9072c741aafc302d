//! Reports a dead letter in the status of its actor.

use aws::metrics::Metric;
use aws::queues::Queue;
use aws::store::Store;
use domain::actor::ActorId;
use domain::lifecycle::actor::{ActorEvent, OnBehalf};
use domain::plan::PlanState;
use jiff::Timestamp;
use tracing::info;

use super::MAX_DELIVERIES;
use super::subject::Subject;
use crate::HandlerError;

/// A message whose last delivery has failed.
pub(super) struct DeadLetter<'a> {
    pub(super) store: &'a Store,
    pub(super) queue: Queue,
    pub(super) subject: Subject,
    /// The id of the request, unless the message names another one.
    pub(super) request_id: &'a str,
}

impl DeadLetter<'_> {
    /// Sets the actor to needs attention, unless the message no longer concerns it: its plan is superseded or reviewed
    /// and has left no incomplete deletion, or a later evaluation has reached a verdict.
    pub(super) async fn report_to_actor(&self, failure: &HandlerError, now: Timestamp) -> Result<(), HandlerError> {
        let Some(actor) = self.subject.actor() else { return Ok(()) };
        let undispatched = self.undispatched_plan(&actor).await;
        let behalf = match (&undispatched, self.subject.plan()) {
            (Some(undispatched), _) => OnBehalf::Plan(undispatched),
            (None, Some(plan_id)) if self.is_over(&actor, plan_id).await => {
                if !self.has_claimed_images(&actor, plan_id).await {
                    info!(plan_id, "the plan of the dead letter is over");
                    return Ok(());
                }
                OnBehalf::Request(None)
            }
            (None, Some(plan_id)) => OnBehalf::Plan(plan_id),
            (None, None) => OnBehalf::Request(self.revision(&actor).await),
        };
        let reason = format!(
            "{:?} failed {MAX_DELIVERIES} times, and its message waits in the dead-letter queue: {failure}",
            self.queue
        );
        if self.store.change_standing(&actor, behalf, &ActorEvent::AttentionRequired { reason }, now).await? {
            Metric::SetsNeedingAttention.emit();
        } else {
            info!("the dead letter no longer concerns its actor");
        }
        Ok(())
    }

    /// The revision that the message was to have evaluated: the one that its request has raised, or else the desired one.
    /// `None` if no verdict makes the request obsolete, as of manual deletions and generations.
    async fn revision(&self, actor: &ActorId) -> Option<u64> {
        if self.queue != Queue::Evaluation {
            return None;
        }
        if self.subject.is_of_pending_revision() {
            return self.store.actor(actor).await.ok()?.map(|record| record.desired_revision);
        }
        let request_id = self.subject.request_id.as_deref().unwrap_or(self.request_id);
        self.store.request(actor, request_id).await.ok()??.revision
    }

    /// The active plan, if an evaluation could not send its messages. Only a message of the evaluation queue resumes
    /// the dispatch, so without that message the actor would stay `balancing` for ever.
    async fn undispatched_plan(&self, actor: &ActorId) -> Option<String> {
        if self.queue != Queue::Evaluation {
            return None;
        }
        let plan_id = self.store.actor(actor).await.ok()??.active_plan?;
        let plan = self.store.plan(actor, &plan_id).await.ok()??;
        (plan.state == PlanState::Adopted).then_some(plan_id)
    }

    /// Whether the plan is known to be reviewed, superseded or missing. A plan that can't be read may be the cause of
    /// the failure and doesn't count as over.
    async fn is_over(&self, actor: &ActorId, plan_id: &str) -> bool {
        match self.store.plan(actor, plan_id).await {
            Ok(plan) => plan.is_none_or(|plan| !plan.state.is_open()),
            Err(_) => false,
        }
    }

    /// Whether a deletion of this plan has begun and is incomplete. While the object exists, only the plan's own
    /// message or another deletion of the image completes it; once the object is gone, an evaluation does too. So the
    /// failure concerns the actor even if the plan was superseded. A record that can't be read may be the cause of the
    /// failure and counts as claimed.
    async fn has_claimed_images(&self, actor: &ActorId, plan_id: &str) -> bool {
        if self.queue != Queue::Deletion {
            return false;
        }
        let plan = match self.store.plan(actor, plan_id).await {
            Ok(Some(plan)) => plan,
            Ok(None) => return false,
            Err(_) => return true,
        };
        for deletion in &plan.delete {
            let image = self.store.image(actor, &deletion.filename).await;
            if !image.is_ok_and(|image| image.is_none_or(|image| !image.is_claimed_by(plan_id))) {
                return true;
            }
        }
        false
    }
}
