//! Uploads: a burst of them is one evaluation.

use std::time::Duration;

use aws::store::actors::ActorRecord;
use domain::actor::ActorId;
use domain::files::{Inventory, is_image_name};
use domain::manifest::Image;
use domain::messages::Upload;
use domain::numbering::number_of;
use domain::trash::TrashRecord;
use jiff::Timestamp;
use tracing::{Span, debug, info};

use super::{Evaluation, Turn};
use crate::HandlerError;
use crate::clock::plausible;
use crate::dispatch::schedule_evaluation;

/// How exactly it is known when a file has landed: EventBridge tells it to the second, and clocks differ. Half the quiet time
/// is more, and yet less than what passes before an evaluation of uploads begins.
const DATED_WITHIN: Duration = Duration::from_secs(2);

/// Uploads that never pause are evaluated at least this often, and keep a plan from being adopted for so long at most, in
/// quiet times.
const LONGEST_WAIT_IN_QUIET_TIMES: u32 = 10;

impl Evaluation {
    /// Notes each of the uploads that can be; the others are refused together.
    pub(super) async fn record_uploads(&self, uploads: &[Upload]) -> Result<(), HandlerError> {
        let mut refused = Vec::new();
        for upload in uploads {
            match self.record_upload(upload).await {
                Err(HandlerError::Rejected(reason)) => refused.push(reason),
                noted => noted?,
            }
        }
        if refused.is_empty() { Ok(()) } else { Err(HandlerError::Rejected(refused.join("; "))) }
    }

    /// Notes that an image has landed, and makes sure that an evaluation will follow.
    async fn record_upload(&self, upload: &Upload) -> Result<(), HandlerError> {
        if !upload.bucket.is_empty() && upload.bucket != self.bucket.name() {
            return Err(HandlerError::Rejected(format!(
                "{} landed in the bucket {}, but this stack keeps {}",
                upload.key,
                upload.bucket,
                self.bucket.name()
            )));
        }
        // The evaluation reports files that lie deeper or are unreadable.
        let place = self.keys.split_training_data(&upload.key);
        let Some((folder, filename)) = place.filter(|(_, name)| Inventory::of([*name]).concerns_images()) else {
            debug!(key = upload.key, "not an image of an actor");
            return Ok(());
        };
        let actor: ActorId = folder
            .parse()
            .map_err(|invalid| HandlerError::Rejected(format!("{} landed, but {invalid}", upload.key)))?;
        Span::current().record("actor", actor.as_str());
        if self.is_our_own(&actor, filename, upload).await? {
            return Ok(());
        }
        info!(%actor, filename, "upload");
        // Whoever uploads a file may remove it before anybody looks; its number has been used all the same.
        if is_image_name(filename) && !filename.contains('/') {
            self.store.raise_last_number(&actor, number_of(filename)).await?;
        }
        let now = self.clock.now();
        let landed = upload.landed_at.and_then(|landed| plausible(landed, now));
        let surely_landed = landed.map(|landed| landed + (self.quiet / 2).max(DATED_WITHIN));
        match self.store.record_upload(&actor, surely_landed, now).await? {
            Some(record) => {
                schedule_evaluation(&self.store, &self.queues, &self.clock, &actor, &record, self.quiet).await
            }
            None => {
                info!(%actor, filename, "old news: it has been evaluated since");
                Ok(())
            }
        }
    }

    /// Whether generation has put the object there: the end of its plan asks for an evaluation anyway, and counts
    /// as the same round. News may come so late that the image has been judged and thrown away meanwhile.
    async fn is_our_own(&self, actor: &ActorId, filename: &str, upload: &Upload) -> Result<bool, HandlerError> {
        let is_it = |image: &Image| image.plan_id.is_some() && (image.etag.is_none() || image.etag == upload.etag);
        if self.store.image(actor, filename).await?.is_some_and(|image| is_it(&image)) {
            return Ok(true);
        }
        let thrown_away = self.store.trash_of(actor, filename).await?;
        // What lands after that was put there by a person, be it the same image.
        let is_news_of = |trashed: &TrashRecord| upload.landed_at.is_none_or(|landed| landed <= trashed.deleted_at);
        Ok(thrown_away.iter().any(|trashed| is_it(&trashed.image) && is_news_of(trashed)))
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
    let until_quiet = quiet.saturating_sub(passed(last, now));
    let until_overdue = (quiet * LONGEST_WAIT_IN_QUIET_TIMES).saturating_sub(passed(since, now));
    Some(until_quiet.min(until_overdue)).filter(|wait| !wait.is_zero())
}

/// Whether what has waited since then has waited long enough.
pub(super) fn are_overdue(since: Timestamp, now: Timestamp, quiet: Duration) -> bool {
    passed(since, now) >= quiet * LONGEST_WAIT_IN_QUIET_TIMES
}

fn passed(since: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(now.duration_since(since)).unwrap_or_default()
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
        assert_eq!(remaining_wait(at(0), at(190), at(190), QUIET), Some(Duration::from_secs(10)));
        assert_eq!(remaining_wait(at(0), at(199), at(200), QUIET), None);
        assert!(!are_overdue(at(0), at(199), QUIET) && are_overdue(at(0), at(200), QUIET));
    }

    #[test]
    fn a_clock_that_runs_behind_does_not_make_the_wait_longer() {
        assert_eq!(remaining_wait(at(10), at(10), at(5), QUIET), Some(QUIET));
    }
}
