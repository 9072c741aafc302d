//! `balancer status [ACTOR]…`

mod rejected;

use aws::store::spending::Spending;
use domain::money::MicroUsd;
use domain::status::Status as ActorStatus;
use handlers::Clock;
use serde_json::json;

use crate::answers::{Actor, PlanAnswer, status_in_words};
use crate::arguments::Status;
use crate::connection::Connected;
use crate::local::Terms;
use crate::outcome::{Outcome, SCHEMA, answer};
use crate::sets::{ActorSet, Sets};
use crate::table::{self, Heading};

const HEADINGS: [Heading; 5] = [
    Heading::Words("actor"),
    Heading::Words("images"),
    Heading::Words("status"),
    Heading::Numbers("today"),
    Heading::Numbers("in all"),
];

/// Shows the status of actors, or the rejected messages.
pub async fn run(arguments: Status) -> anyhow::Result<Outcome> {
    if arguments.rejected {
        let connected = Connected::to(&arguments.connection, &[]).await?;
        return rejected::show(&connected, arguments.json).await;
    }
    let sets = Sets::of(&arguments.connection, &arguments.actors).await?;
    let mut actors = Vec::new();
    for set in sets.actors_or_all(&arguments.actors).await? {
        actors.push(answer_of(&sets, &set).await?);
    }
    let today = match &sets {
        Sets::InStack(stack) => Some(stack.services.store.spending(Clock::system().today()).await?),
        Sets::InFolder(_) => None,
    };
    if arguments.json {
        let spent = today.map(|today| {
            json!({ "spent_micro_usd": today.spent, "reserved_micro_usd": today.committed.saturating_sub(today.spent) })
        });
        answer(format!("{:#}", json!({ "schema": SCHEMA, "actors": actors, "today": spent })));
    } else {
        let is_detailed = arguments.plan || !arguments.actors.is_empty();
        answer(in_words(&actors, is_detailed, today));
    }
    Ok(Outcome::of_sets(actors.iter().map(|actor| actor.status)))
}

/// The actor with the prices of its plans, and the images that its present plan could not generate.
async fn answer_of(sets: &Sets, set: &ActorSet) -> anyhow::Result<Actor> {
    let mut actor = Actor::of(set);
    let Sets::InStack(stack) = sets else { return Ok(actor) };
    let terms = Terms::of_stack(&stack.parameters);
    if let (Some(plan), Some(terms)) = (set.last_dry_run(), &terms) {
        actor.dry_run = Some(PlanAnswer::on_terms(plan, terms));
    }
    if let Some(plan) = set.plan() {
        let slots = stack.services.store.slots(&set.actor, &plan.plan_id).await?;
        let states = slots.iter().map(|(slot_id, slot)| (slot_id, &slot.progress.state));
        actor.plan = Some(PlanAnswer::of(plan).with_slots(plan, states));
    }
    Ok(actor)
}

fn in_words(actors: &[Actor], is_detailed: bool, today: Option<Spending>) -> String {
    let rows: Vec<_> = actors.iter().map(|actor| (row(actor), note(actor, is_detailed))).collect();
    let mut parts = vec![table::with_notes(&HEADINGS, &rows)];
    parts.extend(actors.iter().filter(|_| is_detailed).flat_map(Actor::details));
    parts.extend(today.map(closing_line));
    parts.join("\n\n")
}

fn row(actor: &Actor) -> Vec<String> {
    let money = |amount: Option<MicroUsd>| amount.map_or_else(|| "–".to_owned(), |amount| amount.to_string());
    vec![
        table::short(actor.actor_id.as_str()),
        actor.counts.to_string(),
        status_in_words(actor.status).to_owned(),
        money(actor.cost.map(|cost| cost.today)),
        money(actor.cost.map(|cost| cost.ever)),
    ]
}

/// The reason of the status, unless all is well and the user has not asked for this actor.
fn note(actor: &Actor, is_detailed: bool) -> String {
    let is_well = actor.status == ActorStatus::Balanced;
    if is_well && !is_detailed { String::new() } else { actor.reason.clone() }
}

fn closing_line(today: Spending) -> String {
    let reserved = today.committed.saturating_sub(today.spent);
    let reserved = if reserved > MicroUsd::ZERO {
        format!(", and {reserved} reserved for requests in progress")
    } else {
        String::new()
    };
    format!("All actors together have cost {} today (UTC){reserved}.", today.spent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_fits_into_80_columns() {
        let name = "0002_ginger_25_female_with_a_very_long_name_indeed";
        let reason =
            "After 3 rounds the set has 8/4/3 images instead of 13/4/3. Look at the images and the base image.";
        let cost = Some(Default::default());
        let actor = Actor { cost, ..Actor::skipped(&name.parse().unwrap(), reason) };
        let text = in_words(&[actor], false, Some(Spending::default()));
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        assert!(text.contains("needs you") && text.contains("\n  After 3 rounds"), "{text}");
    }
}
