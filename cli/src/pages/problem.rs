//! Pages for requests that can't be answered.

use domain::actor::ActorId;
use maud::{DOCTYPE, Markup, html};

use super::medium::actor_address;
use super::names;

/// The body of a page that says what failed and what to do. It leads back to the actor that it concerns.
pub fn problem_body(title: &str, remedy: &str, actor: Option<&ActorId>) -> Markup {
    html! {
        h1 { (title) }
        p { (names::sentence(remedy)) }
        @if let Some(actor) = actor { p { a #back href=(actor_address(actor)) { (names::name(actor.as_str())) } } }
        p { a href="/" { "All actors" } }
    }
}

/// A page for a browser that may not see the dashboard, without anything of it.
pub fn refusal(title: &str, remedy: &str) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head { meta charset="utf-8"; title { (title) } }
            body { h1 { (title) } p { (remedy) } }
        }
    }
}

/// A page that leads on to an address of the dashboard. The browser sends the cookie only on a way that begins on a
/// page of the dashboard: an HTTP redirect belongs to the page of the first link.
pub fn moved(address: &str) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="refresh" content={ "0;url=" (address) };
                title { "balancer" }
            }
            body { p { a href=(address) { "Continue to the dashboard" } } }
        }
    }
}
