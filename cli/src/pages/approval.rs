//! What the user decides about a plan: whether it goes ahead, and which of its deletions don't.

use domain::kind::{Kind, KindCounts};
use domain::money::MicroUsd;
use domain::plan::{Plan, PlanState};
use maud::{Markup, html};

use super::back::hidden;
use super::medium::picture_id;
use super::names;
use super::offer::{Offer, action, pin_button};
use super::picture::Picture;
use super::shown::Shown;

/// The form that approves a plan on hold. Its button says what the approval leads to.
pub fn approval(shown: &Shown, plan: &Plan, price: Option<MicroUsd>, offer: &Offer) -> Markup {
    let pinned = pinned(shown, plan);
    html! {
        @if plan.state == PlanState::AwaitingApproval {
            @if shown.set.is_approved(plan) {
                p.decision { strong { "Approved." } " The evaluation that carries it out follows." }
            } @else if offer.requests {
                form.decision method="post" action=(action(shown, "approve")) {
                    (hidden(&[("plan", plan.plan_id.clone())]))
                    button.main #approve { (Work::of(plan, pinned).in_words(price)) }
                    @if pinned.total() > 0 {
                        p { "Approving makes a new plan that keeps the pinned images." }
                    }
                }
            }
        }
    }
}

/// Whether the plan waits for the user, who may still keep images.
pub fn is_undecided(plan: &Plan) -> bool {
    matches!(plan.state, PlanState::AwaitingApproval | PlanState::DryRun)
}

/// The checkbox that keeps an image which the plan deletes. A pinned one stays already.
pub fn keep_switch(shown: &Shown, picture: &Picture<'_>) -> Markup {
    html! {
        div.card-actions {
            @if picture.image.pinned { span { "stays" } (pin_button(shown, picture)) }
            @else {
                label {
                    input type="checkbox" name="image" value=(picture_id(&picture.place))
                        aria-label={ "Keep " (names::plain(picture.file)) };
                    " Keep"
                }
            }
        }
    }
}

/// The button that pins the images to keep.
pub fn keep_button(plan: &Plan) -> Markup {
    html! {
        @if !plan.delete.is_empty() {
            div.selection {
                button data-act="pin" { "Pin the images to keep" }
                span.hint { "No plan deletes a pinned image." }
            }
        }
    }
}

/// The images of each kind that the plan deletes, but that the user has pinned since.
fn pinned(shown: &Shown, plan: &Plan) -> KindCounts {
    let images = &shown.set.manifest.images;
    let of_plan = plan.delete.iter().filter_map(|deletion| images.get(&deletion.filename));
    KindCounts::tally(of_plan.filter(|image| image.pinned).filter_map(|image| image.kind))
}

/// How much a plan deletes and generates.
#[derive(Debug, PartialEq, Eq)]
struct Work {
    deletions: usize,
    generations: u32,
}

impl Work {
    /// The work of the plan that follows the approval of `plan`. Each pinned image replaces one that would have been
    /// generated for its kind.
    fn of(plan: &Plan, pinned: KindCounts) -> Self {
        let slots = KindCounts::tally(plan.slots.iter().map(|slot| slot.kind));
        Self {
            deletions: plan.delete.len().saturating_sub(pinned.total() as usize),
            generations: Kind::ALL.into_iter().map(|kind| slots[kind].saturating_sub(pinned[kind])).sum(),
        }
    }

    /// Such as `Approve: delete 8, generate 16, up to $0.64`.
    fn in_words(&self, price: Option<MicroUsd>) -> String {
        let mut parts = Vec::new();
        if self.deletions > 0 {
            parts.push(format!("delete {}", self.deletions));
        }
        if self.generations > 0 {
            parts.push(format!("generate {}", self.generations));
            parts.extend(price.map(|price| match price {
                MicroUsd::ZERO => "at no cost".to_owned(),
                price => format!("up to {}", price * u64::from(self.generations)),
            }));
        }
        match parts.is_empty() {
            true => "Approve: evaluate the set again".to_owned(),
            false => format!("Approve: {}", parts.join(", ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn button_counts_and_prices_what_it_does() {
        let words = |deletions, generations, price| Work { deletions, generations }.in_words(price);
        assert_eq!(words(8, 16, Some(MicroUsd(40_000))), "Approve: delete 8, generate 16, up to $0.64");
        assert_eq!(words(0, 2, Some(MicroUsd::ZERO)), "Approve: generate 2, at no cost");
        assert_eq!(words(3, 1, None), "Approve: delete 3, generate 1");
        assert_eq!(words(0, 0, None), "Approve: evaluate the set again");
    }
}
