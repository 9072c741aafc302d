//! The images that a run has deleted and generated, for its report.

use aws::store::{Store, StoreError};
use domain::actor::ActorId;
use domain::kind::Kind;
use domain::lifecycle::slot::SlotState;
use domain::plan::{Plan, PlanState};
use jiff::Timestamp;
use serde::Serialize;

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Deleted {
    pub file: String,
    pub reason: String,
}

/// A generated image. It may have been deleted since.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Generated {
    pub file: String,
    /// The requested kind.
    pub kind: Kind,
    pub prompt_id: String,
}

/// The deletions since `since`, the oldest first.
pub async fn deleted_since(store: &Store, actor: &ActorId, since: Timestamp) -> Result<Vec<Deleted>, StoreError> {
    let trash = store.trash(actor).await?;
    let entries =
        trash.into_iter().flat_map(|(file, entries)| entries.into_iter().map(move |entry| (file.clone(), entry)));
    let mut entries: Vec<_> = entries.filter(|(_, trashed)| trashed.deleted_at >= since).collect();
    entries.sort_by_key(|(_, trashed)| trashed.deleted_at);
    Ok(entries.into_iter().map(|(file, trashed)| Deleted { file, reason: trashed.reason }).collect())
}

/// The images generated since `since` for any of these plans, in the order of the plans.
pub async fn generated_since(
    store: &Store,
    actor: &ActorId,
    plans: &[Plan],
    since: Timestamp,
) -> Result<Vec<Generated>, StoreError> {
    let mut generated = Vec::new();
    for plan in plans.iter().filter(|plan| plan.state != PlanState::DryRun && !plan.slots.is_empty()) {
        for (slot_id, record) in store.slots(actor, &plan.plan_id).await? {
            if let (SlotState::Done { filename: file, at }, Some(slot)) = (record.progress.state, plan.slot(&slot_id))
                && at >= since
            {
                let prompt_id = record.progress.prompt_id.unwrap_or_else(|| slot.prompt_id.clone());
                generated.push(Generated { file, kind: slot.kind, prompt_id });
            }
        }
    }
    Ok(generated)
}
