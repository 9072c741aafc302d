//! The settings of a stack or a folder, to read.

use maud::{Markup, html};

use super::names;

/// A group of settings with their values.
pub struct Group {
    pub title: &'static str,
    pub values: Vec<(String, String)>,
}

pub fn settings_page(groups: &[Group]) -> Markup {
    html! {
        h1 { "Settings" }
        p { "An actor's " code { "actor.json" } " comes before these." }
        @for group in groups {
            section {
                h2 { (group.title) }
                dl.facts { @for (name, value) in &group.values { dt { (name) } dd { (names::name(value)) } } }
            }
        }
    }
}
