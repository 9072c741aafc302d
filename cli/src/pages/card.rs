//! One image of a contact sheet.

use maud::{Markup, html};

use super::medium::Medium;
use super::names;
use super::picture::Picture;

/// The card of an image. `query` is appended to the link, so that the page of the image knows its neighbours. `actions`
/// stand below the words.
pub fn card(picture: &Picture<'_>, medium: Medium<'_>, query: &str, actions: &Markup) -> Markup {
    let source = medium.small(picture.actor, &picture.place, picture.version());
    let page = medium.page_of(picture.actor, &picture.place);
    html! {
        li.card.deleted[picture.is_or_will_be_deleted()] id=[page.is_some().then(|| card_id(picture))] {
            @match &page {
                Some(page) => a.open href={ (page) (query) } { (thumbnail(picture, source)) },
                None => (thumbnail(picture, source)),
            }
            (marks(picture))
            p.file { (names::file_name(picture.file)) }
            @if !picture.flags().is_empty() { p.flags { (picture.flags_in_words()) } }
            @if let Some((width, height)) = picture.size() { p.size { (width) " × " (height) } }
            @if let Some(caption) = picture.caption { p.caption { (names::sentence(&caption.text)) } }
            (reason(picture))
            (actions)
        }
    }
}

/// The id of an image's element. A file shows several actors, whose ids would not differ.
fn card_id(picture: &Picture<'_>) -> String {
    format!("i-{}", super::medium::picture_id(&picture.place))
}

/// A picture, or a frame that says that there is none.
pub fn thumbnail(picture: &Picture<'_>, source: Option<String>) -> Markup {
    html! {
        @match source {
            Some(source) => { img src=(source) alt=(picture.alt()) loading="lazy" decoding="async"; }
            None => span.nothing role="img" aria-label=(picture.alt()) { "no picture" },
        }
    }
}

/// Quality, origin and pin, in words.
pub fn marks(picture: &Picture<'_>) -> Markup {
    html! {
        p.marks {
            @match picture.quality() {
                Some(quality) => span.quality.(grade(quality)) { "quality " (quality) },
                None => span.quality { @if picture.image.unusable.is_some() { "unusable" } @else { "not assessed" } },
            }
            " " span.origin.generated[picture.is_generated()] { (picture.origin()) }
            @if picture.image.pinned { " " span.pin { "pinned" } }
            @if picture.deletion.is_some() { " " span.gone { "deleted" } }
        }
    }
}

/// The reason, open if it is why the image is gone.
fn reason(picture: &Picture<'_>) -> Markup {
    let text = picture.reason();
    html! {
        @if let Some(text) = text {
            @if picture.is_or_will_be_deleted() {
                p.reason { (names::sentence(text)) }
            } @else {
                details { summary { "Reason" } p.reason { (names::sentence(text)) } }
            }
        }
    }
}

/// The class of the style sheet for a quality. The default floor is 5.
fn grade(quality: u8) -> &'static str {
    match quality {
        0..=4 => "bad",
        5..=6 => "warn",
        _ => "good",
    }
}
