//! What an action has done, shown once on the page to which it returns.

use maud::{Markup, html};

use super::back::hidden;
use super::names;

/// A sentence about an action.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Notice {
    pub text: String,
    /// Whether the action was refused, or failed for some images.
    pub is_problem: bool,
    /// The form that undoes the action.
    pub undo: Option<Undo>,
}

/// The opposite of an action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undo {
    pub address: String,
    pub fields: Vec<(&'static str, String)>,
}

/// The sentence, with a button that undoes the action.
pub fn notice(notice: &Notice, is_read_only: bool) -> Markup {
    html! {
        div.notice.problem[notice.is_problem] role=(if notice.is_problem { "alert" } else { "status" }) {
            p { (names::sentence(&notice.text)) }
            @if let (Some(undo), false) = (&notice.undo, is_read_only) {
                form method="post" action=(undo.address) {
                    (hidden(&undo.fields))
                    button data-act="undo" { "Undo" }
                }
            }
        }
    }
}
