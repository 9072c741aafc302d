//! `balancer history ACTOR`

use domain::files::images_in_words;
use domain::plan::PlanState;
use serde_json::{Value, json};

use crate::answers::documented_name;
use crate::arguments::OfActor;
use crate::outcome::{Outcome, SCHEMA, answer};
use crate::sets::{Event, Sets};

/// Lists the plans and manual requests of an actor, the latest first.
pub async fn run(arguments: OfActor) -> anyhow::Result<Outcome> {
    let OfActor { actor, json, connection } = arguments;
    let sets = Sets::of(&connection, std::slice::from_ref(&actor)).await?;
    let history = sets.actor(&actor).await?.history();
    if json {
        let events = history.iter().map(in_json).collect::<Result<Vec<_>, _>>()?;
        answer(format!("{:#}", json!({ "schema": SCHEMA, "actor_id": actor, "history": events })));
    } else if history.is_empty() {
        answer(format!("Nothing was deleted or generated for {actor} yet."));
    } else {
        answer(history.iter().map(in_words).collect::<Vec<_>>().join("\n\n"));
    }
    Ok(Outcome::Done)
}

/// The state has the same name as in the other commands.
fn in_json(event: &Event) -> serde_json::Result<Value> {
    let mut fields = serde_json::to_value(event)?;
    if let Some(state) = event.state {
        fields["state"] = documented_name(state).into();
    }
    Ok(fields)
}

fn in_words(event: &Event) -> String {
    let what = if event.is_manual { "manual request" } else { "plan" };
    let counts = event.before.zip(event.result).map(|(before, result)| format!(": from {before} to {result}"));
    let state = match event.state {
        Some(PlanState::AwaitingApproval) => ", on hold",
        Some(PlanState::Superseded) => ", superseded",
        Some(PlanState::Adopted | PlanState::Deleting | PlanState::Generating) => ", running",
        _ => "",
    };
    let cost = event.cost.map(|cost| format!(", {cost}")).unwrap_or_default();
    let mut lines = vec![format!(
        "{} {what} {}{}: deleted {}, generated {}{cost}{state}",
        event.at,
        event.plan_id,
        counts.unwrap_or_default(),
        images_in_words(event.deleted.len()),
        images_in_words(event.generated.len()),
    )];
    lines.extend(event.deleted.iter().map(|deleted| format!("  deleted {}: {}", deleted.file, deleted.reason)));
    lines.extend(event.generated.iter().map(|made| format!("  generated {} ({})", made.file, made.kind.in_words())));
    lines.join("\n")
}
