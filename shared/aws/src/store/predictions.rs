//! How far a paid image has come: asked for, begun under a name, safe, or to be tried again.

use aws_sdk_dynamodb::types::AttributeValue;
use domain::actor::ActorId;
use jiff::Timestamp;

use super::actors::{actor_key, millis};
use super::change::Change;
use super::items::{number, text, value};
use super::plans::plan_key;
use super::slots::{SlotName, SlotRecord, SlotState};
use super::spending::{Settlement, settled};
use super::{Store, StoreError};

impl Store {
    /// Records that the handler is about to request the image. From here on the account may have been charged for it.
    /// An earlier time is overwritten: a worker that repeats the request has searched for the creation and found none.
    /// Returns `false`, and the handler must not request anything, if the slot has progressed beyond `record`.
    ///
    /// # Errors
    /// If the table can't be written.
    pub async fn mark_asked(
        &self,
        slot: SlotName<'_>,
        record: &SlotRecord,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let asked = at_this_creation(slot, record)?.set("asked_at", millis(now)).when_absent("prediction_id");
        Ok(self.apply(asked).await?.is_some())
    }

    /// Notes that the image was asked for in vain: nothing has begun.
    ///
    /// # Errors
    /// If the table can't be written.
    pub async fn mark_not_asked(&self, slot: SlotName<'_>) -> Result<(), StoreError> {
        self.apply(Change::of(slot.key()).remove("asked_at").when_absent("prediction_id")).await.map(drop)
    }

    /// Records the name of the created prediction. A slot that has progressed beyond `record` stays unchanged.
    ///
    /// # Errors
    /// If the table can't be written.
    pub async fn mark_begun(
        &self,
        slot: SlotName<'_>,
        record: &SlotRecord,
        prediction_id: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let begun = at_this_creation(slot, record)?
            .set("prediction_id", text(prediction_id))
            .set("begun_at", millis(now))
            .remove("outage_since")
            .when_absent_or_equal("prediction_id", text(prediction_id));
        self.apply(begun).await.map(drop)
    }

    /// Counts a fetch of the output that returned no image.
    ///
    /// # Errors
    /// If the table can't be written.
    pub async fn note_fetch(&self, slot: SlotName<'_>, record: &SlotRecord) -> Result<(), StoreError> {
        let fetched = at_this_creation(slot, record)?.set("fetches", number(record.fetches + 1));
        self.apply(fetched).await.map(drop)
    }

    /// Clears a creation that the generator accepted and did not finish; such interruptions have lasted since `since`.
    /// The attempt continues, and its price stays reserved.
    ///
    /// # Errors
    /// If the table can't be written.
    pub async fn note_interruption(
        &self,
        slot: SlotName<'_>,
        record: &SlotRecord,
        since: Timestamp,
    ) -> Result<(), StoreError> {
        let interrupted = without_creation(at_this_creation(slot, record)?)
            .set("interruptions", number(record.interruptions + 1))
            .set("interrupted_since", millis(since));
        self.apply(interrupted).await.map(drop)
    }

    /// Notes that the bytes of the image are safe and that it has been paid, once however often it is called.
    ///
    /// # Errors
    /// If the table can't be written.
    pub async fn mark_staged(&self, slot: SlotName<'_>, record: &SlotRecord) -> Result<(), StoreError> {
        let staged = Change::of(slot.key()).set("state", value(&SlotState::Staged)?);
        self.end_attempt(slot, record, staged, Settlement::Paid, None).await
    }

    /// Begins anew after an attempt that gave no image, once however often it is called.
    ///
    /// # Errors
    /// If the table can't be written.
    pub async fn try_again(
        &self,
        slot: SlotName<'_>,
        record: &SlotRecord,
        settlement: Settlement,
    ) -> Result<(), StoreError> {
        self.end_attempt(slot, record, next_attempt(slot, record), settlement, None).await
    }

    /// Restarts the slot with another prompt. If another slot of the plan has drawn the same prompt meanwhile, nothing
    /// changes; the caller must state explicitly that slots share a prompt because no others are left.
    ///
    /// # Errors
    /// If the table can't be written.
    pub async fn try_other_prompt(
        &self,
        slot: SlotName<'_>,
        record: &SlotRecord,
        settlement: Settlement,
        prompt_id: &str,
        is_shared: bool,
    ) -> Result<(), StoreError> {
        let again = next_attempt(slot, record).set("prompt_id", text(prompt_id));
        let prompts = AttributeValue::Ss(vec![prompt_id.to_owned()]);
        let mut drawn = Change::of(plan_key(slot.actor, slot.plan_id)).add("redrawn_prompts", prompts);
        if !is_shared {
            drawn = drawn.when_without("redrawn_prompts", text(prompt_id));
        }
        self.end_attempt(slot, record, again, settlement, Some(drawn)).await
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
            .remove("outage_since")
            .remove("interrupted_since")
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

/// The slot as it is when nothing of its next attempt has been done.
fn next_attempt(slot: SlotName<'_>, record: &SlotRecord) -> Change {
    without_creation(Change::of(slot.key())).set("attempt", number(record.attempt + 1)).remove("interruptions")
}

fn without_creation(change: Change) -> Change {
    change.remove("asked_at").remove("prediction_id").remove("begun_at").remove("fetches")
}

/// A change of the slot that applies only while it has the creation of `record`: a worker that was considered dead must
/// not overwrite the progress of another.
fn at_this_creation(slot: SlotName<'_>, record: &SlotRecord) -> Result<Change, StoreError> {
    Ok(Change::of(slot.key())
        .when_equal("state", value(&SlotState::Open)?)
        .when_absent_or_equal("attempt", number(record.attempt))
        .when_absent_or_equal("interruptions", number(record.interruptions)))
}
