//! Uploads: a burst of them is one evaluation.

use std::time::Duration;

use jiff::Timestamp;
use tracing::{Span, debug, info};

use super::{Evaluation, Turn};
use crate::adapters::queues::Queue;
use crate::adapters::store::actors::ActorRecord;
use crate::domain::actor::ActorId;
use crate::domain::numbering::number_of;
use crate::messages::{Cause, EvaluationCommand, Upload};
use crate::stages::StageError;

/// Uploads that never pause are evaluated at least this often, in quiet times.
const LONGEST_WAIT_IN_QUIET_TIMES: u32 = 10;

impl Evaluation {
    /// Notes that an image has landed, and makes sure that an evaluation will follow.
    pub(super) async fn note_upload(&self, upload: &Upload) -> Result<(), StageError> {
        let Some((actor, filename)) = self.keys.parse_image(&upload.key) else {
            debug!(key = upload.key, "not an image of an actor");
            return Ok(());
        };
        Span::current().record("actor", actor.as_str());
        if !upload.bucket.is_empty() && upload.bucket != self.bucket.name() {
            return Err(StageError::Refused(format!(
                "{} landed in the bucket {}, but this stack keeps {}",
                upload.key,
                upload.bucket,
                self.bucket.name()
            )));
        }
        if self.is_our_own(&actor, &filename, upload.etag.as_deref()).await? {
            return Ok(());
        }
        info!(%actor, filename, "upload");
        // Whoever uploads a file may remove it before anybody looks; its number has been used all the same.
        self.store.raise_last_number(&actor, number_of(&filename)).await?;
        let record = self.store.note_upload(&actor, self.clock.now()).await?;
        self.announce(&actor, &record).await
    }

    /// Whether generation has put the object there: the end of its plan asks for an evaluation anyway, and counts
    /// as the same round.
    async fn is_our_own(&self, actor: &ActorId, filename: &str, etag: Option<&str>) -> Result<bool, StageError> {
        let recorded = self.store.image(actor, filename).await?;
        Ok(recorded
            .is_some_and(|image| image.plan_id.is_some() && (image.etag.is_none() || image.etag.as_deref() == etag)))
    }

    /// Sends the message that will evaluate the uploads, unless one is under way. The note comes after the message:
    /// cut off in between, the repetition sends a second one, which then finds nothing new.
    async fn announce(&self, actor: &ActorId, record: &ActorRecord) -> Result<(), StageError> {
        let (false, Some(since)) = (record.pending_announced, record.pending_since) else { return Ok(()) };
        let command = EvaluationCommand::because(actor.clone(), Cause::Uploads);
        self.queues.send(Queue::Evaluation, &command, self.quiet).await?;
        Ok(self.store.mark_announced(actor, since).await?)
    }

    pub(super) fn turn_of_uploads(&self, record: &ActorRecord) -> Turn {
        match (record.pending_since, record.pending_last) {
            (Some(since), Some(last)) => match remaining_wait(since, last, self.clock.now(), self.quiet) {
                Some(wait) => Turn::NotYet("uploads are still coming in", wait),
                None => Turn::Now { continues: false },
            },
            _ => Turn::NothingNew,
        }
    }
}

/// How long to wait still: until it has been quiet for `quiet`, but not for ever.
fn remaining_wait(since: Timestamp, last: Timestamp, now: Timestamp, quiet: Duration) -> Option<Duration> {
    let passed = |moment: Timestamp| Duration::try_from(now.duration_since(moment)).unwrap_or_default();
    if passed(since) >= quiet * LONGEST_WAIT_IN_QUIET_TIMES {
        return None;
    }
    quiet.checked_sub(passed(last)).filter(|wait| !wait.is_zero())
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUIET: Duration = Duration::from_secs(20);

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_000_000 + second).unwrap()
    }

    #[test]
    fn the_wait_lasts_until_it_has_been_quiet() {
        assert_eq!(remaining_wait(at(0), at(15), at(20), QUIET), Some(Duration::from_secs(15)));
        assert_eq!(remaining_wait(at(0), at(15), at(35), QUIET), None);
    }

    #[test]
    fn a_trickle_that_never_pauses_is_evaluated_all_the_same() {
        assert_eq!(remaining_wait(at(0), at(199), at(200), QUIET), None);
    }

    #[test]
    fn a_clock_that_runs_behind_does_not_make_the_wait_longer() {
        assert_eq!(remaining_wait(at(10), at(10), at(5), QUIET), Some(QUIET));
    }
}
