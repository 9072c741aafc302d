//! Since when a paid service has been unavailable, noted where the work is that waits for it.

use jiff::Timestamp;

use super::actors::{actor_key, millis};
use super::change::Change;
use super::items::Item;
use super::slots::SlotName;
use super::{Store, StoreError};
use crate::domain::actor::ActorId;

impl Store {
    /// Notes since when the generator has been unavailable; `None` if it is back.
    ///
    /// # Errors
    /// If the table can't be written.
    pub async fn note_outage(&self, slot: SlotName<'_>, since: Option<Timestamp>) -> Result<(), StoreError> {
        self.note_since(slot.key(), "outage_since", since).await
    }

    /// Notes since when the vision model has been unavailable; `None` if it is back.
    ///
    /// # Errors
    /// If the table can't be written.
    pub async fn note_vision_outage(&self, actor: &ActorId, since: Option<Timestamp>) -> Result<(), StoreError> {
        self.note_since(actor_key(actor), "vision_outage_since", since).await
    }

    async fn note_since(&self, key: Item, attribute: &str, since: Option<Timestamp>) -> Result<(), StoreError> {
        let change = Change::of(key);
        let change = match since {
            Some(since) => change.set(attribute, millis(since)),
            None => change.remove(attribute),
        };
        self.apply(change).await.map(drop)
    }
}
