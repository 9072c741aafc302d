//! The buttons by which pages change sets. Each is a form, or a button of the form that contains it.

use domain::kind::Kind;
use maud::{Markup, html};

use super::back::{Back, hidden};
use super::filters::View;
use super::medium::{actor_address, picture_id};
use super::names;
use super::picture::Picture;
use super::shown::Shown;
use super::words::title_of;

/// The actions that a page offers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Offer {
    /// Whether pins, captions and the trash may be changed.
    pub edits: bool,
    /// Whether a stack runs that carries out requests.
    pub requests: bool,
    /// The beginning of the ids of the requests that this rendering of the page sends.
    pub request_id: String,
}

/// The address of an action on an actor's set.
pub fn action(shown: &Shown, word: &str) -> String {
    format!("{}/{word}", actor_address(&shown.set.actor))
}

/// A button that Enter in a field presses instead of the first one: it is disabled, so that nothing happens.
pub fn no_default_button() -> Markup {
    html! { button type="submit" disabled hidden {} }
}

impl Offer {
    /// The fields that every form of a page has.
    pub fn fields(&self, back: &Back) -> Markup {
        html! { (hidden(&back.fields())) (hidden(&[("request_id", self.request_id.clone())])) }
    }

    /// The requests for a set: an evaluation, a dry run, more images.
    pub fn requests_for(&self, shown: &Shown) -> Markup {
        let back = Back::Set(View::default());
        html! {
            @if self.requests {
                div.requests {
                    form method="post" action=(action(shown, "evaluate")) {
                        (self.fields(&back))
                        button { "Evaluate" } " "
                        button formaction=(action(shown, "dry-run")) { "Dry run" }
                    }
                    details #generate {
                        summary { "Generate images" }
                        form method="post" action=(action(shown, "generate")) {
                            (self.fields(&back))
                            @for kind in Kind::ALL {
                                label {
                                    (title_of(kind)) " "
                                    input type="number" name=(kind) min="0" max="100" value="0" autocomplete="off";
                                }
                            }
                            button { "Generate" }
                        }
                    }
                }
            }
        }
    }

    /// The checkbox and the buttons of an image, within the form of the sheet.
    pub fn of_card(&self, shown: &Shown, picture: &Picture<'_>) -> Markup {
        let id = picture_id(&picture.place);
        let name = names::plain(picture.file);
        html! {
            @if self.edits {
                div.card-actions {
                    label { input type="checkbox" name="image" value=(id) aria-label={ "Select " (name) }; " Select" }
                    (pin_button(shown, picture))
                    @if self.requests {
                        button name="only" value=(id) formaction=(action(shown, "delete")) data-act="delete"
                            aria-label={ "Delete " (name) } { "Delete" }
                    }
                }
            }
        }
    }

    /// The buttons for the selected images.
    pub fn of_selection(&self, shown: &Shown) -> Markup {
        html! {
            div.selection role="group" aria-label="Selected images" {
                span { "Selected:" }
                button formaction=(action(shown, "pin")) data-act="pin" { "Pin" }
                button formaction=(action(shown, "unpin")) { "Unpin" }
                @if self.requests { button formaction=(action(shown, "delete")) data-act="delete" { "Delete" } }
            }
        }
    }

    /// The buttons of the page of one image.
    pub fn of_image(&self, shown: &Shown, picture: &Picture<'_>, view: View) -> Markup {
        let id = picture_id(&picture.place);
        let here = Back::Image(id.clone(), view);
        html! {
            @if self.edits {
                form.own-actions method="post" {
                    (no_default_button())
                    (self.fields(&here))
                    @if picture.deletion.is_some() {
                        button name="image" value=(id) formaction=(action(shown, "restore")) { "Restore and pin" }
                    } @else {
                        (pin_button(shown, picture))
                        @if self.requests {
                            button name="only" value=(id) formaction=(action(shown, "delete")) data-act="delete" {
                                "Delete"
                            }
                        }
                    }
                }
            }
        }
    }

    /// The form for the user's caption of an image.
    pub fn caption_of(&self, shown: &Shown, picture: &Picture<'_>, view: View) -> Markup {
        let id = picture_id(&picture.place);
        let own = picture.image.caption.as_deref();
        html! {
            @if self.edits && picture.deletion.is_none() {
                section.caption-form {
                    h2 { "Your caption" }
                    form method="post" action=(action(shown, "caption")) {
                        (self.fields(&Back::Image(id.clone(), view)))
                        (hidden(&[("image", id)]))
                        label for="caption" { "Text, without the trigger" }
                        textarea #caption name="text" rows="3" maxlength="900" autocomplete="off" { (own.unwrap_or_default()) }
                        button { "Save" } " "
                        @if own.is_some() { button name="remove" value="yes" { "Remove" } }
                    }
                    p.hint { "A text file beside the image comes first; without either, the caption of the model counts." }
                }
            }
        }
    }
}

/// Pins the image, or unpins it if it is pinned.
pub fn pin_button(shown: &Shown, picture: &Picture<'_>) -> Markup {
    let (word, path) = if picture.image.pinned { ("Unpin", "unpin") } else { ("Pin", "pin") };
    html! {
        button name="only" value=(picture_id(&picture.place)) formaction=(action(shown, path)) data-act="pin"
            aria-label={ (word) " " (names::plain(picture.file)) } { (word) }
    }
}
