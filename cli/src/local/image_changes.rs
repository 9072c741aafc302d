//! The images that a run has deleted and generated, for its report.

use aws::store::{Store, StoreError};
use domain::actor::ActorId;
use domain::lifecycle::slot::SlotState;
use domain::manifest::Manifest;
use domain::plan::{Plan, PlanState};
use jiff::Timestamp;

use crate::answers::{Deleted, Generated};

/// The deletions since `since`, the oldest first.
pub fn deleted_since(manifest: &Manifest, since: Timestamp) -> Vec<Deleted> {
    let entries = manifest.trash.iter().flat_map(|(file, entries)| entries.iter().map(move |entry| (file, entry)));
    let recent = entries.filter(|(_, trashed)| trashed.deleted_at >= since);
    let mut deleted: Vec<_> = recent.map(|(file, trashed)| Deleted::of(file, trashed)).collect();
    deleted.sort_by_key(|deleted| deleted.deleted_at);
    deleted
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
