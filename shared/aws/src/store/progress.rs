//! The progress of the unfinished work on an actor.

use domain::actor::ActorId;
use domain::plan::Plan;
use domain::stall::Work;
use domain::status::Status;
use jiff::Timestamp;

use super::actors::{ActorRecord, actor_key};
use super::change::{Change, Condition};
use super::items::millis;
use super::slots::SlotRecord;
use super::{Store, StoreError};

impl Store {
    /// The unfinished work on an actor; `None` if there is none that continues without the operator.
    pub async fn work(&self, actor: &ActorId, record: &ActorRecord) -> Result<Option<Work>, StoreError> {
        let is_at_work = matches!(record.status, Status::Balancing | Status::Parked);
        if !is_at_work && !record.is_evaluation_pending() {
            return Ok(None);
        }
        // While uploads arrive, they renew `changed_at`, although the message that will evaluate them may be lost.
        let pending_at = record.evaluation_scheduled_at.or(record.changed_at);
        let mut times =
            vec![record.created_at, record.updated_at, record.redelivery_at, pending_at, record.lease_until];
        if let Some(plan_id) = record.active_plan.as_ref().filter(|_| is_at_work) {
            times.extend(self.plan(actor, plan_id).await?.map(|plan: Plan| Some(plan.created_at)));
            times.extend(self.slots(actor, plan_id).await?.values().map(last_change));
        }
        let last_progress_at = times.into_iter().flatten().max().unwrap_or(Timestamp::UNIX_EPOCH);
        Ok(Some(Work { last_progress_at, is_parked: record.status == Status::Parked }))
    }

    /// Records that SQS will deliver a failed or deferred message at this time, which a sweep then needn't replace. Of
    /// several messages, the last one counts.
    pub async fn mark_redelivery(&self, actor: &ActorId, at: Timestamp) -> Result<(), StoreError> {
        let change = Change::of(actor_key(actor)).set("redelivery_at", millis(at)).when_item_exists();
        self.apply(change.when(Condition::AbsentOrBelow("redelivery_at", millis(at)))).await.map(drop)
    }

    /// Records that a sweep has resumed the work on an actor.
    pub async fn mark_swept(&self, actor: &ActorId, now: Timestamp) -> Result<(), StoreError> {
        // The message that would have evaluated the desired revision may be the lost one.
        let change = Change::of(actor_key(actor)).set("swept_at", millis(now)).remove("evaluation_scheduled_at");
        self.apply(change.when_item_exists()).await.map(drop)
    }
}

fn last_change(slot: &SlotRecord) -> Option<Timestamp> {
    slot.progress.state.entered_at().max(slot.lease_until)
}
