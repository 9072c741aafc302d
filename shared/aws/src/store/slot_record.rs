//! Slot records and their keys.

use domain::actor::ActorId;
use domain::lifecycle::slot::{SlotEvent, SlotProgress};
use jiff::Timestamp;
use jiff::fmt::serde::timestamp::millisecond;
use serde::{Deserialize, Serialize};

use super::StoreError;
use super::change::Change;
use super::items::{self, Item, number, value};

/// A slot as it is stored.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SlotRecord {
    pub progress: SlotProgress,
    /// The number of times that `progress` was written.
    pub revision: u64,
    pub lease_token: Option<String>,
    #[serde(with = "millisecond::optional")]
    pub lease_until: Option<Timestamp>,
}

/// The key of a slot.
#[derive(Debug, Clone, Copy)]
pub struct SlotName<'a> {
    pub actor: &'a ActorId,
    pub plan_id: &'a str,
    pub slot_id: &'a str,
}

impl SlotName<'_> {
    pub(super) fn key(&self) -> Item {
        items::key(self.actor, format!("SLOT#{}#{}", self.plan_id, self.slot_id))
    }
}

impl SlotRecord {
    /// The record after an event.
    pub(super) fn after(&self, event: &SlotEvent) -> Result<Self, StoreError> {
        Ok(Self { progress: self.progress.apply(event)?, revision: self.revision + 1, ..self.clone() })
    }

    /// The write of this record over its predecessor.
    pub(super) fn replacing(&self, slot: SlotName<'_>, before: &Self) -> Result<Change, StoreError> {
        let change =
            Change::of(slot.key()).set("progress", value(&self.progress)?).set("revision", number(self.revision));
        Ok(match before.revision {
            0 => change.when_absent("revision"),
            revision => change.when_equal("revision", number(revision)),
        })
    }
}
