//! Deletion: images leave S3 (to the trash), the local copy and the manifest.

use tracing::{info, warn};

use super::chain::{dispatch_slots, evaluate_if_done};
use super::{Message, Stage, StageError};
use crate::adapters::bucket::{Bucket, IfUnchanged};
use crate::adapters::local_copy::LocalCopy;
use crate::adapters::queues::{Queue, Queues};
use crate::adapters::store::Store;
use crate::domain::actor::ActorId;
use crate::domain::plan::{Plan, PlanState};
use crate::keys::Keys;
use crate::messages::{Cause, DeletionMessage, EvaluationCommand};

/// The deletion stage.
#[derive(Clone)]
pub struct Deletion {
    /// Where the images lie.
    pub bucket: Bucket,
    /// Where the manifests lie.
    pub store: Store,
    /// What comes next.
    pub queues: Queues,
    /// The same images as plain files.
    pub local: LocalCopy,
    /// Where things lie in the bucket.
    pub keys: Keys,
}

impl Stage for Deletion {
    const QUEUE: Queue = Queue::Deletion;

    async fn handle(&self, message: Message<'_>) -> Result<(), StageError> {
        match DeletionMessage::parse(message.body)? {
            DeletionMessage::Planned { actor_id, plan_id } => self.carry_out(&actor_id, &plan_id).await,
            DeletionMessage::ByHand { actor_id, filenames } => self.delete_by_hand(&actor_id, &filenames).await,
        }
    }
}

impl Deletion {
    async fn carry_out(&self, actor: &ActorId, plan_id: &str) -> Result<(), StageError> {
        let Some(plan) = self.store.plan(actor, plan_id).await? else {
            return Err(StageError::Refused(format!("{actor} has no plan {plan_id}")));
        };
        if matches!(plan.state, PlanState::Superseded | PlanState::DryRun) {
            return Err(StageError::Refused(format!("plan {plan_id} of {actor} is not to be carried out any more")));
        }
        if !plan.deletions_done {
            let deleted = self.delete_planned(actor, &plan).await?;
            self.store.finish_deletions(actor, plan_id, deleted).await?;
        }
        dispatch_slots(&self.queues, actor, &plan).await?;
        evaluate_if_done(&self.store, &self.queues, actor, plan_id).await
    }

    async fn delete_planned(&self, actor: &ActorId, plan: &Plan) -> Result<u32, StageError> {
        let mut deleted = 0;
        for deletion in &plan.delete {
            if self.delete(actor, &plan.plan_id, &deletion.filename, &deletion.etag).await? {
                info!(%actor, plan_id = plan.plan_id, filename = deletion.filename, reason = deletion.reason, "deleted");
                deleted += 1;
            }
        }
        Ok(deleted)
    }

    async fn delete_by_hand(&self, actor: &ActorId, filenames: &[String]) -> Result<(), StageError> {
        for filename in filenames {
            match self.bucket.etag(&self.keys.image(actor, filename)).await? {
                // Named after the version, so that workers at the same file put one copy into the trash.
                Some(etag) => drop(self.delete(actor, &format!("by-hand-{etag}"), filename, &etag).await?),
                None => self.forget(actor, "by-hand", filename).await?,
            }
        }
        let command = EvaluationCommand::because(actor.clone(), Cause::ByHand);
        self.queues.send(Queue::Evaluation, &command, std::time::Duration::ZERO).await?;
        Ok(())
    }

    /// Moves one version of an image to the trash. `false` if another version has taken its place: that one nobody
    /// has judged, so it stays.
    async fn delete(&self, actor: &ActorId, plan_id: &str, filename: &str, etag: &str) -> Result<bool, StageError> {
        let key = self.keys.image(actor, filename);
        let copied = self.bucket.copy_if(&key, &self.keys.trash(actor, plan_id, filename), etag).await?;
        let deleted = match copied {
            IfUnchanged::Done => self.bucket.delete_if(&key, etag).await?,
            unchanged => unchanged,
        };
        if deleted == IfUnchanged::Changed {
            warn!(%actor, filename, "not deleted: it was replaced since it was judged");
            return Ok(false);
        }
        self.forget(actor, plan_id, filename).await?;
        Ok(true)
    }

    /// What is left to do once an image is not in S3 any more, now or since an earlier attempt.
    async fn forget(&self, actor: &ActorId, plan_id: &str, filename: &str) -> Result<(), StageError> {
        if !self.local.trash(actor, plan_id, filename).await? {
            info!(%actor, filename, "there is no local copy to remove");
        }
        Ok(self.store.forget_image(actor, filename).await?)
    }
}
