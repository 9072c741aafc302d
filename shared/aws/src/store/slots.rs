//! The progress of each slot of a plan. `domain::lifecycle::slot` defines the transitions.
//!
//! A worker reads a slot with its lease, applies an event and writes the result on condition that the slot's `revision`
//! has not changed since. So a worker that was considered dead can't overwrite the progress of its successor. One
//! transaction changes the slot together with everything that the event implies: the settled charge, the plan's
//! counters, the actor's last number and the image record.

use std::collections::BTreeMap;

use domain::actor::ActorId;
use domain::budget::Settlement;
use domain::lifecycle::slot::{NextPrompt, SlotEvent, SlotProgress, SlotState};
use domain::manifest::Image;

use super::actors::actor_key;
use super::change::{Change, Condition, Removal, Write};
use super::images::{image_key, new_image};
use super::items::{self, members, number, text};
use super::plans::plan_key;
pub use super::slot_record::{SlotName, SlotRecord};
use super::spending::settled;
use super::{Store, StoreError};

impl Store {
    /// Applies an event to a slot that was read as `record`, together with the charge that it settles and the plan's
    /// counters. Returns the new record, or `None` if the slot has changed since it was read.
    ///
    /// # Errors
    /// If the slot's state doesn't allow the event.
    pub async fn advance_slot(
        &self,
        slot: SlotName<'_>,
        record: &SlotRecord,
        event: &SlotEvent,
    ) -> Result<Option<SlotRecord>, StoreError> {
        let after = record.after(event)?;
        let mut changes = implied_changes(slot, &record.progress, &after.progress, None);
        changes.push(after.replacing(slot, record)?);
        self.write_slot(slot, after, changes).await
    }

    /// Ends an attempt whose prompt was rejected; the next one uses another prompt. If another slot of the plan has
    /// drawn the same prompt in the meantime, nothing changes, unless `is_shared` states that no other prompts are
    /// left. Returns whether the slot was changed.
    ///
    /// # Errors
    /// If the slot's state doesn't allow this.
    pub async fn redraw_prompt(
        &self,
        slot: SlotName<'_>,
        record: &SlotRecord,
        settlement: Settlement,
        prompt: NextPrompt,
        is_shared: bool,
    ) -> Result<bool, StoreError> {
        let mut drawn = Change::of(plan_key(slot.actor, slot.plan_id)).add("redrawn_prompts", members(&prompt.id));
        if !is_shared {
            drawn = drawn.when(Condition::Without("redrawn_prompts", text(&prompt.id)));
        }
        let after = record.after(&SlotEvent::AttemptFailed { settlement, prompt: Some(prompt) })?;
        let mut changes = implied_changes(slot, &record.progress, &after.progress, Some(drawn));
        changes.push(after.replacing(slot, record)?);
        Ok(self.write_slot(slot, after, changes).await?.is_some())
    }

    /// Assigns the image the number in its `index`, which follows `last_number`, and creates its record. Returns
    /// `false`, and changes nothing, if another image has taken the number or the slot has changed since it was read.
    ///
    /// # Errors
    /// If the slot's state doesn't allow this.
    pub async fn assign_number(
        &self,
        slot: SlotName<'_>,
        record: &SlotRecord,
        last_number: u64,
        filename: &str,
        image: &Image,
    ) -> Result<bool, StoreError> {
        let after = record.after(&SlotEvent::NumberAssigned { filename: filename.to_owned() })?;
        let counted = Change::of(actor_key(slot.actor))
            .set("last_number", number(image.index))
            .when_absent_or_equal("last_number", number(last_number));
        let numbered = after.replacing(slot, record)?;
        self.transact_once(&[counted.into(), numbered.into(), new_image(slot.actor, filename, image)?]).await
    }

    /// Releases the number of an image because an upload has it; the image gets the next one. The upload keeps its
    /// name, and the next evaluation finds it, whatever an earlier one took it for.
    ///
    /// # Errors
    /// If the slot has no number.
    pub async fn release_number(&self, slot: SlotName<'_>, record: &SlotRecord) -> Result<(), StoreError> {
        self.remove_unplaced(slot, record, &SlotEvent::NumberReleased).await
    }

