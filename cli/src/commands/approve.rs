//! `balancer approve ACTOR`

use domain::files::images_in_words;
use serde_json::json;

use crate::actions::approve;
use crate::arguments::Approve;
use crate::outcome::{Outcome, SCHEMA, answer};
use crate::sets::Sets;

/// Approves the plan on hold, and requests an evaluation that adopts it.
pub async fn run(arguments: Approve) -> anyhow::Result<Outcome> {
    let Approve { actor, json, connection } = arguments;
    let sets = Sets::of_stack(&connection, std::slice::from_ref(&actor)).await?;
    let plan = approve(&sets, &actor, None).await?;
    let files: Vec<_> = plan.delete.iter().map(|deletion| &deletion.filename).collect();
    if json {
        answer(json!({ "schema": SCHEMA, "actor_id": actor, "plan_id": plan.plan_id, "delete": files }));
    } else {
        answer(format!(
            "Approved: the next plan may delete the {} of this plan. A plan of {actor} that deletes others waits for \
             approval again.",
            images_in_words(files.len())
        ));
    }
    Ok(Outcome::Done)
}
