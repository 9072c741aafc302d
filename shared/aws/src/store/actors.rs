//! The actor itself: who it is, how its set stands, and since when uploads wait.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use domain::actor::{ActorId, Profile};
use domain::budget::Limit;
use domain::manifest::BaseImage;
use domain::plan::MANUAL;
use domain::planner::Scope;
use domain::status::Status;
use domain::suspension::Suspension;
use jiff::Timestamp;
use jiff::fmt::serde::timestamp::millisecond;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::change::Change;
use super::items::{self, Item, number, text, value};
use super::{Store, StoreError};

const SORT: &str = "ACTOR";

/// The attention reason that parking replaced; [`Store::resume`] restores it.
pub(super) const REASON_BEFORE_PARKING: &str = "asked_before";

/// An actor as it is stored.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ActorRecord {
    /// When it was first heard of.
    #[serde(with = "millisecond::optional")]
    pub created_at: Option<Timestamp>,
    /// When it last changed.
    #[serde(with = "millisecond::optional")]
    pub updated_at: Option<Timestamp>,
    /// Who it is, as prompts must know.
    pub profile: Profile,
    /// What else its owner noted.
    pub metadata: Map<String, Value>,
    /// Where its base image may be found.
    pub base_images: Vec<BaseImage>,
    /// Whatever else its manifest held.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub exported: Map<String, Value>,
    /// The highest number an image of it ever had.
    pub last_number: u64,
    /// The highest number a generation of it has.
    pub last_generation: u32,
    /// How its set stands.
    pub status: Status,
    /// The reason of the status, as a sentence for the operator.
    pub reason: Option<String>,
    /// The number of consecutive rounds.
    pub round: u32,
    /// The suspended set; the balancer does not retry it by itself while it stays the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suspension: Option<Suspension>,
    /// The budget that its work waits for, while it is parked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parked_for: Option<Limit>,
    /// Prompts that were found improper for it.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub rejected_prompts: BTreeSet<String>,
    /// The plan that is being carried out, or has been and was not yet looked at, or awaits approval.
    pub active_plan: Option<String>,
    /// The plan that the operator has approved, until a plan is adopted.
    pub approved_plan: Option<String>,
    /// Since when uploads wait to be evaluated.
    #[serde(with = "millisecond::optional")]
    pub pending_since: Option<Timestamp>,
    /// The last of these uploads.
    #[serde(with = "millisecond::optional")]
    pub pending_last: Option<Timestamp>,
    /// When a message was sent that will evaluate them.
    #[serde(with = "millisecond::optional")]
    pub evaluation_scheduled_at: Option<Timestamp>,
    /// Since when uploads that came in meanwhile have kept a plan from being adopted.
    #[serde(with = "millisecond::optional")]
    pub put_off_since: Option<Timestamp>,
    /// When the last evaluation began that led to a verdict and was free to do whatever the set needs.
    #[serde(with = "millisecond::optional")]
    pub evaluated_at: Option<Timestamp>,
    /// When the last of these began that started a new series of rounds.
    #[serde(with = "millisecond::optional")]
    pub evaluated_afresh_at: Option<Timestamp>,
    /// When the last evaluation began that led to a verdict and might only delete.
    #[serde(with = "millisecond::optional")]
    pub evaluated_deletions_at: Option<Timestamp>,
    /// When the last evaluation began that led to a verdict and might only have images made.
    #[serde(with = "millisecond::optional")]
    pub evaluated_generations_at: Option<Timestamp>,
    /// Since when the vision model has been unavailable.
    #[serde(with = "millisecond::optional")]
    pub vision_outage_since: Option<Timestamp>,
    /// The last error of that outage, as a sentence for the operator.
    pub vision_outage_cause: Option<String>,
    /// Whether the last evaluation ended because the vision model did not answer in time.
    pub vision_timed_out: bool,
    /// Who is evaluating it now.
    pub lease_token: Option<String>,
    /// Until when, at most.
    #[serde(with = "millisecond::optional")]
    pub lease_until: Option<Timestamp>,
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

    /// When the last evaluation began that led to a verdict on everything in this scope.
    #[must_use]
    pub fn evaluated_in(&self, scope: Scope) -> Option<Timestamp> {
        let in_part = match scope {
            Scope::All => None,
            Scope::DeleteOnly => self.evaluated_deletions_at,
            Scope::GenerateOnly => self.evaluated_generations_at,
        };
        self.evaluated_at.max(in_part)
    }
}

