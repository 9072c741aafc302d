//! What the plan before could not make, said where people look: in the actor's reason.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use domain::lifecycle::slot::SlotState;
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
        let generation_failures = in_words(slots.values().map(|slot| &slot.progress.state));
        // What was overtaken was not to be made any more.
        let is_overtaken = |plan: Plan| plan.state == PlanState::Superseded;
        if !generation_failures.is_empty() && self.store.plan(actor, plan_id).await?.is_some_and(is_overtaken) {
            return Ok(String::new());
        }
        Ok(generation_failures)
    }
}

fn in_words<'a>(slots: impl ExactSizeIterator<Item = &'a SlotState>) -> String {
    let all = slots.len();
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
    let told: Vec<String> = match reasons.as_slice() {
        [(reason, _)] => vec![(*reason).to_owned()],
        many => many.iter().take(MOST_REASONS).map(|(reason, count)| format!("{reason} ({count})")).collect(),
    };
    let told = told.join("; ");
    let told = told.trim_end_matches('.');
    format!(" Of the last plan's {} images {failed} could not be made: {told}.", all)
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
        assert_eq!(in_words([&done].into_iter()) + &in_words([].into_iter()), "");
    }

    #[test]
    fn most_frequent_failures_come_first() {
        let (flagged, full) = (failed("It was flagged."), failed("full"));
        assert_eq!(
            in_words([&flagged, &flagged].into_iter()),
            " Of the last plan's 2 images 2 could not be made: It was flagged."
        );
        let said = in_words([&flagged, &full, &full, &failed("other")].into_iter());
        assert!(said.contains("4 images 4 could not be made: full (2); It was flagged. (1)"), "{said}");
    }
}
