//! The desired revision of an actor, and the requests that have raised it.
//!
//! Each event that an evaluation must take into account raises `desired_revision`; a verdict writes the revision that
//! its evaluation has observed. An evaluation is pending while the two differ. A request raises the revision once,
//! however often its message is delivered: its record says which revision it raised.

use domain::actor::ActorId;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use backon::BackoffBuilder;

use super::actors::{ActorRecord, actor_key};
use super::change::{Change, Write};
use super::items::{self, Item, millis, number};
use super::{CONTENTION_BACKOFF, Store, StoreError};

/// How long the record of a request is kept: longer than its message.
const REQUEST_RETENTION: SignedDuration = SignedDuration::from_hours(15 * 24);

/// A request of which the table knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestRecord {
    /// The revision that it raised; `None` if an evaluation of partial scope has answered it.
    #[serde(default)]
    pub revision: Option<u64>,
}

impl RequestRecord {
    /// Whether a verdict has answered the request.
    #[must_use]
    pub fn is_answered(self, observed_revision: u64) -> bool {
        self.revision.is_none_or(|revision| revision <= observed_revision)
    }
}

impl Store {
    /// Raises the desired revision of an actor. Returns the new record.
    pub async fn raise_revision(&self, actor: &ActorId, now: Timestamp) -> Result<ActorRecord, StoreError> {
        let change = raised(actor, now).add("desired_revision", number(1));
        Ok(self.apply(change).await?.map(items::data).transpose()?.unwrap_or_default())
    }

    /// Raises the desired revision of an actor that was read as `seen`. Returns the new record, or `None`, and changes
    /// nothing, if a verdict has come since: its evaluation may have observed the event.
    pub async fn raise_revision_of(
        &self,
        actor: &ActorId,
        seen: &ActorRecord,
        now: Timestamp,
    ) -> Result<Option<ActorRecord>, StoreError> {
        let change = while_observed(raised(actor, now).add("desired_revision", number(1)), seen.observed_revision);
        self.apply(change).await?.map(items::data).transpose()
    }

    /// Raises the desired revision of an actor, unless this request has raised it before. Returns the record of the
    /// actor and that of the request.
    pub async fn raise_revision_once(
        &self,
        actor: &ActorId,
        request_id: &str,
        now: Timestamp,
    ) -> Result<(ActorRecord, RequestRecord), StoreError> {
        for pause in CONTENTION_BACKOFF.build() {
            let known = self.request(actor, request_id).await?;
            let record = self.actor(actor).await?.unwrap_or_default();
            if let Some(request) = known {
                return Ok((record, request));
            }
            let before = record.desired_revision;
            let request = RequestRecord { revision: Some(before + 1) };
            let change = raised(actor, now)
                .set("desired_revision", number(before + 1))
                .when_absent_or_equal("desired_revision", number(before));
            let created = Write::Create(item(actor, request_id, request, now)?);
            if self.transact(&[change.into(), created]).await?.is_empty() {
                // Read again: a verdict may have come between.
                return Ok((self.actor(actor).await?.unwrap_or_default(), request));
            }
            tokio::time::sleep(pause).await;
        }
        Err(StoreError::Contended("raise the revision of the actor"))
    }

    /// The record of a request; `None` if it has neither raised the revision nor been answered.
    pub async fn request(&self, actor: &ActorId, request_id: &str) -> Result<Option<RequestRecord>, StoreError> {
        self.get(request_key(actor, request_id)).await
    }

    /// Records that a message was sent that will evaluate the desired revision of `record`, unless a verdict has come
    /// since `record` was read: that evaluation may have been the message's.
    pub async fn mark_evaluation_scheduled(
        &self,
        actor: &ActorId,
        record: &ActorRecord,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let change = Change::of(actor_key(actor)).set("evaluation_scheduled_at", millis(now));
        self.apply(while_observed(change, record.observed_revision).when_item_exists()).await.map(drop)
    }
}

/// Conditions a change on the revision that the last verdict has observed.
fn while_observed(change: Change, observed: u64) -> Change {
    match observed {
        0 => change.when_absent_or_equal("observed_revision", number(0)),
        observed => change.when_equal("observed_revision", number(observed)),
    }
}

/// The change of the actor that goes with a raised revision.
pub(super) fn raised(actor: &ActorId, now: Timestamp) -> Change {
    Change::of(actor_key(actor)).set_if_absent("created_at", millis(now)).set("changed_at", millis(now))
}

/// The write that records the answer to a request of partial scope.
pub(super) fn answered(actor: &ActorId, request_id: &str, now: Timestamp) -> Write {
    let change = Change::of(request_key(actor, request_id)).remove("revision");
    change.set("expires_at", expires_at(now)).into()
}

fn item(actor: &ActorId, request_id: &str, request: RequestRecord, now: Timestamp) -> Result<Item, StoreError> {
    let mut item = items::item(request_key(actor, request_id), &request)?;
    item.insert("expires_at".to_owned(), expires_at(now));
    Ok(item)
}

/// When DynamoDB may remove the item, in seconds since 1970.
fn expires_at(now: Timestamp) -> aws_sdk_dynamodb::types::AttributeValue {
    number((now + REQUEST_RETENTION).as_second())
}

fn request_key(actor: &ActorId, request_id: &str) -> Item {
    items::key(actor, format!("REQUEST#{request_id}"))
}
