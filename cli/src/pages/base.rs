//! The base image beside a sheet, with what is known of the actor.

use maud::{Markup, html};

use super::medium::Medium;
use super::names;
use super::shown::Shown;
use crate::sets::Place;

/// The base image with trigger and class.
pub fn base_image(shown: &Shown, medium: Medium<'_>, has_base: bool) -> Markup {
    let set = &shown.set;
    let source = medium.small(&set.actor, &Place::Base, None).filter(|_| has_base);
    html! {
        aside.base aria-label={ "Base image of " (names::plain(set.actor.as_str())) } {
            @match source {
                Some(source) => { img src=(source) alt={ "Base image of " (names::plain(set.actor.as_str())) }; }
                None => p.nothing { "no base image" },
            }
            dl.facts {
                dt { "Trigger" }
                dd { @match set.trigger() { Some(word) => (names::name(word)), None => "none" } }
                dt { "Class" }
                dd { (names::name(set.class())) }
            }
        }
    }
}
