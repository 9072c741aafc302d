//! The report: a file that shows sets without a server and without a script.

use std::collections::BTreeMap;

use domain::plan::{Plan, PlanState};
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::actors::{anchor, row, summary};
use super::base::base_image;
use super::filters::View;
use super::kind_bar::kind_bar;
use super::medium::Medium;
use super::offer::Offer;
use super::set::{cards, sheet, status};
use super::shown::{Details, Shown};
use super::words::{moment, of_plan, progress_of};
use super::{STYLE, names};
use crate::sets::Place;

/// The beginning of every report, by which a later one recognises a file that it may replace.
pub const MARK: &str = r#"<!DOCTYPE html><html lang="en"><head><meta name="generator" content="balancer report">"#;

/// The policy of the file: it loads nothing and executes nothing.
const POLICY: &str = "default-src 'none'; img-src data:; style-src 'unsafe-inline'";

/// A file of a report.
pub struct File {
    pub rows: Vec<Markup>,
    pub sections: Vec<String>,
    /// The numbers of the actors by status.
    pub summary: String,
    /// The number of this file and of all files.
    pub part: (usize, usize),
}

impl File {
    pub fn document(&self) -> String {
        let (part, parts) = self.part;
        let markup = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta name="generator" content="balancer report";
                    meta charset="utf-8";
                    meta http-equiv="Content-Security-Policy" content=(POLICY);
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    title { "Training sets · balancer" }
                    style { (PreEscaped(STYLE)) }
                }
                body.report {
                    main {
                        h1 { "Training sets" }
                        p.summary { (self.summary) @if parts > 1 { ". Part " (part) " of " (parts) } }
                        ol.rows { @for row in &self.rows { (row) } }
                        @for section in &self.sections { (PreEscaped(section)) }
                    }
                }
            }
        };
        markup.into_string()
    }
}

/// The summary of a whole report.
pub fn report_summary(sets: &[&Shown]) -> String {
    summary(sets)
}

/// The row of an actor in the list at the top.
pub fn report_row(shown: &Shown) -> Markup {
    row(shown, Medium::File(&BTreeMap::new()))
}

/// The section of an actor, with its pictures as data URLs.
pub fn section(shown: &Shown, details: &Details, pictures: &BTreeMap<Place, String>, with_costs: bool) -> Markup {
    let (set, medium) = (&shown.set, Medium::File(pictures));
    let deleted = shown.deleted();
    let plans: Vec<&Plan> = set.plans.iter().rev().filter(|plan| plan.state != PlanState::DryRun).collect();
    html! {
        section.actor id=(anchor(&set.actor)) {
            h2 { (names::name(set.actor.as_str())) }
            (status(shown))
            @if let (Some(money), true) = (set.money, with_costs) {
                p.money { "Cost today " (money.today) ", in all " (money.ever) }
            }
            (kind_bar(set.counts(), set.wanted()))
            div.beside {
                (base_image(shown, medium, details.has_base))
                div.sheet { (sheet(shown, details, View::default(), medium, &Offer::default())) }
            }
            @if !deleted.is_empty() { section.kind { h3 { "Deleted " (deleted.len()) } (cards(&deleted, medium, "", |_| html! {})) } }
            @if !plans.is_empty() {
                section.kind { h3 { "Plans" } ul { @for plan in plans { li { (plan_line(plan, with_costs)) } } } }
            }
        }
    }
}

fn plan_line(plan: &Plan, with_costs: bool) -> Markup {
    html! {
        span.when { (moment(plan.created_at)) } ", " (of_plan(plan.state)) ": " (plan.before) " → " (plan.result)
        @if !plan.delete.is_empty() || !plan.slots.is_empty() { ", " (progress_of(plan)) }
        @if with_costs { ", cost " (plan.spent) }
        @if plan.state == PlanState::AwaitingApproval {
            ul { @for deletion in &plan.delete {
                li { (names::name(&deletion.filename)) ": " (names::sentence(&deletion.reason)) }
            } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_report_begins_with_its_mark() {
        let file = File { rows: Vec::new(), sections: Vec::new(), summary: String::new(), part: (1, 1) };
        assert!(file.document().starts_with(MARK));
    }
}
