//! The words for states, numbers and times on pages.

use domain::kind::Kind;
use domain::plan::{Plan, PlanState};
use domain::status::Status;
use jiff::Timestamp;

/// The word for a status.
pub fn of_status(status: Status) -> &'static str {
    match status {
        Status::Waiting => "waiting",
        Status::Balancing => "balancing",
        Status::Parked => "parked",
        Status::Balanced => "balanced",
        Status::NeedsAttention => "needs attention",
    }
}

/// The words for a number of actors of a status.
pub fn of_statuses(number: usize, status: Status) -> String {
    match (number, status) {
        (2.., Status::NeedsAttention) => format!("{number} need attention"),
        _ => format!("{number} {}", of_status(status)),
    }
}

/// The class of the style sheet for a status.
pub fn class_of(status: Status) -> &'static str {
    match status {
        Status::NeedsAttention => "bad",
        Status::Parked => "warn",
        Status::Balancing | Status::Waiting => "busy",
        Status::Balanced => "good",
    }
}

/// The word for the state of a plan.
pub fn of_plan(state: PlanState) -> &'static str {
    match state {
        PlanState::DryRun => "dry run",
        PlanState::AwaitingApproval => "on hold",
        PlanState::Adopted | PlanState::Deleting => "deleting",
        PlanState::Generating => "generating",
        PlanState::Completed | PlanState::Reviewed => "completed",
        PlanState::Superseded => "superseded",
    }
}

/// The progress of a plan, such as `deleted 3 of 9, generated 2 of 5`.
pub fn progress_of(plan: &Plan) -> String {
    let parts = [("deleted", plan.deleted, plan.delete.len()), ("generated", plan.generated, plan.slots.len())];
    let parts = parts.into_iter().filter(|(_, _, all)| *all > 0);
    parts.map(|(done, number, all)| format!("{done} {number} of {all}")).collect::<Vec<_>>().join(", ")
}

/// The work of a plan, such as `deletes 9, generates 5`.
pub fn work_of(plan: &Plan) -> String {
    let parts = [("deletes", plan.delete.len()), ("generates", plan.slots.len())];
    let parts = parts.into_iter().filter(|(_, all)| *all > 0);
    parts.map(|(does, all)| format!("{does} {all}")).collect::<Vec<_>>().join(", ")
}

/// The title of a kind.
pub fn title_of(kind: Kind) -> &'static str {
    match kind {
        Kind::Photorealistic => "Photorealistic",
        Kind::BwStylized => "Black-and-white stylized",
        Kind::ColorStylized => "Colour stylized",
    }
}

/// A number of things, such as `1 image` or `3 images`.
pub fn counted(number: usize, one: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {one}s") }
}

/// A time of a manifest to the minute; a text of another tool stays as it is.
pub fn moment_of(text: &str) -> String {
    text.parse().map_or_else(|_| super::names::plain(text), moment)
}

/// A moment to the minute, in UTC.
pub fn moment(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M UTC").to_string()
}
