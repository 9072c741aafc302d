//! The one kind of lease: the exclusive right of a worker to an actor, a slot or a deletion.
//!
//! A lease lasts [`LEASE_DURATION`], and its worker extends it while it works. So another worker can take it soon after
//! its worker died. A worker that stalled past its lease can't undo what its successor has done: the condition of a write
//! is the lease token, the slot's revision, or the state that the worker has read.

use domain::actor::ActorId;
use jiff::{SignedDuration, Timestamp};
use serde::de::DeserializeOwned;

use super::actors::{ActorRecord, actor_key};
use super::change::Change;
use super::items::{self, Item, millis};
use super::slot_record::{SlotName, SlotRecord};
use super::trash::trash_key;
use super::{Store, StoreError};

/// How long a lease lasts without an extension.
pub const LEASE_DURATION: SignedDuration = SignedDuration::from_secs(40);

/// What a lease protects.
#[derive(Debug, Clone, Copy)]
pub enum Leased<'a> {
    /// The set of an actor, for an evaluation.
    Actor(&'a ActorId),
    /// A slot, for a generation.
    Slot(SlotName<'a>),
    /// The claimed deletion of an image.
    Deletion {
        /// The actor.
        actor: &'a ActorId,
        /// The image.
        filename: &'a str,
        /// The deletion's id.
        plan_id: &'a str,
    },
}

impl Leased<'_> {
    fn key(self) -> Item {
        match self {
            Self::Actor(actor) => actor_key(actor),
            Self::Slot(slot) => slot.key(),
            Self::Deletion { actor, filename, plan_id } => trash_key(actor, filename, plan_id),
        }
    }
}

impl Store {
    /// Takes the evaluation lease of the actor; `None` if another worker holds it.
    pub async fn lease_actor(
        &self,
        actor: &ActorId,
        token: &str,
        now: Timestamp,
    ) -> Result<Option<ActorRecord>, StoreError> {
        let change = Change::of(actor_key(actor)).set_if_absent("created_at", millis(now));
        self.take_lease(change, token, now).await
    }

    /// Takes the lease of a slot; `None` if another worker holds it.
    pub async fn lease_slot(
        &self,
        slot: SlotName<'_>,
        token: &str,
        now: Timestamp,
    ) -> Result<Option<SlotRecord>, StoreError> {
        self.take_lease(Change::of(slot.key()), token, now).await
    }

    async fn take_lease<T: DeserializeOwned>(
        &self,
        change: Change,
        token: &str,
        now: Timestamp,
    ) -> Result<Option<T>, StoreError> {
        let change = change.take_lease(token, now, now + LEASE_DURATION);
        self.apply(change).await?.map(items::data).transpose()
    }

    /// Extends a lease to [`LEASE_DURATION`] from `now`. Returns `false` if it is released or another worker has taken it.
    pub async fn extend_lease(&self, leased: Leased<'_>, token: &str, now: Timestamp) -> Result<bool, StoreError> {
        let change = Change::of(leased.key()).extend_lease(token, now + LEASE_DURATION);
        Ok(self.apply(change).await?.is_some())
    }

    /// Releases a lease. One that another worker has taken stays.
    pub async fn release_lease(&self, leased: Leased<'_>, token: &str) -> Result<(), StoreError> {
        self.apply(Change::of(leased.key()).end_lease(token)).await.map(drop)
    }
}
