//! The frame of every page of the dashboard: head, navigation, main part, messages.

use maud::{DOCTYPE, Markup, html};

use super::notice::{Notice, notice};

/// What every page of a dashboard says about it.
#[derive(Debug, Clone)]
pub struct Site {
    /// Where the sets are, such as `the folder images`.
    pub source: String,
    /// Whether a stack is for production, by its name.
    pub is_production: bool,
    pub is_read_only: bool,
}

/// The parts of the dashboard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Actors,
    Activity,
    Settings,
}

/// A page of the dashboard.
pub struct Page<'a> {
    pub title: &'a str,
    pub part: Part,
    /// The address of the changes that the page shows live, if it does.
    pub events: Option<String>,
    pub body: Markup,
    /// What the action has done that has led here.
    pub notice: Option<Notice>,
}

impl Site {
    /// The whole document.
    pub fn document(&self, page: &Page<'_>) -> Markup {
        html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    title { (page.title) " · balancer" }
                    link rel="stylesheet" href="/static/style.css";
                    script src="/static/page.js" defer {}
                }
                body data-events=[page.events.as_deref()] {
                    a.skip href="#main" { "Skip to the content" }
                    (self.header(page.part))
                    main #main tabindex="-1" {
                        @if let Some(of_action) = &page.notice { (notice(of_action, self.is_read_only)) }
                        (page.body)
                    }
                    p #messages.messages role="status" aria-live="polite" {}
                    (keys(self.is_read_only))
                }
            }
        }
    }

    fn header(&self, here: Part) -> Markup {
        let parts = [(Part::Actors, "/", "Actors"), (Part::Activity, "/activity", "Activity")];
        let parts = parts.into_iter().chain([(Part::Settings, "/settings", "Settings")]);
        html! {
            header.site.production[self.is_production] {
                p.brand { "balancer" }
                nav aria-label="Pages" {
                    ul {
                        @for (part, address, word) in parts {
                            li { a href=(address) aria-current=[(part == here).then_some("page")] { (word) } }
                        }
                    }
                }
                p.source {
                    (super::names::name(&self.source))
                    @if self.is_production { " · " strong { "production" } }
                    @if self.is_read_only { " · read only" }
                }
            }
        }
    }
}

/// The keys of the script, which shows this list.
fn keys(is_read_only: bool) -> Markup {
    let actions = [
        ("Space", "select an image"),
        ("p", "pin or unpin the image, or pin the selected ones"),
        ("x", "delete the image, or the selected ones"),
        ("c", "write the caption of an image"),
        ("u", "undo the last action"),
        ("a", "go to the button that approves the plan"),
    ];
    let keys = [
        ("/", "search"),
        ("j k h l or arrows", "next image below, above, left, right"),
        ("Enter", "open"),
        ("Esc", "back to the set, or close this list"),
        ("?", "this list"),
    ];
    html! {
        dialog #keys aria-labelledby="keys-title" {
            h2 #keys-title { "Keys" }
            dl.facts { @for (key, meaning) in keys.iter().chain(actions.iter().filter(|_| !is_read_only)) { dt { kbd { (key) } } dd { (meaning) } } }
            p { label { input #single-keys type="checkbox" checked; " Single letters and signs work as keys" } }
            form method="dialog" { button { "Close" } }
        }
    }
}
