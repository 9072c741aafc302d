//! Actor records: profile, status, revisions, lease.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use domain::actor::{ActorId, Profile};
use domain::budget::Limit;
use domain::manifest::BaseImage;
use domain::settings::ActorSettings;
use domain::status::Status;
use domain::suspension::Suspension;
use jiff::Timestamp;
use jiff::fmt::serde::timestamp::millisecond;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};
use tracing::error;

use super::change::Change;
use super::items::{self, Item, text, value};
use super::{Store, StoreError};

const SORT: &str = "ACTOR";

/// An actor as it is stored. Optional fields are absent in the table, not null, because conditions test for absence.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ActorRecord {
    /// When the record was created.
    #[serde(with = "millisecond::optional")]
    pub created_at: Option<Timestamp>,
    /// When the status last changed.
    #[serde(with = "millisecond::optional")]
    pub updated_at: Option<Timestamp>,
    /// The description that prompts need.
    pub profile: Profile,
    /// The settings of its `actor.json`, as the last evaluation read them. Those of a newer version count as none.
    #[serde(deserialize_with = "or_none")]
    pub settings: ActorSettings,
    /// Further notes of the user, from the manifest.
    pub metadata: Map<String, Value>,
    /// The base images that the manifest names.
    pub base_images: Vec<BaseImage>,
    /// All other fields of the imported manifest.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub exported: Map<String, Value>,
    /// The highest number that an image ever had.
    pub last_number: u64,
    /// The number of the last generation batch.
    pub last_generation: u32,
    /// The status of its set.
    pub status: Status,
    /// The reason of the status, as a sentence for the operator.
    pub reason: Option<String>,
    /// The number of consecutive rounds.
    pub round: u32,
    /// The suspended set; the balancer does not retry it by itself while it stays the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suspension: Option<Suspension>,
    /// The reason for needing attention that parking has replaced.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attention: Option<String>,
    /// The budget that its work waits for, while it is parked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parked_for: Option<Limit>,
    /// The prompts that the generator has rejected for it.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub rejected_prompts: BTreeSet<String>,
    /// The plan that is running, awaits review, or awaits approval.
    pub active_plan: Option<String>,
    /// The plan that the operator has approved, until a plan is adopted.
    pub approved_plan: Option<String>,
    /// Raised by each event that an evaluation must take into account.
    pub desired_revision: u64,
    /// The desired revision at the beginning of the last evaluation of full scope that reached a verdict.
    pub observed_revision: u64,
    /// When the desired revision was last raised. An evaluation waits until uploads pause.
    #[serde(with = "millisecond::optional")]
    pub changed_at: Option<Timestamp>,
    /// When the message was sent that will evaluate the desired revision.
    #[serde(with = "millisecond::optional")]
    pub evaluation_scheduled_at: Option<Timestamp>,
    /// Since when events during evaluations have prevented a plan from being adopted.
    #[serde(with = "millisecond::optional")]
    pub adoption_deferred_since: Option<Timestamp>,
    /// Whether an evaluation of partial scope or a dry run has created the records of uploads, whose events then bring
    /// no news to an evaluation of full scope.
    pub registered_unobserved: bool,
    /// When a sweep last resumed the actor's work.
    #[serde(with = "millisecond::optional")]
    pub swept_at: Option<Timestamp>,
    /// When SQS delivers a message again that the handler failed to process or has deferred.
    #[serde(with = "millisecond::optional")]
    pub redelivery_at: Option<Timestamp>,
    /// Since when the vision model has been unavailable.
    #[serde(with = "millisecond::optional")]
    pub vision_outage_since: Option<Timestamp>,
    /// The last error of that outage, as a sentence for the operator.
    pub vision_outage_cause: Option<String>,
    /// Whether the last evaluation ended because the vision model did not answer in time.
    pub vision_timed_out: bool,
    /// The token of the evaluation lease ([`leases`](super::leases)).
    pub lease_token: Option<String>,
    /// The end of the evaluation lease.
    #[serde(with = "millisecond::optional")]
    pub lease_until: Option<Timestamp>,
}

/// The next evaluation reads the file again, so nothing is lost.
fn or_none<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ActorSettings, D::Error> {
    Ok(serde_json::from_value(Value::deserialize(deserializer)?).unwrap_or_default())
}

