//! Money: what the paid services have cost, and what is reserved for requests under way.
//!
//! A day (by UTC) has an item for everything and one for each actor; a plan keeps its own sums. Each holds `committed`,
//! which is spent or reserved and never exceeds the budget, and `spent`. Every change is one transaction over all of
//! them, so that they always agree and no two workers spend the same dollar.

use aws_sdk_dynamodb::types::TransactWriteItem;
use backon::Retryable;
use domain::actor::ActorId;
use domain::budget::{Budget, Charge, Limit, Settlement};
use domain::lifecycle::slot::SlotEvent;
use domain::money::MicroUsd;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::change::{Change, Failure};
use super::items::{self, Item, number, value};
use super::plans::plan_key;
use super::slots::{SlotName, SlotRecord};
use super::{CONTENTION_BACKOFF, Store, StoreError};

const EVERYTHING: &str = "SPENDING";
const JUDGING: &str = "JUDGING#";

/// How long it is kept what an evaluation has cost; the sums of the days stay.
const COST_RETENTION: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Whether money could be reserved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reservation {
    /// No limit prevents it. For a slot that has changed since it was read, nothing is reserved; the worker reads it again.
    Granted,
    /// This limit leaves no room.
    UsedUp(Limit),
}

/// What a day, an actor's day or a plan has cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Spending {
    /// Spent, or set aside for calls under way.
    pub committed: MicroUsd,
    /// Spent.
    pub spent: MicroUsd,
}

/// What an evaluation has asked the vision model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judging {
    /// When.
    pub judged_at: Timestamp,
    /// About how many images.
    pub images: u64,
    /// What that cost.
    pub cost: MicroUsd,
}

impl Store {
    /// Reserves the price of an image for a slot that was read as `record`. `Granted` also if the slot has changed since.
    ///
    /// # Errors
    /// If the slot isn't pending, or the table can't be written.
    pub async fn reserve_image(
        &self,
        slot: SlotName<'_>,
        record: &SlotRecord,
        charge: Charge,
        budget: &Budget,
    ) -> Result<Reservation, StoreError> {
        let limits = [
            (Limit::Daily, day_key(charge.day), budget.daily),
            (Limit::Actor, actor_day_key(slot.actor, charge.day), budget.daily_per_actor),
            (Limit::Plan, plan_key(slot.actor, slot.plan_id), budget.per_plan),
        ];
        let noted = record.after(&SlotEvent::PriceReserved { charge })?.replacing(slot, record)?;
        self.reserve(charge.amount, &limits, Some(noted)).await
    }

    /// Reserves money for requests to the vision service. If the worker is interrupted before [`Self::book_assessment`], the
    /// amount stays committed, because the requests may have been charged.
    ///
    /// # Errors
    /// If the table can't be written.
    pub async fn reserve_assessment(
        &self,
        actor: &ActorId,
        charge: Charge,
        budget: &Budget,
    ) -> Result<Reservation, StoreError> {
        let limits = [
            (Limit::Daily, day_key(charge.day), budget.daily),
            (Limit::Actor, actor_day_key(actor, charge.day), budget.daily_per_actor),
        ];
        self.reserve(charge.amount, &limits, None).await
    }

    /// Replaces what was set aside for the questions of an evaluation by what they cost, and keeps that under the
    /// evaluation's name, whatever else becomes of it.
    ///
    /// # Errors
    /// If the table can't be written.
    pub async fn book_assessment(
        &self,
        actor: &ActorId,
        charge: Charge,
        evaluation: &str,
        judging: Judging,
    ) -> Result<(), StoreError> {
        let cost = judging.cost;
        let difference = i128::from(cost.0) - i128::from(charge.amount.0);
        let [day, actor_day] = [day_key(charge.day), actor_day_key(actor, charge.day)]
            .map(|key| Change::of(key).add("committed", number(difference)).add("spent", number(cost.0)));
        let kept = Change::of(items::key(actor, format!("{JUDGING}{evaluation}")))
            .set("judged_at", value(&judging.judged_at)?)
            .set("images", number(judging.images))
            .set("cost", number(cost.0))
            .set("expires_at", number((judging.judged_at + COST_RETENTION).as_second()));
        self.transact_changes(&[day, actor_day, kept]).await.map(drop)
    }

    /// What the last evaluations of an actor that asked anything have cost, by their names, the oldest first.
    ///
    /// # Errors
    /// If the table can't be read.
    pub async fn judgings(&self, actor: &ActorId) -> Result<Vec<Judging>, StoreError> {
        self.query(actor, JUDGING).await?.into_iter().map(items::data).collect()
    }

