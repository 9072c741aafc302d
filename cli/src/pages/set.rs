//! One set: the contact sheet beside the base image, and the deleted images.

use domain::kind::Kind;
use maud::{Markup, html};

use super::back::Back;
use super::base::base_image;
use super::card::card;
use super::filters::{Show, Sort, View};
use super::kind_bar::{in_words, kind_bar};
use super::medium::{Medium, actor_address};
use super::names;
use super::offer::{Offer, no_default_button};
use super::picture::Picture;
use super::shown::{Details, Shown};
use super::words::{class_of, counted, of_plan, of_status, progress_of, title_of};

/// The page of a set in the dashboard.
pub fn set_page(shown: &Shown, details: &Details, view: View, offer: &Offer) -> Markup {
    let sheet = html! {
        div.sheet #sheet data-live { (sheet(shown, details, view, Medium::Dashboard, offer)) }
    };
    html! {
        (head(shown, Tab::Set))
        (offer.requests_for(shown))
        (filters(shown, details, view))
        div.beside {
            (base_image(shown, Medium::Dashboard, details.has_base))
            @if offer.edits {
                form.sheet #selection method="post" {
                    (no_default_button())
                    (offer.fields(&Back::Set(view)))
                    (sheet)
                    (offer.of_selection(shown))
                }
            } @else { (sheet) }
        }
    }
}

/// The images by kind, the best first.
pub fn sheet(shown: &Shown, details: &Details, view: View, medium: Medium<'_>, offer: &Offer) -> Markup {
    let query = view.query();
    let actions = |picture: &Picture<'_>| offer.of_card(shown, picture);
    let (counts, wanted) = (shown.set.counts(), shown.set.wanted());
    let groups = view.groups(shown, details);
    let is_empty = groups.iter().all(|(_, pictures)| pictures.is_empty());
    html! {
        @for (kind, pictures) in &groups {
            @if !pictures.is_empty() || (kind.is_some() && view.show == Show::All) {
                section.kind {
                    h2 {
                        (group_title(*kind)) " "
                        @if let Some(kind) = *kind { span.count { (in_words(counts[kind], wanted[kind])) } }
                    }
                    (cards(pictures, medium, &query, actions))
                }
            }
        }
        @if is_empty && view.show != Show::All { p { "No image is " (view.show.word()) "." } }
    }
}

/// Images as a list of cards, each with its actions.
pub fn cards(
    pictures: &[Picture<'_>],
    medium: Medium<'_>,
    query: &str,
    actions: impl Fn(&Picture<'_>) -> Markup,
) -> Markup {
    html! {
        @if !pictures.is_empty() {
            ul.cards data-grid { @for picture in pictures { (card(picture, medium, query, &actions(picture))) } }
        }
    }
}

/// The pages of an actor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tab {
    Set,
    Plan,
    History,
}

/// The name, status and numbers of an actor, above each of its pages.
pub fn head(shown: &Shown, here: Tab) -> Markup {
    let set = &shown.set;
    let address = actor_address(&set.actor);
    let tabs = [(Tab::Set, "", "Set"), (Tab::Plan, "/plan", "Plan"), (Tab::History, "/history", "History and trash")];
    html! {
        div.head #head data-live {
            h1 { (names::name(set.actor.as_str())) }
            (status(shown))
            (kind_bar(set.counts(), set.wanted()))
        }
        nav.tabs aria-label="Actor" {
            ul { @for (tab, path, word) in tabs {
                li { a href={ (address) (path) } aria-current=[(tab == here).then_some("page")] { (word) } }
            } }
        }
    }
}

/// The status with its reason, and the running plan.
pub fn status(shown: &Shown) -> Markup {
    let set = &shown.set;
    html! {
        p.status {
            strong.state.(class_of(set.status)) { (of_status(set.status)) }
            @if set.round > 0 { " round " (set.round) "." }
            @if !set.reason.is_empty() { " " (names::sentence(&set.reason)) }
        }
        @if let Some(plan) = set.plan_on_hold().or_else(|| set.plan().filter(|plan| plan.is_under_way())) {
            p.plan-line {
                "Plan " strong { (of_plan(plan.state)) } ": " (plan.before) " → " (plan.result)
                @if plan.is_under_way() { ", " (progress_of(plan)) }
                @else { ", deletes " (plan.delete.len()) " of " (plan.before.total()) }
            }
        }
    }
}

fn filters(shown: &Shown, details: &Details, view: View) -> Markup {
    let number = |show: Show| shown.pictures(details).filter(|picture| show.includes(picture)).count();
    html! {
        form.search method="get" {
            span.label #show-label { "Show" }
            span.chips role="group" aria-labelledby="show-label" {
                @for show in Show::ALL {
                    button.chip name="show" value=(show.word()) aria-pressed=((show == view.show).to_string()) {
                        (show.word()) " " (number(show))
                    }
                }
            }
            label for="sort" { "Sort" }
            select #sort name="sort" {
                @for sort in Sort::ALL { option value=(sort.word()) selected[sort == view.sort] { (sort.word()) } }
            }
            button name="show" value=(view.show.word()) { "Sort" }
            span.hint { (counted(shown.set.manifest.images.len(), "file")) }
        }
    }
}

fn group_title(kind: Option<Kind>) -> &'static str {
    kind.map_or("Not assessed or unusable", title_of)
}
