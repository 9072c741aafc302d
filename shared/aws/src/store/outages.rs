//! The beginning of an outage of the vision model. That of the generator is part of a slot's progress.

use domain::actor::ActorId;
use jiff::Timestamp;

use super::actors::actor_key;
use super::change::Change;
use super::items::{millis, text, value};
use super::{Store, StoreError};

impl Store {
    /// Records the beginning and the last error of an outage of the vision model; `None` if it is over.
    pub async fn note_vision_outage(
        &self,
        actor: &ActorId,
        outage: Option<(Timestamp, &str)>,
    ) -> Result<(), StoreError> {
        let change = Change::of(actor_key(actor)).remove("vision_timed_out");
        let change = match outage {
            Some((since, cause)) => {
                change.set("vision_outage_since", millis(since)).set("vision_outage_cause", text(cause))
            }
            None => change.remove("vision_outage_since").remove("vision_outage_cause"),
        };
        self.apply(change).await.map(drop)
    }

    /// Records that the vision model did not answer in time. The next record or end of the outage clears this.
    pub async fn note_vision_time_out(&self, actor: &ActorId) -> Result<(), StoreError> {
        self.apply(Change::of(actor_key(actor)).set("vision_timed_out", value(&true)?)).await.map(drop)
    }
}
