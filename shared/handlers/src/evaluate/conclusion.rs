//! The verdict on a set for which the planner proposes nothing.

use domain::files::images_in_words;
use domain::kind::{Kind, KindCounts};
use domain::plan::Plan;
use domain::planner::Scope;
use domain::status::Status;

pub(super) enum Conclusion {
    Settled(Status, String),
    /// Unassessed images prevent a complete result.
    Suspended(String),
}

/// `unassessed` counts images; `failures` describes what the previous plan could not generate.
pub(super) fn conclude(plan: &Plan, target: KindCounts, unassessed: usize, failures: &str) -> Conclusion {
    let remarks: String = plan.notes.iter().map(|note| format!(" {}: {}.", note.filename, note.remark)).collect();
    let remarks = remarks + failures;
    let before = plan.before;
    // If the scope includes deletions, every remaining surplus is pinned.
    let has_pinned_surplus =
        plan.scope != Scope::GenerateOnly && Kind::ALL.into_iter().any(|kind| before[kind] > target[kind]);
    if unassessed > 0 {
        let images = images_in_words(unassessed);
        Conclusion::Suspended(format!(
            "The set has {before} of {target} without {images} that can't be assessed. Request an evaluation for another attempt, or replace the files named here.{remarks}"
        ))
    } else if before == target {
        Conclusion::Settled(Status::Balanced, format!("Balanced at {target}.{remarks}"))
    } else if has_pinned_surplus {
        Conclusion::Settled(
            Status::NeedsAttention,
            format!(
                "The set has {before} of {target}: more images of a kind are pinned than the target has, and pinned images stay. Unpin some with `balancer unpin`.{remarks}"
            ),
        )
    } else {
        Conclusion::Settled(
            Status::NeedsAttention,
            format!(
                "The set has {before} of {target}, and the scope of the last request allowed no more changes.{remarks}"
            ),
        )
    }
}
