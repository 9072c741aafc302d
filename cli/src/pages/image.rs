//! One image, large beside the base image, with everything that is known of it.

use domain::trash::TRASH_RETENTION;
use maud::{Markup, html};

use super::card::{marks, thumbnail};
use super::filters::View;
use super::medium::{Medium, actor_address};
use super::names;
use super::offer::Offer;
use super::picture::Picture;
use super::shown::{Details, Shown};
use super::words::{moment, moment_of};
use crate::sets::Place;

/// The page of an image in the dashboard. The view determines the previous and the next one.
pub fn image_page(shown: &Shown, details: &Details, picture: &Picture<'_>, view: View, offer: &Offer) -> Markup {
    let actor = &shown.set.actor;
    let image = Medium::Dashboard.large(actor, &picture.place, picture.version());
    let base = Medium::Dashboard.large(actor, &Place::Base, None).filter(|_| details.has_base);
    html! {
        (neighbours(shown, details, picture, view))
        h1 { (names::name(picture.file)) }
        (marks(picture))
        (offer.of_image(shown, picture, view))
        div.compare {
            figure { (thumbnail(picture, image)) figcaption { "The image" } }
            figure {
                @match base {
                    Some(source) => { img src=(source) alt={ "Base image of " (names::plain(actor.as_str())) }; }
                    None => p.nothing { "no base image" },
                }
                figcaption { "The base image" }
            }
        }
        div.facts-and-history {
            div {
                (offer.caption_of(shown, picture, view))
                section { h2 { "What is known" } (facts(picture)) }
            }
            section { h2 { "History" } (history(shown, picture)) }
        }
    }
}

fn neighbours(shown: &Shown, details: &Details, picture: &Picture<'_>, view: View) -> Markup {
    let order: Vec<Picture<'_>> = match picture.deletion {
        Some(_) => shown.deleted(),
        None => view.groups(shown, details).into_iter().flat_map(|(_, pictures)| pictures).collect(),
    };
    let here = order.iter().position(|other| other.place == picture.place);
    let address = |index: Option<usize>| {
        let page = Medium::Dashboard.page_of(picture.actor, &order.get(index?)?.place)?;
        Some(page + &view.query())
    };
    let (previous, next) = (address(here.and_then(|at| at.checked_sub(1))), address(here.map(|at| at + 1)));
    let back = if picture.deletion.is_some() { "/history".to_owned() } else { view.query() };
    html! {
        nav.neighbours aria-label="Images" {
            a #back href={ (actor_address(picture.actor)) (back) } { "↑ " (names::name(picture.actor.as_str())) }
            @if let Some(previous) = previous { a #previous rel="prev" href=(previous) { "← Previous" } }
            @if let Some(next) = next { a #next rel="next" href=(next) { "Next →" } }
            @if let Some(here) = here { span.hint { (here + 1) " of " (order.len()) } }
        }
    }
}

fn facts(picture: &Picture<'_>) -> Markup {
    let image = picture.image;
    let texts = [
        ("Flags", Some(picture.flags_in_words()).filter(|flags| !flags.is_empty())),
        ("Reason", picture.reason().map(str::to_owned)),
        ("Caption", picture.caption.map(|it| format!("{} ({})", it.text, it.source.in_words()))),
        ("Prompt", image.prompt.clone()),
        ("Prompt id", image.prompt_id.clone()),
        ("Requested kind", image.requested_type.map(|kind| kind.in_words().to_owned())),
        ("Size", picture.size().map(|(width, height)| format!("{width} × {height} pixels"))),
        ("Origin", Some(picture.origin())),
        ("Plan", image.plan_id.clone()),
        ("Assessed by", image.assessed_by.clone()),
    ];
    html! {
        dl.facts {
            dt { "Kind" } dd { (picture.kind().map_or("unknown", |kind| kind.in_words())) }
            @if let (Some(assessed), Some(observed)) = (picture.quality(), image.quality) {
                dt { "Quality" }
                dd {
                    (assessed) " of 10"
                    @if assessed != observed { " (observed " (observed) ", lowered by its flags)" }
                }
            }
            @for (title, text) in texts {
                @if let Some(text) = text { dt { (title) } dd { (names::sentence(&text)) } }
            }
        }
    }
}

/// What happened to the file name, the earliest first.
fn history(shown: &Shown, picture: &Picture<'_>) -> Markup {
    let earlier = shown.set.manifest.trash.get(picture.file).map_or(&[][..], Vec::as_slice);
    html! {
        ol.history {
            @if let Some(when) = &picture.image.generated_at {
                @let what = if picture.is_generated() { "generated" } else { "found in the set" };
                li { span.when { (moment_of(when)) } " " (what) }
            }
            @if picture.image.quality.is_some() {
                li { "assessed" @if let Some(model) = &picture.image.assessed_by { " by " (names::name(model)) } }
            }
            @if picture.image.pinned { li { "pinned" } }
            @for record in earlier {
                li {
                    span.when { (moment(record.deleted_at)) } " deleted: " (names::sentence(&record.reason))
                    // The trash of a folder, which keeps no costs either, is never emptied.
                    @if shown.set.money.is_some() {
                        " It can be restored until " span.when { (moment(record.deleted_at + TRASH_RETENTION)) } "."
                    }
                }
            }
        }
    }
}
