//! The deletions of a plan.

use aws::metrics::Metric;
use domain::actor::ActorId;
use domain::lifecycle::deletion::Version;
use domain::plan::{Plan, PlanState, PlannedDeletion};
use tokio::time::Instant;
use tracing::{info, warn};

use super::{Deletion, Outcome, check_time};
use crate::HandlerError;
use crate::dispatch::{dispatch_slots, evaluate_change, review_if_completed};
use crate::listing::FolderSnapshot;

impl Deletion {
    pub(super) async fn execute_plan(&self, actor: &ActorId, plan_id: &str) -> Result<(), HandlerError> {
        let Some(plan) = self.store.plan(actor, plan_id).await? else {
            return Err(HandlerError::Rejected(format!("{actor} has no plan {plan_id}")));
        };
        if !plan.state.accepts_messages() {
            self.complete_claimed(actor, &plan).await?;
            if plan.state == PlanState::Superseded {
                self.evaluate_deletions(actor, &plan).await?;
            }
            return Err(HandlerError::Rejected(format!(
                "plan {plan_id} of {actor} is {} and accepts no work",
                plan.state.name()
            )));
        }
        if matches!(plan.state, PlanState::Adopted | PlanState::Deleting) {
            let deleted = self.delete_planned(actor, &plan).await?;
            self.store.finish_deletions(actor, &plan, deleted).await?;
        }
        dispatch_slots(&self.queues, actor, &plan).await?;
        let state = review_if_completed(&self.store, &self.queues, actor, plan_id).await?;
        if state == Some(PlanState::Superseded) {
            self.evaluate_deletions(actor, &plan).await?;
        }
        Ok(())
    }

    /// Returns the number of images that this plan has deleted, in this delivery or an earlier one.
    async fn delete_planned(&self, actor: &ActorId, plan: &Plan) -> Result<u32, HandlerError> {
        let (mut deleted, mut has_progressed) = (0, false);
        let deadline = Instant::now() + self.time_budget;
        let mut folder = self.folder(actor).await?;
        for deletion in &plan.delete {
            if has_progressed {
                check_time(deadline)?;
            }
            let (filename, plan_id) = (&deletion.filename, &plan.plan_id);
            match self.delete_planned_image(actor, plan_id, deletion, &folder).await? {
                Outcome::Deleted => {
                    info!(%actor, plan_id, filename, reason = deletion.reason, "deleted");
                    Metric::ImagesDeleted(1).emit();
                    folder.remove(filename);
                    (deleted, has_progressed) = (deleted + 1, true);
                }
                Outcome::DeletedBefore => deleted += 1,
                Outcome::Pinned => info!(%actor, plan_id, filename, "not deleted: pinned"),
                Outcome::Replaced => warn!(%actor, plan_id, filename, "not deleted: replaced since its assessment"),
                Outcome::Missing | Outcome::RecordRemoved => {
                    warn!(%actor, plan_id, filename, "not deleted: no longer in the bucket");
                }
            }
        }
        Ok(deleted)
    }

    async fn delete_planned_image(
        &self,
        actor: &ActorId,
        plan_id: &str,
        deletion: &PlannedDeletion,
        folder: &FolderSnapshot,
    ) -> Result<Outcome, HandlerError> {
        let PlannedDeletion { filename, etag, reason } = deletion;
        let wanted = self.trash_record(actor, filename, plan_id, etag, reason, folder);
        self.delete(actor, filename, &wanted, Version::Assessed).await
    }

    /// Completes the deletions that a superseded plan has begun. Otherwise their images would stay claimed for ever.
    async fn complete_claimed(&self, actor: &ActorId, plan: &Plan) -> Result<(), HandlerError> {
        for deletion in &plan.delete {
            let image = self.store.image(actor, &deletion.filename).await?;
            if image.is_some_and(|image| image.is_claimed_by(&plan.plan_id)) {
                let folder = self.folder(actor).await?;
                self.delete_planned_image(actor, &plan.plan_id, deletion, &folder).await?;
            }
        }
        Ok(())
    }

    /// Requests an evaluation of what a superseded plan has deleted, if anything. The evaluation that superseded the plan
    /// may not have seen it. Each further deletion is another change, which no evaluation of earlier ones covers.
    async fn evaluate_deletions(&self, actor: &ActorId, plan: &Plan) -> Result<(), HandlerError> {
        let mut deleted = 0;
        for deletion in &plan.delete {
            let trashed = self.store.trashed(actor, &deletion.filename, &plan.plan_id).await?;
            deleted += u32::from(trashed.is_some());
        }
        if deleted == 0 {
            return Ok(());
        }
        evaluate_change(&self.queues, actor, &format!("{}.deletions.{deleted}", plan.plan_id)).await
    }
}
