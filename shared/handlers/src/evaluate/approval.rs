//! Plans that delete a large share of a set need the operator's approval.

use std::collections::BTreeSet;

use aws::store::Store;
use domain::actor::ActorId;
use domain::plan::Plan;

use super::context::EvaluationContext;
use crate::HandlerError;

/// Whether the operator has approved each deletion of the plan: this file, in this version.
pub(super) async fn is_approved(
    store: &Store,
    context: &EvaluationContext<'_>,
    plan: &Plan,
) -> Result<bool, HandlerError> {
    let Some(approved) = &context.record.approved_plan else { return Ok(false) };
    let Some(approved) = store.plan(&context.command.actor_id, approved).await? else { return Ok(false) };
    Ok(deletions(plan).is_subset(&deletions(&approved)))
}

/// The actor's reason while the plan is on hold.
pub(super) fn request(actor: &ActorId, plan: &Plan, max_deleted_percent: u8) -> String {
    format!(
        "The plan would delete {} of {} images ({} %), more than MAX_DELETED_PERCENT={max_deleted_percent} allows: look at them with `balancer status {actor} --plan`, then `balancer approve {actor}`.",
        plan.delete.len(),
        plan.before.total(),
        plan.deleted_percent(),
    )
}

fn deletions(plan: &Plan) -> BTreeSet<(&str, &str)> {
    plan.delete.iter().map(|deletion| (deletion.filename.as_str(), deletion.etag.as_str())).collect()
}
