//! How far each image of a plan has come, and the numbers they are given.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::TransactWriteItem;
use domain::actor::ActorId;
use domain::manifest::Image;
use domain::money::MicroUsd;
use jiff::fmt::serde::timestamp::millisecond;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::actors::{actor_key, millis};
use super::change::Change;
use super::images::image_key;
use super::items::{self, Item, number, text, value};
use super::plans::plan_key;
use super::spending::Charge;
use super::{Store, StoreError};

/// How far one image of a plan has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SlotState {
    /// Nothing is safe yet.
    #[default]
    Open,
    /// Its bytes lie in the staging area.
    Staged,
    /// It has its number, and is in the manifest.
    Numbered,
    /// It is in its place.
    Done,
    /// It could not be made, and repeating won't help.
    Failed,
}

/// One image of a plan.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SlotRecord {
    /// How far it has come.
    pub state: SlotState,
    /// Its name, once it has a number.
    pub filename: Option<String>,
    /// Why it failed, where it did.
    pub reason: Option<String>,
    /// Attempts that gave no image.
    pub attempt: u32,
    /// The prompt it is made with, where it isn't the one that the plan drew.
    pub prompt_id: Option<String>,
    /// The money set aside for it.
    pub charge: Option<Charge>,
    /// What it has cost.
    pub spent: MicroUsd,
    /// Since when it may have been asked for.
    #[serde(with = "millisecond::optional")]
    pub asked_at: Option<Timestamp>,
    /// Under which name it has been begun.
    pub prediction_id: Option<String>,
    /// Since when that is known.
    #[serde(with = "millisecond::optional")]
    pub begun_at: Option<Timestamp>,
    /// Since when the generator has been unavailable.
    #[serde(with = "millisecond::optional")]
    pub outage_since: Option<Timestamp>,
    /// Fetches of the prediction's output that returned no image.
    pub fetches: u32,
    /// Creations of this slot that the generator accepted and did not finish; they use up no attempt.
    pub interruptions: u32,
    /// When the generator first failed to finish one.
    #[serde(with = "millisecond::optional")]
    pub interrupted_since: Option<Timestamp>,
    /// When it was counted as done: its image is in its place by then.
    #[serde(with = "millisecond::optional")]
    pub ended_at: Option<Timestamp>,
    /// Who is at it.
    pub claim_token: Option<String>,
    /// Until when, at most.
    #[serde(with = "millisecond::optional")]
    pub claim_until: Option<Timestamp>,
}

impl SlotRecord {
    /// Whether its image may have been paid, and is not yet in its place.
    #[must_use]
    pub fn is_under_way(&self) -> bool {
        match self.state {
            SlotState::Open => self.asked_at.is_some() || self.prediction_id.is_some(),
            SlotState::Staged | SlotState::Numbered => true,
            SlotState::Done | SlotState::Failed => false,
        }
    }
}

/// One image of one plan of one actor.
#[derive(Debug, Clone, Copy)]
pub struct SlotName<'a> {
    /// Whose.
    pub actor: &'a ActorId,
    /// Which plan.
    pub plan_id: &'a str,
    /// Which of its images.
    pub slot_id: &'a str,
}

impl SlotName<'_> {
    pub(super) fn key(&self) -> Item {
        items::key(self.actor, format!("SLOT#{}#{}", self.plan_id, self.slot_id))
    }
}

impl Store {
    /// Takes the right to work on a slot until `now` + `duration`; `None` if somebody else has it.
    ///
    /// # Errors
    /// If the table can't be written.
    pub async fn claim_slot(
        &self,
        slot: SlotName<'_>,
        token: &str,
        now: Timestamp,
        duration: SignedDuration,
    ) -> Result<Option<SlotRecord>, StoreError> {
        let change = Change::of(slot.key())
            .set_if_absent("state", value(&SlotState::Open)?)
            .set("claim_token", text(token))
            .set("claim_until", millis(now + duration))
            .when_free("claim_until", millis(now), "claim_token", text(token));
        self.apply(change).await?.map(items::data).transpose()
    }

    /// Gives the right to work on a slot back.
    ///
    /// # Errors
    /// If the table can't be written.
    pub async fn release_slot(&self, slot: SlotName<'_>, token: &str) -> Result<(), StoreError> {
        let change =
            Change::of(slot.key()).remove("claim_token").remove("claim_until").when_equal("claim_token", text(token));
        self.apply(change).await.map(drop)
    }