/// The origin of a change of an actor's status. The store rejects a change on behalf of work that no longer concerns
/// the actor.
#[derive(Debug, Clone, Copy)]
pub enum OnBehalf<'a> {
    /// A plan, which concerns the actor while it is the active one, or if it is a manual one, which no other plan
    /// supersedes.
    Plan(&'a str),
    /// The evaluation that holds this lease.
    Evaluation(&'a str),
    /// A request that was sent at this time, if known, which concerns the actor until an evaluation that began later
    /// has reached a verdict on the whole set.
    Request(Option<Timestamp>),
}

impl OnBehalf<'_> {
    fn guard(self, change: Change) -> Change {
        match self {
            Self::Plan(plan_id) if plan_id.starts_with(MANUAL) => change.when_item_exists(),
            Self::Plan(plan_id) => change.when_equal("active_plan", text(plan_id)),
            Self::Evaluation(token) => change.when_equal("lease_token", text(token)),
            Self::Request(Some(sent)) => change.when_item_exists().when_absent_or_below("evaluated_at", millis(sent)),
            Self::Request(None) => change.when_item_exists(),
        }
    }
}

impl Store {
    /// The actor; `None` if there is no such actor.
    ///
    /// # Errors
    /// If the table can't be read.
    pub async fn actor(&self, actor: &ActorId) -> Result<Option<ActorRecord>, StoreError> {
        self.get(items::key(actor, SORT)).await
    }

