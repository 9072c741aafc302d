//! How far a paid image has come: asked for, begun under a name, safe, or to be tried again.

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;

use super::actors::{actor_key, millis};
use super::change::Change;
use super::items::{number, text, value};
use super::plans::plan_key;
use super::slots::{SlotName, SlotRecord, SlotState};
use super::spending::{Settlement, settled};
use super::{Store, StoreError};
use crate::domain::actor::ActorId;

impl Store {
    /// Notes that the image is about to be asked for. From here on somebody may have been charged for it.
    ///
    /// # Errors
    /// If the table can't be written.
    pub async fn mark_asked(&self, slot: SlotName<'_>, now: Timestamp) -> Result<(), StoreError> {
        self.apply(Change::of(slot.key()).set_if_absent("asked_at", millis(now))).await.map(drop)
    }

    /// Notes that the image was asked for in vain: nothing has begun.
    ///
    /// # Errors
    /// If the table can't be written.
    pub async fn mark_not_asked(&self, slot: SlotName<'_>) -> Result<(), StoreError> {
        self.apply(Change::of(slot.key()).remove("asked_at").when_absent("prediction_id")).await.map(drop)
    }

    /// Notes under which name the image has been begun.
    ///
    /// # Errors
    /// If the table can't be written.
    pub async fn mark_begun(&self, slot: SlotName<'_>, prediction_id: &str) -> Result<(), StoreError> {
        self.apply(Change::of(slot.key()).set("prediction_id", text(prediction_id))).await.map(drop)
    }

    /// Notes that the bytes of the image are safe and that it has been paid, once however often it is called.
    ///
    /// # Errors
    /// If the table can't be written.
    pub async fn mark_staged(&self, slot: SlotName<'_>, record: &SlotRecord) -> Result<(), StoreError> {
        let staged = Change::of(slot.key()).set("state", value(&SlotState::Staged)?);
        self.end_attempt(slot, record, staged, Settlement::Paid, None).await
    }

    /// Begins anew after an attempt that gave no image, with another prompt where one is given, once however often it
    /// is called.
    ///
    /// # Errors
    /// If the table can't be written.
    pub async fn try_again(
        &self,
        slot: SlotName<'_>,
        record: &SlotRecord,
        settlement: Settlement,
        prompt_id: Option<&str>,
    ) -> Result<(), StoreError> {
        let mut again = Change::of(slot.key())
            .set("attempt", number(record.attempt + 1))
            .remove("asked_at")
            .remove("prediction_id");
        if let Some(prompt_id) = prompt_id {
            again = again.set("prompt_id", text(prompt_id));
        }
        self.end_attempt(slot, record, again, settlement, None).await
    }

    /// Counts a slot as over without an image, once however often it is called.
    ///
    /// # Errors
    /// If the table can't be written.
    pub async fn fail_slot(
        &self,
        slot: SlotName<'_>,
        record: &SlotRecord,
        settlement: Settlement,
        reason: &str,
    ) -> Result<(), StoreError> {
        let failed = Change::of(slot.key()).set("state", value(&SlotState::Failed)?).set("reason", text(reason));
        let counted = Change::of(plan_key(slot.actor, slot.plan_id)).add("remaining", number(-1)).when_item_exists();
        self.end_attempt(slot, record, failed, settlement, Some(counted)).await
    }

    /// Changes the slot, and the plan where asked, and settles the charge if there is one: all at once, and only if
    /// the slot is still at this attempt.
    async fn end_attempt(
        &self,
        slot: SlotName<'_>,
        record: &SlotRecord,
        change: Change,
        settlement: Settlement,
        plan: Option<Change>,
    ) -> Result<(), StoreError> {
        let mut change = change
            .remove("charge")
            .when_equal("state", value(&SlotState::Open)?)
            .when_absent_or_equal("attempt", number(record.attempt));
        let mut changes: Vec<Change> = Vec::new();
        match record.charge {
            Some(charge) => {
                if settlement == Settlement::Paid {
                    change = change.add("spent", number(charge.amount.0));
                }
                let plan = plan.unwrap_or_else(|| Change::of(plan_key(slot.actor, slot.plan_id)));
                changes.extend(settled(slot, charge, settlement, plan));
            }
            None => changes.extend(plan),
        }
        changes.push(change);
        // Where a condition doesn't hold, an earlier call has done this already.
        self.transact_among_rivals(&changes).await.map(drop)
    }

    /// Remembers that a prompt was found improper for an actor, so that it isn't drawn for it again.
    ///
    /// # Errors
    /// If the table can't be written.
    pub async fn reject_prompt(&self, actor: &ActorId, prompt_id: &str) -> Result<(), StoreError> {
        let prompts = AttributeValue::Ss(vec![prompt_id.to_owned()]);
        self.apply(Change::of(actor_key(actor)).add("rejected_prompts", prompts)).await.map(drop)
    }
}
