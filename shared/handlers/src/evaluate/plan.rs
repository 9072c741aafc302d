//! Turns the planner's proposal into a plan.

use std::collections::BTreeSet;

use domain::coverage::Coverage;
use domain::kind::KindCounts;
use domain::messages::Mode;
use domain::plan::{Origin, Plan, PlanState, PlannedDeletion};
use domain::planner::Proposal;
use domain::prompts::Library;
use domain::slot::{draw_slots, views_of};
use jiff::Timestamp;

use super::assess::SetAssessment;
use super::context::EvaluationContext;
use super::inventory::Inventory;

pub(super) fn build(
    context: &EvaluationContext<'_>,
    plan_id: String,
    inventory: &Inventory,
    assessment: &SetAssessment,
    proposal: &Proposal,
    library: &Library,
    now: Timestamp,
) -> Plan {
    let to_delete: BTreeSet<&str> = proposal.delete.iter().map(|removal| removal.filename.as_str()).collect();
    let etag_of = |filename: &str| {
        inventory.images.iter().find(|image| image.filename == filename).and_then(|image| image.image.etag.clone())
    };
    let delete = proposal.delete.iter().map(|removal| PlannedDeletion {
        filename: removal.filename.clone(),
        etag: etag_of(&removal.filename).unwrap_or_default(),
        reason: removal.reason.clone(),
    });
    let to_keep = inventory.images.iter().filter(|image| !to_delete.contains(image.filename.as_str()));
    let used_prompts = to_keep.filter_map(|image| image.image.prompt_id.clone());
    let used_prompts = used_prompts.chain(context.record.rejected_prompts.iter().cloned()).collect();
    let kept_views = proposal.coverage.map(|coverage| coverage.after).unwrap_or_default();
    let needs = context.settings.target.views.needs(kept_views, proposal.generate.total());
    let slots = draw_slots(library, &context.command.actor_id, &plan_id, proposal.generate, &used_prompts, needs);
    let after = kept_views + views_of(slots.iter().filter_map(|slot| library.by_id(&slot.prompt_id)));
    let is_dry_run = context.command.mode == Mode::DryRun;
    let mut plan = Plan {
        round: context.round,
        scope: context.command.scope,
        before: KindCounts::tally(assessment.assessments.iter().map(|assessment| assessment.kind)),
        result: proposal.result,
        coverage: proposal.coverage.map(|coverage| Coverage { after, ..coverage }),
        delete: delete.collect(),
        generation_id: (!slots.is_empty()).then_some(inventory.last_generation + 1),
        slots,
        notes: [inventory.notes.as_slice(), assessment.unassessed.as_slice()].concat(),
        vision_cost: assessment.cost,
        state: if is_dry_run { PlanState::DryRun } else { PlanState::Adopted },
        request_id: context.command.request_id.clone().filter(|_| is_dry_run),
        ..Plan::empty(plan_id, now, Origin::Evaluation)
    };
    plan.remaining = plan.pieces_of_work();
    plan.with_prompts_of(library).in_format(context.settings.format)
}
