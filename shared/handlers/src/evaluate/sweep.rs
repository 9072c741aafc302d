//! The sweep: finds actors whose work has stopped because messages were lost, and resumes it.
//!
//! SQS removes a message that no function has received for the retention period, for example because the functions
//! were paused. The message of an actor that is at work would then never come.

use std::time::Duration;

use aws::queues::Queue;
use aws::store::actors::ActorRecord;
use domain::actor::ActorId;
use domain::messages::{Cause, EvaluationCommand};
use domain::stall::is_stalled;
use jiff::Timestamp;
use tracing::{error, warn};

use super::Evaluation;
use crate::HandlerError;

impl Evaluation {
    /// Requests that the work of every stalled actor is resumed. A record that can't be read affects only its actor.
    pub(super) async fn sweep(&self) -> Result<(), HandlerError> {
        let now = self.clock.now();
        for (actor, record) in self.store.actors().await? {
            if let Err(error) = self.resume_if_stalled(&actor, &record, now).await {
                error!(%actor, "not swept: {error}");
            }
        }
        Ok(())
    }

    async fn resume_if_stalled(
        &self,
        actor: &ActorId,
        record: &ActorRecord,
        now: Timestamp,
    ) -> Result<(), HandlerError> {
        let Some(work) = self.store.work(actor, record).await? else { return Ok(()) };
        if !is_stalled(work, record.swept_at, now, self.stalled_after) {
            return Ok(());
        }
        warn!(%actor, "the work has stopped without a message; it is resumed");
        let command = EvaluationCommand::because(actor.clone(), Cause::Resume);
        self.queues.send(Queue::Evaluation, &command, Duration::ZERO).await?;
        Ok(self.store.mark_swept(actor, now).await?)
    }
}
