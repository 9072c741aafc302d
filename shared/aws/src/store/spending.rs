//! The money that the paid services have cost, and that is reserved for running requests.
//!
//! A day (UTC) has one item for all actors and one for each actor; a plan has its own sums. Each contains `committed`,
//! which is spent or reserved and never exceeds the budget, and `spent`. One transaction changes all of them, so they
//! always agree and no two workers spend the same dollar.

use domain::actor::ActorId;
use domain::budget::{Budget, Charge, Limit, Settlement};
use domain::lifecycle::slot::SlotEvent;
use domain::money::MicroUsd;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::change::{Change, Condition, Write};
use super::items::{self, Item, number, value};
use super::plans::plan_key;
use super::slot_record::{SlotName, SlotRecord};
use super::write::Failure;
use super::{Store, StoreError};

const SPENDING: &str = "SPENDING";
const ASSESSMENT: &str = "ASSESSMENT#";

/// The time for which the cost of an evaluation is kept. The sums of the days stay.
const COST_RETENTION: SignedDuration = SignedDuration::from_hours(30 * 24);

/// The result of a reservation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reservation {
    /// No limit prevents it. If the slot has changed since it was read, nothing is reserved, and the worker reads it again.
    Granted,
    /// The amount would exceed this limit.
    UsedUp(Limit),
}

/// The sums of a day, an actor's day or a plan.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Spending {
    /// The amount spent or reserved.
    pub committed: MicroUsd,
    /// The amount spent.
    pub spent: MicroUsd,
}

/// The cost of the vision requests of one evaluation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssessmentCost {
    pub assessed_at: Timestamp,
    /// The number of assessed images.
    pub images: u64,
    pub cost: MicroUsd,
}

impl Store {
    /// Reserves the price of an image for a slot that was read as `record`. `Granted` also if the slot has changed
    /// since.
    ///
    /// # Errors
    /// If the slot isn't pending.
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

    /// Reserves money for requests to the vision service. If the worker is interrupted before
    /// [`Self::book_assessment`], the amount stays committed, because the requests may have been charged.
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

    /// Replaces the reserved amount of an evaluation by the amount spent, and records it under the evaluation's id.
    pub async fn book_assessment(
        &self,
        actor: &ActorId,
        charge: Charge,
        evaluation: &str,
        spent: AssessmentCost,
    ) -> Result<(), StoreError> {
        let AssessmentCost { assessed_at, images, cost } = spent;
        let difference = i128::from(cost.0) - i128::from(charge.amount.0);
        let [day, actor_day] = [day_key(charge.day), actor_day_key(actor, charge.day)]
            .map(|key| Change::of(key).add("committed", number(difference)).add("spent", number(cost.0)));
        let kept = Change::of(items::key(actor, format!("{ASSESSMENT}{evaluation}")))
            .set("assessed_at", value(&assessed_at)?)
            .set("images", number(images))
            .set("cost", number(cost.0))
            .set("expires_at", number((assessed_at + COST_RETENTION).as_second()));
        self.transact(&[day.into(), actor_day.into(), kept.into()]).await.map(drop)
    }

    /// The costs of an actor's evaluations of the last 30 days, the oldest first.
    pub async fn assessment_costs(&self, actor: &ActorId) -> Result<Vec<AssessmentCost>, StoreError> {
        self.query(actor, ASSESSMENT).await?.into_iter().map(items::data).collect()
    }

    /// The sums of a day.
    pub async fn spending(&self, day: Date) -> Result<Spending, StoreError> {
        Ok(self.get(day_key(day)).await?.unwrap_or_default())
    }

    /// The sums of an actor's day.
    pub async fn spending_on(&self, actor: &ActorId, day: Date) -> Result<Spending, StoreError> {
        Ok(self.get(actor_day_key(actor, day)).await?.unwrap_or_default())
    }

    /// The amount spent on an actor on all days.
    pub async fn spending_ever_on(&self, actor: &ActorId) -> Result<MicroUsd, StoreError> {
        let days: Vec<Spending> =
            self.query(actor, SPENDING).await?.into_iter().map(items::data).collect::<Result<_, _>>()?;
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
                .when(Condition::AbsentOrAtMost("committed", number(budget.saturating_sub(amount).0)))
        });
        let writes: Vec<Write> = commit.chain(noted).map(Write::from).collect();
        let failures = self.transact(&writes).await?;
        // The slot's own condition comes after the limits'. If it failed, another worker has changed the slot, and the
        // caller reads it again; else the first limit that failed is used up.
        let has_slot_changed = failures.get(limits.len()) == Some(&Failure::Condition);
        let full = limits.iter().zip(&failures).find(|(_, failure)| **failure == Failure::Condition);
        Ok(match full {
            Some(((limit, ..), _)) if !has_slot_changed => Reservation::UsedUp(*limit),
            _ => Reservation::Granted,
        })
    }
}

/// The changes that settle a charge: of the day's sums, the actor's and the plan's. `plan` may change the plan further.
pub(super) fn settled(slot: SlotName<'_>, charge: Charge, settlement: Settlement, plan: Change) -> [Change; 3] {
    let (day, actor_day) = (day_key(charge.day), actor_day_key(slot.actor, charge.day));
    [Change::of(day), Change::of(actor_day), plan].map(|sums| match settlement {
        Settlement::Paid => sums.add("spent", number(charge.amount.0)),
        Settlement::Released => sums.add("committed", number(-i128::from(charge.amount.0))),
    })
}

pub(super) fn day_key(day: Date) -> Item {
    items::raw_key(SPENDING, day.to_string())
}

pub(super) fn actor_day_key(actor: &ActorId, day: Date) -> Item {
    items::key(actor, format!("{SPENDING}#{day}"))
}
