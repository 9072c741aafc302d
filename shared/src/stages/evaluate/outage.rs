//! A vision service that is unavailable.

use super::Evaluation;
use super::decide::Case;
use crate::adapters::vision::VisionError;
use crate::stages::{StageError, outage};

impl Evaluation {
    /// What an error that may pass means for the message: it is put off, ever longer, until a person has to look.
    pub(super) async fn wait_out(&self, case: &Case<'_>, error: VisionError) -> Result<StageError, StageError> {
        let Some(asked) = error.outage() else { return Ok(error.into()) };
        let now = self.clock.now();
        let since = outage::since(case.record.vision_outage_since, now);
        let Some(pause) = outage::pause(since, now, asked) else { return Ok(error.into()) };
        self.store.note_vision_outage(&case.command.actor_id, Some(since)).await?;
        Ok(StageError::later(error.to_string(), pause))
    }

    /// The service has been asked, and has answered.
    pub(super) async fn forget_outage(&self, case: &Case<'_>) -> Result<(), StageError> {
        if case.record.vision_outage_since.is_some() {
            self.store.note_vision_outage(&case.command.actor_id, None).await?;
        }
        Ok(())
    }
}
