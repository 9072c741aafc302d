//! A plan: what it deletes, keeps and generates.

use std::collections::BTreeSet;

use domain::actor::ActorId;
use domain::kind::Kind;
use domain::money::MicroUsd;
use domain::plan::{Plan, PlanState};
use maud::{Markup, html};

use super::approval::{approval, is_undecided, keep_button, keep_switch};
use super::back::{Back, hidden};
use super::card::card;
use super::filters::View;
use super::medium::Medium;
use super::names;
use super::offer::{Offer, action, no_default_button};
use super::picture::Picture;
use super::set::{Tab, cards, head};
use super::shown::{Details, Shown};
use super::words::{counted, moment, of_plan, progress_of, title_of};
use crate::outcome::quoted;

/// The page of the active plan, or else of the last dry run. `price` is that of one generated image, if it is known.
pub fn plan_page(shown: &Shown, details: &Details, price: Option<MicroUsd>, offer: &Offer) -> Markup {
    let plan = shown.set.plan().or_else(|| shown.set.last_dry_run());
    html! {
        (head(shown, Tab::Plan))
        div #plan data-live {
            @match plan {
                Some(plan) => (plan_details(shown, details, plan, price, offer)),
                None => p { "No plan is running or on hold." },
            }
        }
    }
}

/// The parts of a plan.
fn plan_details(shown: &Shown, details: &Details, plan: &Plan, price: Option<MicroUsd>, offer: &Offer) -> Markup {
    let deleted: BTreeSet<&str> = plan.delete.iter().map(|deletion| deletion.filename.as_str()).collect();
    let groups = View::default().groups(shown, details);
    let kept: Vec<Picture<'_>> =
        groups.into_iter().flat_map(|(_, pictures)| pictures).filter(|it| !deleted.contains(it.file)).collect();
    html! {
        (introduction(&shown.set.actor, plan, price))
        (approval(shown, plan, price, offer))
        section.kind {
            h2 { "Deletes " (plan.delete.len()) }
            @if offer.edits && is_undecided(plan) {
                form #selection method="post" action=(action(shown, "pin")) {
                    (no_default_button())
                    (hidden(&Back::Plan.fields()))
                    (deletions(shown, details, plan, |picture| keep_switch(shown, picture)))
                    (keep_button(plan))
                }
            } @else { (deletions(shown, details, plan, |_| html! {})) }
        }
        section.kind { h2 { "Generates " (plan.slots.len()) } (slots(plan)) }
        section.kind { h2 { "Keeps " (kept.len()) } (cards(&kept, Medium::Dashboard, "", |_| html! {})) }
        @if !plan.notes.is_empty() {
            section.kind {
                h2 { "Notes" }
                ul { @for note in &plan.notes {
                    li { (names::name(&note.filename)) ": " (names::sentence(&note.remark)) }
                } }
            }
        }
    }
}

fn introduction(actor: &ActorId, plan: &Plan, price: Option<MicroUsd>) -> Markup {
    let class = if plan.state == PlanState::AwaitingApproval { "warn" } else { "busy" };
    html! {
        p.lead {
            "Plan of " span.when { (moment(plan.created_at)) } ", " strong.state.(class) { (of_plan(plan.state)) } ": "
            (plan.before) " → " (plan.result) "."
            @if plan.state == PlanState::AwaitingApproval {
                " It deletes " (plan.delete.len()) " of " (plan.before.total()) " images ("
                (plan.deleted_percent()) " %). "
                "Nothing happens until you approve it: " code { "balancer approve " (quoted(actor.as_str())) }
            }
            @if plan.is_under_way() { " Progress: " (progress_of(plan)) "." }
        }
        @if let Some(obstacle) = &plan.obstacle {
            p.problem { "It can't be carried out: " (names::sentence(obstacle)) }
        }
        @if let Some(price) = price {
            p.money {
                @if price == MicroUsd::ZERO { "Its images cost nothing." }
                @else { "Its images cost about " (price * plan.slots.len() as u64) ", " (price) " each." }
                @if plan.spent > MicroUsd::ZERO { " Spent: " (plan.spent) "." }
            }
        }
    }
}

fn deletions(shown: &Shown, details: &Details, plan: &Plan, actions: impl Fn(&Picture<'_>) -> Markup) -> Markup {
    html! {
        ul.cards data-grid {
            @for deletion in &plan.delete {
                @match shown.pictures(details).find(|picture| picture.file == deletion.filename) {
                    Some(picture) => {
                        @let picture = Picture { planned_deletion: Some(&deletion.reason), ..picture };
                        (card(&picture, Medium::Dashboard, "", &actions(&picture)))
                    }
                    None => li.card {
                        p.file { (names::name(&deletion.filename)) }
                        p.hint { "no longer in the set" }
                        p.reason { (names::sentence(&deletion.reason)) }
                    },
                }
            }
        }
    }
}

fn slots(plan: &Plan) -> Markup {
    let of_kind = |kind: Kind| plan.slots.iter().filter(move |slot| slot.kind == kind);
    html! {
        @for kind in Kind::ALL {
            @let number = of_kind(kind).count();
            @if number > 0 {
                details {
                    summary { (title_of(kind)) ": " (counted(number, "image")) }
                    ol { @for slot in of_kind(kind) {
                        @let prompt = plan.first_prompt_of(slot).map(|first| first.prompt.text.clone());
                        li { (names::sentence(prompt.as_ref().unwrap_or(&slot.prompt_id))) }
                    } }
                }
            }
        }
    }
}
