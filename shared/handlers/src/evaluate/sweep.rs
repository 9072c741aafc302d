//! The sweep: finds actors whose work has stopped because messages were lost, and resumes it.
//!
//! SQS removes a message that no function has received for the retention period, for example because the functions
//! were paused. The message of an actor that is at work would then never come.

use std::time::Duration;

use aws::queues::Queue;
use domain::messages::{Cause, EvaluationCommand};
use domain::stall::is_stalled;
use tracing::warn;

use super::Evaluation;
use crate::HandlerError;

impl Evaluation {
    /// Requests that the work of every stalled actor is resumed.
    pub(super) async fn sweep(&self) -> Result<(), HandlerError> {
        let now = self.clock.now();
        for (actor, record) in self.store.actors().await? {
            let Some(work) = self.store.work(&actor, &record).await? else { continue };
            if !is_stalled(work, record.swept_at, now, self.stalled_after) {
                continue;
            }
            warn!(%actor, "the work has stopped without a message; it is resumed");
            let command = EvaluationCommand::because(actor.clone(), Cause::Resume);
            self.queues.send(Queue::Evaluation, &command, Duration::ZERO).await?;
            self.store.mark_swept(&actor, now).await?;
        }
        Ok(())
    }
}