    /// Fails a slot that has its number and whose bytes are gone. The plan continues without the image.
    ///
    /// # Errors
    /// If the slot has no number.
    pub async fn fail_numbered_slot(
        &self,
        slot: SlotName<'_>,
        record: &SlotRecord,
        reason: &str,
    ) -> Result<(), StoreError> {
        self.remove_unplaced(slot, record, &SlotEvent::ImageLost { reason: reason.to_owned() }).await
    }

    /// Applies an event by which an image loses its number, and removes its record.
    async fn remove_unplaced(
        &self,
        slot: SlotName<'_>,
        record: &SlotRecord,
        event: &SlotEvent,
    ) -> Result<(), StoreError> {
        let after = record.after(event)?;
        let mut changes = implied_changes(slot, &record.progress, &after.progress, None);
        changes.push(after.replacing(slot, record)?);
        let mut writes: Vec<Write> = changes.into_iter().map(Write::from).collect();
        if let SlotState::Numbered { filename } = &record.progress.state {
            let of_plan = Condition::Equal("image.plan_id", text(slot.plan_id));
            writes.push(Removal::of(image_key(slot.actor, filename)).when(of_plan).into());
        }
        self.transact(&writes).await.map(drop)
    }

    async fn write_slot(
        &self,
        slot: SlotName<'_>,
        after: SlotRecord,
        changes: Vec<Change>,
    ) -> Result<Option<SlotRecord>, StoreError> {
        let is_written = match <[Change; 1]>::try_from(changes) {
            Ok([change]) => self.apply(change).await?.is_some(),
            Err(changes) => {
                let writes: Vec<Write> = changes.into_iter().map(Write::from).collect();
                self.transact(&writes).await?.is_empty()
            }
        };
        if is_written {
            return Ok(Some(after));
        }
        // A write whose response was lost is repeated, and the repetition finds its own result.
        let found = self.slot(slot).await?;
        Ok((found.revision == after.revision && found.progress == after.progress).then_some(found))
    }

    /// Every slot of a plan on which work has begun, by its id in the plan.
    pub async fn slots(&self, actor: &ActorId, plan_id: &str) -> Result<BTreeMap<String, SlotRecord>, StoreError> {
        let prefix = format!("SLOT#{plan_id}#");
        let items = self.query(actor, &prefix).await?.into_iter();
        items
            .filter_map(|item| Some((items::sort_key_after(&item, &prefix)?, item)))
            .map(|(slot_id, item)| Ok((slot_id, items::data(item)?)))
            .collect()
    }

    /// A slot; pending if no work on it has begun.
    pub async fn slot(&self, slot: SlotName<'_>) -> Result<SlotRecord, StoreError> {
        Ok(self.get(slot.key()).await?.unwrap_or_default())
    }

    /// Records that the generator rejected a prompt for an actor. Plans draw it again only if no other is left.
    pub async fn reject_prompt(&self, actor: &ActorId, prompt_id: &str) -> Result<(), StoreError> {
        self.apply(Change::of(actor_key(actor)).add("rejected_prompts", members(prompt_id))).await.map(drop)
    }
}

/// The changes of other items that a step of the slot implies: the settled charge and the plan's counters. `plan` is a
/// further change of the plan.
fn implied_changes(
    slot: SlotName<'_>,
    before: &SlotProgress,
    after: &SlotProgress,
    plan: Option<Change>,
) -> Vec<Change> {
    let plan_item = || Change::of(plan_key(slot.actor, slot.plan_id));
    let plan = match &after.state {
        SlotState::Done { .. } => {
            Some(plan_item().add("remaining", number(-1)).add("generated", number(1)).when_item_exists())
        }
        SlotState::Failed { .. } => Some(plan_item().add("remaining", number(-1)).when_item_exists()),
        SlotState::Pending
        | SlotState::Reserved { .. }
        | SlotState::Requested { .. }
        | SlotState::Predicting { .. }
        | SlotState::Staged
        | SlotState::Numbered { .. } => plan,
    };
    match before.settled_by(after) {
        Some((charge, settlement)) => {
            settled(slot, charge, settlement, plan.unwrap_or_else(plan_item)).into_iter().collect()
        }
        None => plan.into_iter().collect(),
    }
}
