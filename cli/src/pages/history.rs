//! What happened to a set: plans and manual requests with the images that they deleted and generated, and the trash.

use std::collections::BTreeMap;

use domain::plan::{MANUAL, Plan};
use domain::trash::TRASH_RETENTION;
use maud::{Markup, html};

use super::back::{Back, hidden};
use super::medium::{Medium, picture_id};
use super::names;
use super::offer::{Offer, action};
use super::picture::Picture;
use super::set::{Tab, cards, head};
use super::shown::{Details, Shown};
use super::words::{moment, moment_of, of_plan};

/// The page of an actor's history in the dashboard.
pub fn history_page(shown: &Shown, details: &Details, offer: &Offer) -> Markup {
    html! {
        (head(shown, Tab::History))
        div #history data-live { (history(shown, details, offer)) }
    }
}

/// What one plan or request has changed.
#[derive(Default)]
struct Event<'a> {
    plan: Option<&'a Plan>,
    deleted: Vec<Picture<'a>>,
    generated: Vec<Picture<'a>>,
}

/// The events, the latest first.
fn history(shown: &Shown, details: &Details, offer: &Offer) -> Markup {
    let mut events: Vec<(&str, Event<'_>)> = events(shown, details).into_iter().collect();
    events.sort_by_key(|(id, event)| std::cmp::Reverse((when(event), *id)));
    html! {
        @if events.is_empty() { p { "Nothing was deleted or generated." } }
        @for (id, event) in &events { (section(shown, id, event, offer)) }
    }
}

fn events<'a>(shown: &'a Shown, details: &'a Details) -> BTreeMap<&'a str, Event<'a>> {
    let mut events: BTreeMap<&str, Event<'_>> = BTreeMap::new();
    for plan in &shown.set.plans {
        events.entry(&plan.plan_id).or_default().plan = Some(plan);
    }
    for picture in shown.deleted() {
        if let Some(record) = picture.deletion {
            events.entry(&record.plan_id).or_default().deleted.push(picture);
        }
    }
    for picture in shown.pictures(details) {
        if let Some(plan_id) = picture.image.plan_id.as_deref() {
            events.entry(plan_id).or_default().generated.push(picture);
        }
    }
    events
}

/// A text that sorts by time.
fn when(event: &Event<'_>) -> String {
    let plan = event.plan.map(|plan| moment(plan.created_at));
    let deleted = || event.deleted.iter().filter_map(|it| it.deletion).map(|it| moment(it.deleted_at)).max();
    let generated = || event.generated.iter().filter_map(|it| it.image.generated_at.as_deref().map(moment_of)).max();
    plan.or_else(deleted).or_else(generated).unwrap_or_default()
}

fn section(shown: &Shown, id: &str, event: &Event<'_>, offer: &Offer) -> Markup {
    let title = if id.starts_with(MANUAL) { "Manual request" } else { "Plan" };
    let until = event.deleted.iter().filter_map(|it| it.deletion).map(|it| it.deleted_at + TRASH_RETENTION).min();
    // The trash of a folder, which keeps no costs either, is never emptied.
    let until = until.filter(|_| shown.set.money.is_some());
    html! {
        section.event {
            h2 { (title) " " span.count { (names::name(id)) } }
            p.hint { (when(event)) }
            @if let Some(plan) = event.plan {
                p {
                    (of_plan(plan.state)) ": " (plan.before) " → " (plan.result)
                    @if plan.spent.0 > 0 { ", cost " (plan.spent) }
                }
            }
            @if !event.deleted.is_empty() {
                h3 { "Deleted " (event.deleted.len()) }
                @if let Some(until) = until { p.hint { "Can be restored until " span.when { (moment(until)) } } }
                (deleted(shown, id, &event.deleted, offer))
            }
            @if !event.generated.is_empty() {
                h3 { "Generated " (event.generated.len()) }
                (cards(&event.generated, Medium::Dashboard, "", |_| html! {}))
            }
        }
    }
}

/// The deleted images of an event, which can be restored one by one or together.
fn deleted(shown: &Shown, id: &str, pictures: &[Picture<'_>], offer: &Offer) -> Markup {
    let restore = |picture: &Picture<'_>| {
        html! {
            div.card-actions {
                button name="image" value=(picture_id(&picture.place))
                    aria-label={ "Restore and pin " (names::plain(picture.file)) } { "Restore and pin" }
            }
        }
    };
    html! {
        @if offer.edits {
            form method="post" action=(action(shown, "restore")) {
                (hidden(&Back::History.fields()))
                @if pictures.len() > 1 {
                    p { button name="event" value=(id) { "Restore and pin all " (pictures.len()) } }
                }
                (cards(pictures, Medium::Dashboard, "", restore))
            }
        } @else { (cards(pictures, Medium::Dashboard, "", |_| html! {})) }
    }
}