    /// Gives the image the number in its `index`, which follows `last_number`, enters it in the manifest and notes it
    /// in the slot, in one transaction. `false` if another image took the number, or the slot has one already: look again.
    ///
    /// # Errors
    /// If the table can't be written.
    pub async fn give_number(
        &self,
        slot: SlotName<'_>,
        last_number: u64,
        filename: &str,
        image: &Image,
    ) -> Result<bool, StoreError> {
        let counted = Change::of(actor_key(slot.actor))
            .set("last_number", number(image.index))
            .when_absent_or_equal("last_number", number(last_number));
        let noted = Change::of(slot.key())
            .set("state", value(&SlotState::Numbered)?)
            .set("filename", text(filename))
            .when_equal("state", value(&SlotState::Staged)?);
        self.transact(vec![
            counted.in_transaction(self)?,
            noted.in_transaction(self)?,
            self.put_image(slot.actor, filename, image)?,
        ])
        .await
    }

    /// Gives a number up because a person's upload bears its file name; the image gets the next one. The person's file
    /// keeps its name, and the next evaluation finds it, whatever an earlier one took it for.
    ///
    /// # Errors
    /// If the table can't be written.
    pub async fn yield_number(&self, slot: SlotName<'_>, filename: &str) -> Result<(), StoreError> {
        let yielded = Change::of(slot.key())
            .set("state", value(&SlotState::Staged)?)
            .remove("filename")
            .when_equal("state", value(&SlotState::Numbered)?)
            .when_equal("filename", text(filename));
        let writes = vec![yielded.in_transaction(self)?, self.removal_of_unplaced(slot, filename)?];
        self.write_among_rivals(writes).await.map(drop)
    }

    /// Gives an image up that has its number, and whose bytes are gone. The plan goes on without it.
    ///
    /// # Errors
    /// If the table can't be written.
    pub async fn lose_image(&self, slot: SlotName<'_>, filename: &str, reason: &str) -> Result<(), StoreError> {
        let lost = Change::of(slot.key())
            .set("state", value(&SlotState::Failed)?)
            .set("reason", text(reason))
            .when_equal("state", value(&SlotState::Numbered)?);
        let counted = Change::of(plan_key(slot.actor, slot.plan_id)).add("remaining", number(-1)).when_item_exists();
        let writes =
            vec![lost.in_transaction(self)?, counted.in_transaction(self)?, self.removal_of_unplaced(slot, filename)?];
        self.write_among_rivals(writes).await.map(drop)
    }

    fn removal_of_unplaced(&self, slot: SlotName<'_>, filename: &str) -> Result<TransactWriteItem, StoreError> {
        Change::of(image_key(slot.actor, filename))
            .when_equal("image.plan_id", text(slot.plan_id))
            .removal_in_transaction(self)
    }

    /// Counts a slot as done, once however often it is called.
    ///
    /// # Errors
    /// If the table can't be written.
    pub async fn finish_slot(&self, slot: SlotName<'_>, now: Timestamp) -> Result<(), StoreError> {
        let ended = Change::of(slot.key())
            .set("state", value(&SlotState::Done)?)
            .set("ended_at", millis(now))
            .when_equal("state", value(&SlotState::Numbered)?);
        let counted = Change::of(plan_key(slot.actor, slot.plan_id))
            .add("remaining", number(-1))
            .add("generated", number(1))
            .when_item_exists();
        self.transact_among_rivals(&[ended, counted]).await.map(drop)
    }

    /// Every slot of a plan that has been worked on, by its name in the plan.
    ///
    /// # Errors
    /// If the table can't be read.
    pub async fn slots(&self, actor: &ActorId, plan_id: &str) -> Result<BTreeMap<String, SlotRecord>, StoreError> {
        let prefix = format!("SLOT#{plan_id}#");
        let items = self.query(actor, &prefix).await?.into_iter();
        items
            .filter_map(|item| Some((items::sort_key_after(&item, &prefix)?, item)))
            .map(|(slot_id, item)| Ok((slot_id, items::data(item)?)))
            .collect()
    }

    /// How far a slot has come.
    ///
    /// # Errors
    /// If the table can't be read.
    pub async fn slot(&self, slot: SlotName<'_>) -> Result<SlotRecord, StoreError> {
        Ok(self.get(slot.key()).await?.unwrap_or_default())
    }
}
