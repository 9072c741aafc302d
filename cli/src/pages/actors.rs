//! The list of actors.

use domain::actor::ActorId;
use domain::status::Status;
use maud::{Markup, html};

use super::card::thumbnail;
use super::filters::Wanted;
use super::kind_bar::kind_bar;
use super::medium::picture_id;
use super::medium::{Medium, actor_address};
use super::names;
use super::shown::Shown;
use super::words::{class_of, counted, of_status, of_statuses, progress_of};
use crate::sets::Place;

/// The pictures of a row.
const SAMPLES: usize = 4;

/// All actors that a dashboard knows.
#[derive(Default)]
pub struct Actors<'a> {
    /// The most urgent first.
    pub sets: Vec<&'a Shown>,
    /// The actors that can't be read, with the reasons.
    pub unreadable: Vec<(&'a ActorId, &'a str)>,
}

/// The list with search and filters. `places` says where images must be put, for a list without actors.
pub fn actors_page(actors: &Actors<'_>, wanted: &Wanted, places: &[String]) -> Markup {
    let mentioned: Vec<&Shown> = actors.sets.iter().copied().filter(|shown| is_mentioned(shown, wanted)).collect();
    let rows: Vec<&Shown> =
        mentioned.iter().copied().filter(|shown| wanted.status.is_none_or(|it| it == shown.set.status)).collect();
    html! {
        h1 { "Actors" }
        @if actors.sets.is_empty() && actors.unreadable.is_empty() { (no_actors(places)) }
        @else {
            (search(&mentioned, wanted))
            @for (actor, problem) in &actors.unreadable { (unreadable(actor, problem)) }
            @if rows.is_empty() { p #no-rows data-live { "No actor matches." } }
            ol.rows #rows data-live-list { @for shown in rows { (row(shown, Medium::Dashboard)) } }
        }
    }
}

/// The numbers of actors of each status, as in `3 need attention`.
pub fn summary(sets: &[&Shown]) -> String {
    let number = |status| sets.iter().filter(|shown| shown.set.status == status).count();
    let parts = Wanted::STATUSES.into_iter().map(|status| (number(status), status)).filter(|(number, _)| *number > 0);
    let parts: Vec<_> = parts.map(|(number, status)| of_statuses(number, status)).collect();
    format!("{}: {}", counted(sets.len(), "actor"), parts.join(", "))
}

/// The row of an actor, which is one link in the dashboard.
pub fn row(shown: &Shown, medium: Medium<'_>) -> Markup {
    let set = &shown.set;
    let id = picture_id(&Place::Set(set.actor.to_string()));
    let address = match medium {
        Medium::Dashboard => actor_address(&set.actor),
        Medium::File(_) => format!("#{}", anchor(&set.actor)),
    };
    html! {
        li.row id={ "row-" (id) } data-live {
            @if let Medium::Dashboard = medium {
                span.samples {
                    @for picture in shown.best(SAMPLES) {
                        (thumbnail(&picture, medium.small(&set.actor, &picture.place, picture.version())))
                    }
                }
            }
            div.about {
                h2 { a href=(address) { (names::name(set.actor.as_str())) } }
                p.status {
                    strong.state.(class_of(set.status)) { (of_status(set.status)) }
                    @if let Some(note) = note(shown) { " " (note) }
                }
                @if let (Some(money), Medium::Dashboard) = (set.money, medium) {
                    p.money { "Cost today " (money.today) ", in all " (money.ever) }
                }
            }
            (kind_bar(set.counts(), set.wanted()))
        }
    }
}

/// The id of an actor's section in a report.
pub fn anchor(actor: &ActorId) -> String {
    format!("actor-{}", picture_id(&Place::Set(actor.to_string())))
}

/// What happens to the set, or why it is as it is.
fn note(shown: &Shown) -> Option<Markup> {
    let set = &shown.set;
    let running = set.plan().filter(|plan| plan.is_under_way());
    let text = match running {
        Some(plan) => format!("round {}: {}", plan.round.max(1), progress_of(plan)),
        None if set.status == Status::Balanced => return None,
        None => set.reason.clone(),
    };
    Some(html! { (names::sentence(&text)) })
}

fn is_mentioned(shown: &Shown, wanted: &Wanted) -> bool {
    wanted.mentions(shown.set.actor.as_str(), &shown.set.reason)
}

fn search(mentioned: &[&Shown], wanted: &Wanted) -> Markup {
    let number =
        |status: Option<Status>| mentioned.iter().filter(|it| status.is_none_or(|at| at == it.set.status)).count();
    let choices = [None].into_iter().chain(Wanted::STATUSES.map(Some));
    html! {
        form.search method="get" action="/" role="search" {
            label for="search" { "Search" }
            input #search type="search" name="q" value=(names::plain(&wanted.words)) placeholder="id or reason";
            button name="status" value=(wanted.status.map(|it| it.to_string()).unwrap_or_default()) { "Search" }
            @for status in choices {
                @let word = status.map_or("all", of_status);
                button.chip name="status" value=(status.map(|it| it.to_string()).unwrap_or_default())
                    aria-pressed=(if status == wanted.status { "true" } else { "false" }) {
                    (word) " " (number(status))
                }
            }
        }
        p.summary #summary data-live { (summary(mentioned)) }
    }
}

fn unreadable(actor: &ActorId, problem: &str) -> Markup {
    html! {
        section.problem {
            h2 { (names::name(actor.as_str())) }
            p { strong.state.bad { "can't be read" } " " (names::sentence(problem)) }
        }
    }
}

fn no_actors(places: &[String]) -> Markup {
    html! {
        section.empty {
            h2 { "No actors yet" }
            p { "Put the images of an actor, and one base image that shows what it looks like, here:" }
            ul.paths { @for place in places { li { code { (names::name(place)) } } } }
            p { "Or try it with a sample actor: " code { "balancer demo" } }
        }
    }
}
