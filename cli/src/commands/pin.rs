//! `balancer pin ACTOR FILE…` and `balancer unpin ACTOR FILE…`

use serde_json::json;

use super::conclude;
use crate::actions::set_pinned;
use crate::arguments::Pin;
use crate::outcome::{Outcome, SCHEMA, answer};
use crate::sets::Sets;

/// Pins or unpins images.
pub async fn run(arguments: Pin, pinned: bool) -> anyhow::Result<Outcome> {
    let Pin { actor, files, json, connection } = arguments;
    let sets = Sets::of(&connection, std::slice::from_ref(&actor)).await?;
    let edited = set_pinned(&sets, &actor, &files, pinned).await?;
    let verb = if pinned { "pinned" } else { "unpinned" };
    if json {
        answer(json!({ "schema": SCHEMA, verb: edited.done, "problems": edited.problems }));
    } else {
        edited.done.iter().for_each(|file| answer(format!("{verb} {file}")));
    }
    conclude(&edited.problems)
}
