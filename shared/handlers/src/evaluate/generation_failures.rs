//! What the plan before could not make, said where people look: in the actor's reason.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use aws::store::slots::{SlotRecord, SlotState};
use domain::messages::Cause;
use domain::plan::{Plan, PlanState};

use super::Evaluation;
use super::context::EvaluationContext;
use crate::HandlerError;

/// Reasons that are told; more would hide the first.
const MOST_REASONS: usize = 2;

impl Evaluation {
    /// Which images the plan could not make whose end led here, and why: a sentence with a space before it, or nothing.
    pub(super) async fn generation_failures(&self, context: &EvaluationContext<'_>) -> Result<String, HandlerError> {
        let plan_id = match &context.command.cause {
            Cause::PlanDone(plan_id) => Some(plan_id),
            _ => context.record.active_plan.as_ref(),
        };
        let Some(plan_id) = plan_id else { return Ok(String::new()) };
        let actor = &context.command.actor_id;
        let slots = self.store.slots(actor, plan_id).await?;
        let generation_failures = in_words(slots.values().collect());
        // What was overtaken was not to be made any more.
        let is_overtaken = |plan: Plan| plan.state == PlanState::Superseded;
        if !generation_failures.is_empty() && self.store.plan(actor, plan_id).await?.is_some_and(is_overtaken) {
            return Ok(String::new());
        }
        Ok(generation_failures)
    }
}

fn in_words(slots: Vec<&SlotRecord>) -> String {
    let failed = slots.iter().filter(|slot| slot.state == SlotState::Failed);
    let mut by_reason: BTreeMap<&str, usize> = BTreeMap::new();
    for slot in failed {
        *by_reason.entry(slot.reason.as_deref().unwrap_or("for no known reason")).or_default() += 1;
    }
    let failed: usize = by_reason.values().sum();
    if failed == 0 {
        return String::new();
    }
    let mut reasons: Vec<_> = by_reason.into_iter().collect();
    reasons.sort_by_key(|&(_, count)| Reverse(count));
    let told: Vec<String> = match reasons.as_slice() {
        [(reason, _)] => vec![(*reason).to_owned()],
        many => many.iter().take(MOST_REASONS).map(|(reason, count)| format!("{reason} ({count})")).collect(),
    };
    let told = told.join("; ");
    let told = told.trim_end_matches('.');
    format!(" Of the last plan's {} images {failed} could not be made: {told}.", slots.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(reason: &str) -> SlotRecord {
        SlotRecord { state: SlotState::Failed, reason: Some(reason.to_owned()), ..SlotRecord::default() }
    }

    #[test]
    fn successful_plan_has_no_failures() {
        let done = SlotRecord { state: SlotState::Done, ..SlotRecord::default() };
        assert_eq!(in_words(vec![&done]) + &in_words(vec![]), "");
    }

    #[test]
    fn most_frequent_failures_come_first() {
        let (flagged, full) = (failed("It was flagged."), failed("full"));
        assert_eq!(
            in_words(vec![&flagged, &flagged]),
            " Of the last plan's 2 images 2 could not be made: It was flagged."
        );
        let said = in_words(vec![&flagged, &full, &full, &failed("other")]);
        assert!(said.contains("4 images 4 could not be made: full (2); It was flagged. (1)"), "{said}");
    }
}