    /// What has been spent in a day.
    ///
    /// # Errors
    /// If the table can't be read.
    pub async fn spending(&self, day: Date) -> Result<Spending, StoreError> {
        Ok(self.get(day_key(day)).await?.unwrap_or_default())
    }

    /// What has been spent on an actor in a day.
    ///
    /// # Errors
    /// If the table can't be read.
    pub async fn spending_on(&self, actor: &ActorId, day: Date) -> Result<Spending, StoreError> {
        Ok(self.get(actor_day_key(actor, day)).await?.unwrap_or_default())
    }

    /// What has been spent on an actor at any time.
    ///
    /// # Errors
    /// If the table can't be read.
    pub async fn spending_ever_on(&self, actor: &ActorId) -> Result<MicroUsd, StoreError> {
        let days: Vec<Spending> =
            self.query(actor, EVERYTHING).await?.into_iter().map(items::data).collect::<Result<_, _>>()?;
        Ok(days.into_iter().map(|day| day.spent).sum())
    }

    async fn reserve(
        &self,
        amount: MicroUsd,
        limits: &[(Limit, Item, MicroUsd)],
        noted: Option<Change>,
    ) -> Result<Reservation, StoreError> {
        if let Some((limit, ..)) = limits.iter().find(|(_, _, budget)| *budget < amount) {
            return Ok(Reservation::UsedUp(*limit));
        }
        let commit = limits.iter().map(|(_, key, budget)| {
            Change::of(key.clone())
                .add("committed", number(amount.0))
                .when_absent_or_at_most("committed", number(budget.saturating_sub(amount).0))
        });
        let changes: Vec<Change> = commit.chain(noted).collect();
        let failures = self.transact_changes(&changes).await?;
        // The slot's own condition comes after the limits'. If it failed, another worker has changed the slot, and the caller
        // reads it again; else the first limit that failed is used up.
        let is_noted = failures.get(limits.len()) == Some(&Failure::Condition);
        let full = limits.iter().zip(&failures).find(|(_, failure)| **failure == Failure::Condition);
        Ok(match full {
            Some(((limit, ..), _)) if !is_noted => Reservation::UsedUp(*limit),
            _ => Reservation::Granted,
        })
    }

    /// Makes all changes or none, and repeats this while other transactions hold the same items. Returns the failure of each
    /// change; nothing if all are made.
    pub(super) async fn transact_changes(&self, changes: &[Change]) -> Result<Vec<Failure>, StoreError> {
        let writes = changes.iter().map(|change| change.clone().in_transaction(self)).collect::<Result<_, _>>()?;
        self.transact_with_retry(writes).await
    }

    /// Like [`Self::transact_changes`], for any writes.
    pub(super) async fn transact_with_retry(&self, writes: Vec<TransactWriteItem>) -> Result<Vec<Failure>, StoreError> {
        let attempt = || async {
            let failures = self.try_transact(writes.clone()).await?;
            let is_conflict = failures.contains(&Failure::Conflict) && !failures.contains(&Failure::Condition);
            if is_conflict { Err(Contention::Conflict) } else { Ok(failures) }
        };
        match attempt.retry(CONTENTION_BACKOFF).when(|error| matches!(error, Contention::Conflict)).await {
            Ok(failures) => Ok(failures),
            Err(Contention::Store(error)) => Err(error),
            Err(Contention::Conflict) => Err(StoreError::Contended("change the same items")),
        }
    }
}

/// What a settled charge changes: the day's sums, the actor's, and the plan's, which `plan` may change otherwise too.
pub(super) fn settled(slot: SlotName<'_>, charge: Charge, settlement: Settlement, plan: Change) -> [Change; 3] {
    let (day, actor_day) = (day_key(charge.day), actor_day_key(slot.actor, charge.day));
    [Change::of(day), Change::of(actor_day), plan].map(|sums| match settlement {
        Settlement::Paid => sums.add("spent", number(charge.amount.0)),
        Settlement::Released => sums.add("committed", number(-i128::from(charge.amount.0))),
    })
}

/// Why one attempt at a transaction failed.
enum Contention {
    Conflict,
    Store(StoreError),
}

impl From<StoreError> for Contention {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

fn day_key(day: Date) -> Item {
    items::raw_key(EVERYTHING, day.to_string())
}

fn actor_day_key(actor: &ActorId, day: Date) -> Item {
    items::key(actor, format!("{EVERYTHING}#{day}"))
}