    /// Every actor, by id. Scans the whole table: for the command line, not for handlers.
    ///
    /// # Errors
    /// If the table can't be read.
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
                actors.insert(actor, items::data(item)?);
            }
        }
        Ok(actors)
    }

    /// Notes that an image has landed, and returns the record with the note; `None` if an evaluation has started afresh
    /// since `landed`, which has seen it.
    ///
    /// # Errors
    /// If the table can't be written.
    pub async fn record_upload(
        &self,
        actor: &ActorId,
        landed: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<Option<ActorRecord>, StoreError> {
        self.record_pending_evaluation(actor, "evaluated_afresh_at", landed, now).await
    }

    /// The same for a change that the balancer itself has made. `None` if an evaluation of full scope has begun since and has
    /// reached a verdict, whether or not it started a new series of rounds.
    ///
    /// # Errors
    /// If the table can't be written.
    pub async fn record_change(
        &self,
        actor: &ActorId,
        changed_by: Timestamp,
        now: Timestamp,
    ) -> Result<Option<ActorRecord>, StoreError> {
        self.record_pending_evaluation(actor, "evaluated_at", Some(changed_by), now).await
    }

    async fn record_pending_evaluation(
        &self,
        actor: &ActorId,
        seen_attribute: &str,
        happened: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<Option<ActorRecord>, StoreError> {
        let change = Change::of(items::key(actor, SORT))
            .set_if_absent("created_at", millis(now))
            .set_if_absent("pending_since", millis(now))
            .set("pending_last", millis(now));
        let change = match happened {
            Some(happened) => change.when_absent_or_below(seen_attribute, millis(happened)),
            None => change,
        };
        self.apply(change).await?.map(items::data).transpose()
    }

    /// Notes that a message is under way which will evaluate the uploads that wait since `since`.
    ///
    /// # Errors
    /// If the table can't be written.
    pub async fn mark_evaluation_scheduled(
        &self,
        actor: &ActorId,
        since: Timestamp,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let change = Change::of(items::key(actor, SORT))
            .set("evaluation_scheduled_at", millis(now))
            .when_equal("pending_since", millis(since));
        self.apply(change).await.map(drop)
    }

    /// Notes who the actor is.
    ///
    /// # Errors
    /// If the table can't be written.
    pub async fn set_profile(&self, actor: &ActorId, profile: Profile) -> Result<(), StoreError> {
        self.apply(Change::of(items::key(actor, SORT)).set("profile", value(&profile)?)).await.map(drop)
    }

    /// Records that an actor needs attention, without a verdict: a message has failed for the last time. Returns
    /// `false` and changes nothing if the message no longer concerns the actor.
    ///
    /// # Errors
    /// If the table can't be written.
    pub async fn ask_for_attention(
        &self,
        actor: &ActorId,
        behalf: OnBehalf<'_>,
        reason: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let change = Change::of(items::key(actor, SORT))
            .set("status", value(&Status::NeedsAttention)?)
            .set("reason", text(reason))
            .set("updated_at", millis(now))
            // The message that would have evaluated waiting uploads may be the one that was given up: the next
            // upload sends another.
            .remove("evaluation_scheduled_at")
            .remove(REASON_BEFORE_PARKING);
        Ok(self.apply(behalf.guard(change)).await?.is_some())
    }

    /// Records the operator's approval of the plan on hold. Returns `false` if another plan, or none, is on hold by now.
    ///
    /// # Errors
    /// If the table can't be written.
    pub async fn approve(&self, actor: &ActorId, plan_id: &str) -> Result<bool, StoreError> {
        let change = Change::of(items::key(actor, SORT))
            .set("approved_plan", text(plan_id))
            .when_equal("active_plan", text(plan_id));
        Ok(self.apply(change).await?.is_some())
    }

    /// Parks an actor until a budget of ours, or the account with a service, has money. If the actor needs attention
    /// meanwhile, because another message of the plan has failed for the last time, that reason is kept for later:
    /// money does not bring that message back.
    ///
    /// # Errors
    /// If the table can't be written.
    pub async fn park(
        &self,
        actor: &ActorId,
        behalf: OnBehalf<'_>,
        reason: &str,
        limit: Option<Limit>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let parked = Change::of(items::key(actor, SORT))
            .set("status", value(&Status::Parked)?)
            .set("reason", text(reason))
            .set("updated_at", millis(now));
        let parked = match limit {
            Some(limit) => parked.set("parked_for", value(&limit)?),
            None => parked.remove("parked_for"),
        };
        let parked = behalf.guard(parked);
        let needs_attention = value(&Status::NeedsAttention)?;
        if self.apply(parked.clone().when_other("status", needs_attention.clone())).await?.is_some() {
            return Ok(());
        }
        self.apply(parked.set_from(REASON_BEFORE_PARKING, "reason").when_equal("status", needs_attention))
            .await
            .map(drop)
    }

    /// Resumes parked work: its price has been paid.
    ///
    /// # Errors
    /// If the table can't be written.
    pub async fn resume_work(&self, actor: &ActorId, behalf: OnBehalf<'_>, now: Timestamp) -> Result<(), StoreError> {
        let change = Change::of(items::key(actor, SORT))
            .set("updated_at", millis(now))
            .when_equal("status", value(&Status::Parked)?);
        let change = behalf.guard(change);
        let goes_on = change
            .clone()
            .set("status", value(&Status::Balancing)?)
            .set("reason", text("The budget or the account has money again; the plan resumes."))
            .when_absent(REASON_BEFORE_PARKING);
        if self.apply(goes_on).await?.is_some() {
            return Ok(());
        }
        let asks_again = change
            .set("status", value(&Status::NeedsAttention)?)
            .set_from("reason", REASON_BEFORE_PARKING)
            .remove(REASON_BEFORE_PARKING)
            .when_present(REASON_BEFORE_PARKING);
        self.apply(asks_again).await.map(drop)
    }

    /// Writes a whole record, as an import does; `false` if the actor is there already.
    ///
    /// # Errors
    /// If the table can't be written.
    pub async fn import_actor(&self, actor: &ActorId, record: &ActorRecord) -> Result<bool, StoreError> {
        let item = items::item(items::key(actor, SORT), &without_nulls(record)?)?;
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

pub(super) fn millis(moment: Timestamp) -> aws_sdk_dynamodb::types::AttributeValue {
    number(moment.as_millisecond())
}

/// Conditions ask whether an attribute is absent, and one that is null is not.
fn without_nulls(record: &ActorRecord) -> Result<HashMap<String, Value>, StoreError> {
    let value = serde_json::to_value(record).unwrap_or_default();
    let fields = value.as_object().cloned().unwrap_or_default();
    Ok(fields.into_iter().filter(|(_, value)| !value.is_null()).collect())
}
