//! What happens now: running plans, failures, spending, parked actors, the latest changes.

use aws::store::rejections::Rejection;
use aws::store::spending::Spending;
use domain::status::Status;
use maud::{Markup, html};

use super::card::thumbnail;
use super::medium::{Medium, actor_address};
use super::names;
use super::offer::Offer;
use super::picture::Picture;
use super::shown::{Details, Shown};
use super::words::{counted, moment, moment_of, of_plan, progress_of, work_of};
use crate::sets::ActorSet;

/// The changes that the page lists.
const LATEST: usize = 20;

/// What only a stack knows.
pub struct StackActivity {
    /// The oldest first.
    pub rejections: Vec<Rejection>,
    /// The queues with the numbers of their dead letters.
    pub dead_letters: Vec<(&'static str, u64)>,
    /// The spending of the current day (UTC).
    pub today: Spending,
    /// The limits of the stack, such as `a day` and its amount.
    pub budgets: Vec<(&'static str, Option<String>)>,
}

/// The page. Without a stack, only the changes of the sets are known.
pub fn activity_page(sets: &[&Shown], stack: Option<&StackActivity>, offer: &Offer) -> Markup {
    html! {
        h1 { "Activity" }
        div #activity data-live {
            (plans(sets))
            (parked(sets))
            @match stack {
                Some(stack) => { (failures(stack, offer)) (spending(stack)) },
                None => section {
                    h2 { "Stack" }
                    p { "No stack runs here; start one with " code { "balancer local --data DIR --watch" } "." }
                },
            }
            (latest(sets))
        }
    }
}

fn actor_link(shown: &Shown, path: &str) -> Markup {
    html! { a href={ (actor_address(&shown.set.actor)) (path) } { (names::name(shown.set.actor.as_str())) } }
}

fn plans(sets: &[&Shown]) -> Markup {
    let current =
        |set: &ActorSet| set.plan_on_hold().or_else(|| set.plan().filter(|plan| plan.is_under_way())).cloned();
    let plans: Vec<_> = sets.iter().filter_map(|it| Some((it, current(&it.set)?))).collect();
    html! {
        section {
            h2 { "Plans" }
            @if plans.is_empty() { p { "No plan is running or on hold." } }
            ul { @for (shown, plan) in plans {
                @let work = if plan.is_under_way() { progress_of(&plan) } else { work_of(&plan) };
                li {
                    (actor_link(shown, "/plan")) ": " strong { (of_plan(plan.state)) } ", " (work) ", "
                    (plan.before) " → " (plan.result)
                }
            } }
        }
    }
}

fn parked(sets: &[&Shown]) -> Markup {
    let parked: Vec<_> = sets.iter().filter(|shown| shown.set.status == Status::Parked).collect();
    html! {
        @if !parked.is_empty() {
            section {
                h2 { "Parked" }
                ul { @for shown in parked { li { (actor_link(shown, "")) ": " (names::sentence(&shown.set.reason)) } } }
            }
        }
    }
}

fn failures(stack: &StackActivity, offer: &Offer) -> Markup {
    let waiting: Vec<_> = stack.dead_letters.iter().filter(|(_, number)| *number > 0).collect();
    html! {
        section {
            h2 { "Failed messages" }
            @if waiting.is_empty() { p { "No message has failed five times." } }
            ul { @for (queue, number) in waiting {
                li {
                    (queue) ": " (counted(*number as usize, "message")) ". Remove the cause, then retry with "
                    code { "balancer redrive " (queue) } "."
                    @if offer.requests {
                        form method="post" action="/activity/retry" {
                            button name="queue" value=(queue) { "Retry the messages of " (queue) }
                        }
                    }
                }
            } }
        }
        section {
            h2 { "Rejected messages" }
            @if stack.rejections.is_empty() { p { "No message was rejected in the last 30 days." } }
            ul { @for rejection in stack.rejections.iter().rev() {
                li {
                    span.when { (moment(rejection.rejected_at)) } " " (rejection.queue) ": "
                    (names::sentence(&rejection.reason))
                    details { summary { "Message" } code { (names::name(&rejection.body)) } }
                }
            } }
        }
    }
}

fn spending(stack: &StackActivity) -> Markup {
    html! {
        section {
            h2 { "Spending today (UTC)" }
            p { "Spent " strong { (stack.today.spent) } ", spent or reserved " (stack.today.committed) "." }
            dl.facts { @for (limit, amount) in &stack.budgets {
                dt { "Budget of " (limit) } dd { @match amount { Some(amount) => { "$" (amount) }, None => "none" } }
            } }
        }
    }
}

fn latest(sets: &[&Shown]) -> Markup {
    let changes = latest_changes(sets);
    html! {
        section {
            h2 { "Latest changes" }
            @if changes.is_empty() { p { "Nothing was deleted or generated." } }
            ul.changes { @for (when, shown, picture) in changes {
                li {
                    a.open href=[Medium::Dashboard.page_of(picture.actor, &picture.place)] {
                        (thumbnail(&picture, Medium::Dashboard.small(picture.actor, &picture.place, picture.version())))
                    }
                    div {
                        p { span.when { (when) } " " (actor_link(shown, "")) }
                        @let what = if picture.deletion.is_some() { "deleted " } else { "generated " };
                        p { (what) (names::name(picture.file)) }
                        @if let Some(reason) = picture.reason() { p.reason { (names::sentence(reason)) } }
                    }
                }
            } }
        }
    }
}

fn latest_changes<'a>(sets: &[&'a Shown]) -> Vec<(String, &'a Shown, Picture<'a>)> {
    static NO_DETAILS: Details = Details::none();
    let mut changes = Vec::new();
    for &shown in sets {
        let deleted = shown.deleted().into_iter();
        changes.extend(deleted.filter_map(|it| Some((moment(it.deletion?.deleted_at), shown, it))));
        let generated = shown.pictures(&NO_DETAILS).filter(Picture::is_generated);
        changes.extend(generated.filter_map(|it| Some((moment_of(it.image.generated_at.as_deref()?), shown, it))));
    }
    changes.sort_by(|(one, _, _), (other, _, _)| other.cmp(one));
    changes.truncate(LATEST);
    changes
}
