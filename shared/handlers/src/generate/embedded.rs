//! An image from the embedded generator, which costs nothing.

use aws::store::slots::SlotRecord;
use domain::disposition::Disposition;
use providers::generator::draw;

use super::{Generation, Job};
use crate::HandlerError;

impl Generation {
    pub(super) async fn draw_embedded(&self, job: Job<'_>, record: &SlotRecord) -> Result<(), HandlerError> {
        // A slot that was begun with a paid generator may have been charged.
        let settlement = record.progress.state.settlement_in_doubt();
        let request = match self.prepare(job, record, 1).await {
            Ok(request) => request,
            Err(HandlerError::NeedsOperator(problem)) => {
                return self.abandon(job, record, settlement, &problem).await;
            }
            Err(error) => return Err(error),
        };
        match draw(request).await {
            Ok(bytes) => self.stage(job, record, bytes).await,
            Err(error) if matches!(error.disposition(), Disposition::Permanent | Disposition::NeedsOperator) => {
                self.abandon(job, record, settlement, &error.to_string()).await
            }
            Err(error) => Err(error.into()),
        }
    }
}
