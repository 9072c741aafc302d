//! Since when a paid service has been unavailable, noted where the work is that waits for it.

use domain::actor::ActorId;
use jiff::Timestamp;

use super::actors::{actor_key, millis};
use super::change::Change;
use super::items::value;
use super::slots::SlotName;
use super::{Store, StoreError};

impl Store {
    /// Notes since when the generator has been unavailable; `None` if it is back.
    ///
    /// # Errors
    /// If the table can't be written.
    pub async fn note_outage(&self, slot: SlotName<'_>, since: Option<Timestamp>) -> Result<(), StoreError> {
        self.apply(noted(Change::of(slot.key()), "outage_since", since)).await.map(drop)
    }

    /// Notes since when the vision model has been unavailable; `None` if it is back.
    ///
    /// # Errors
    /// If the table can't be written.
    pub async fn note_vision_outage(&self, actor: &ActorId, since: Option<Timestamp>) -> Result<(), StoreError> {
        let change = Change::of(actor_key(actor)).remove("vision_timed_out");
        self.apply(noted(change, "vision_outage_since", since)).await.map(drop)
    }

    /// Records that the vision model did not answer in time. The next record or end of the outage clears this.
    ///
    /// # Errors
    /// If the table can't be written.
    pub async fn note_vision_time_out(&self, actor: &ActorId) -> Result<(), StoreError> {
        self.apply(Change::of(actor_key(actor)).set("vision_timed_out", value(&true)?)).await.map(drop)
    }
}

fn noted(change: Change, attribute: &str, since: Option<Timestamp>) -> Change {
    match since {
        Some(since) => change.set(attribute, millis(since)),
        None => change.remove(attribute),
    }
}