impl ActorRecord {
    /// The outage of the vision service that an unfinished set waits for, as a sentence for the operator.
    #[must_use]
    pub fn outage(&self) -> Option<String> {
        if matches!(self.status, Status::NeedsAttention | Status::Parked) {
            return None;
        }
        let (since, cause) = (self.vision_outage_since?, self.vision_outage_cause.as_deref()?);
        Some(format!("The vision service has failed since {since:.0} and is retried: {cause}"))
    }

    /// Whether an event has happened that no evaluation has observed.
    #[must_use]
    pub fn is_evaluation_pending(&self) -> bool {
        self.desired_revision > self.observed_revision
    }
}

impl Store {
    /// The record of an actor; `None` if there is none.
    pub async fn actor(&self, actor: &ActorId) -> Result<Option<ActorRecord>, StoreError> {
        self.get(actor_key(actor)).await
    }

    /// Every actor, by id. Scans the whole table: for the command line and the sweep. Logs and omits the records that a
    /// newer version has written in another form.
    pub async fn actors(&self) -> Result<BTreeMap<ActorId, ActorRecord>, StoreError> {
        let mut found = self
            .client
            .scan()
            .table_name(&self.table)
            .filter_expression("sk = :actor")
            .expression_attribute_values(":actor", text(SORT))
            .into_paginator()
            .items()
            .send();
        let mut actors = BTreeMap::new();
        while let Some(item) = found.next().await {
            let item = item.map_err(|error| self.error("Scan", SORT, &error))?;
            if let Some(actor) = items::actor_of(&item) {
                match items::data(item) {
                    Ok(record) => drop(actors.insert(actor, record)),
                    Err(error) => error!(%actor, "its record can't be read: {error}"),
                }
            }
        }
        Ok(actors)
    }

    /// Records the contents of the actor's `actor.json`, and the profile that follows from it.
    pub async fn set_settings(
        &self,
        actor: &ActorId,
        settings: &ActorSettings,
        profile: Profile,
    ) -> Result<(), StoreError> {
        let change = Change::of(actor_key(actor)).set("profile", value(&profile)?).set("settings", value(settings)?);
        self.apply(change).await.map(drop)
    }

    /// Records the operator's approval of the plan on hold. Returns `false` if that plan is no longer on hold.
    pub async fn approve(&self, actor: &ActorId, plan_id: &str) -> Result<bool, StoreError> {
        let change =
            Change::of(actor_key(actor)).set("approved_plan", text(plan_id)).when_equal("active_plan", text(plan_id));
        Ok(self.apply(change).await?.is_some())
    }

    /// Writes an imported record. Returns `false`, and changes nothing, if there is a record already.
    pub async fn import_actor(&self, actor: &ActorId, record: &ActorRecord) -> Result<bool, StoreError> {
        let item = items::item(actor_key(actor), &without_nulls(record)?)?;
        let request = self.client.put_item().table_name(&self.table).set_item(Some(item));
        match request.condition_expression("attribute_not_exists(pk)").send().await {
            Ok(_) => Ok(true),
            Err(error) if super::condition_failed(&error) => Ok(false),
            Err(error) => Err(self.error("PutItem", actor.as_str(), &error)),
        }
    }
}

pub(super) fn actor_key(actor: &ActorId) -> Item {
    items::key(actor, SORT)
}

/// Conditions test whether an attribute is absent, and a null one is not.
fn without_nulls(record: &ActorRecord) -> Result<HashMap<String, Value>, StoreError> {
    let value = serde_json::to_value(record).unwrap_or_default();
    let fields = value.as_object().cloned().unwrap_or_default();
    Ok(fields.into_iter().filter(|(_, value)| !value.is_null()).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn settings_of_a_newer_version_count_as_none() {
        let newer = json!({ "last_number": 7, "settings": { "target_total": 30, "hue": 3 } });
        let record: ActorRecord = serde_json::from_value(newer).unwrap();
        assert_eq!((record.last_number, record.settings), (7, ActorSettings::default()));
        let own = json!({ "settings": { "target_total": 30 } });
        assert_eq!(serde_json::from_value::<ActorRecord>(own).unwrap().settings.target_total, Some(30));
    }
}
