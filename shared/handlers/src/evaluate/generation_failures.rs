//! The images that the previous plan could not generate, for the actor's reason.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use aws::store::Store;
use domain::lifecycle::slot::SlotState;
use domain::messages::Cause;
use domain::plan::{Plan, PlanState};

use super::context::EvaluationContext;
use crate::HandlerError;

/// More reasons would hide the first.
const MAX_REASONS: usize = 2;

/// A sentence about the failed slots of the plan that this evaluation reviews, with a space before it; empty if there
/// are none, or if the plan is superseded.
pub(super) async fn generation_failures(
    store: &Store,
    context: &EvaluationContext<'_>,
) -> Result<String, HandlerError> {
    let plan_id = match &context.command.cause {
        Cause::PlanDone(plan_id) => Some(plan_id),
        _ => context.record.active_plan.as_ref(),
    };
    let Some(plan_id) = plan_id else { return Ok(String::new()) };
    let actor = &context.command.actor_id;
    let slots = store.slots(actor, plan_id).await?;
    let failures = describe(slots.values().map(|slot| &slot.progress.state));
    let is_superseded = |plan: Plan| plan.state == PlanState::Superseded;
    if !failures.is_empty() && store.plan(actor, plan_id).await?.is_some_and(is_superseded) {
        return Ok(String::new());
    }
    Ok(failures)
}

fn describe<'a>(slots: impl ExactSizeIterator<Item = &'a SlotState>) -> String {
    let total = slots.len();
    let mut by_reason: BTreeMap<&str, usize> = BTreeMap::new();
    for slot in slots {
        if let SlotState::Failed { reason } = slot {
            *by_reason.entry(reason).or_default() += 1;
        }
    }
    let failed: usize = by_reason.values().sum();
    if failed == 0 {
        return String::new();
    }
    let mut reasons: Vec<_> = by_reason.into_iter().collect();
    reasons.sort_by_key(|&(_, count)| Reverse(count));
    let shown: Vec<String> = match reasons.as_slice() {
        [(reason, _)] => vec![(*reason).to_owned()],
        many => many.iter().take(MAX_REASONS).map(|(reason, count)| format!("{reason} ({count})")).collect(),
    };
    let shown = shown.join("; ");
    let shown = shown.trim_end_matches('.');
    format!(" Of the last plan's {total} images {failed} could not be generated: {shown}.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(reason: &str) -> SlotState {
        SlotState::Failed { reason: reason.to_owned() }
    }

    #[test]
    fn successful_plan_has_no_failures() {
        let done = SlotState::Done { filename: "hero_1.jpg".to_owned(), at: jiff::Timestamp::UNIX_EPOCH };
        assert_eq!(describe([&done].into_iter()) + &describe([].into_iter()), "");
    }

    #[test]
    fn most_frequent_failures_come_first() {
        let (flagged, full) = (failed("It was flagged."), failed("full"));
        assert_eq!(
            describe([&flagged, &flagged].into_iter()),
            " Of the last plan's 2 images 2 could not be generated: It was flagged."
        );
        let described = describe([&flagged, &full, &full, &failed("other")].into_iter());
        assert!(described.contains("4 images 4 could not be generated: full (2); It was flagged. (1)"), "{described}");
    }
}
