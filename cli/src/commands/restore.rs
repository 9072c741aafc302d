//! `balancer restore ACTOR [FILE…]`

use serde_json::json;

use super::conclude;
use crate::actions::{RestoredImage, Wanted, restore};
use crate::arguments::Restore;
use crate::outcome::{Outcome, SCHEMA, answer};
use crate::sets::Sets;

/// Restores deleted images.
pub async fn run(arguments: Restore) -> anyhow::Result<Outcome> {
    let Restore { actor, files, no_pin, json, connection } = arguments;
    let sets = Sets::of(&connection, std::slice::from_ref(&actor)).await?;
    let wanted = if files.is_empty() { Wanted::Latest } else { Wanted::Files(&files) };
    let restored = restore(&sets, &actor, wanted, !no_pin).await?;
    if json {
        let done: Vec<_> = restored.done.iter().map(RestoredImage::in_json).collect();
        answer(json!({ "schema": SCHEMA, "restored": done, "problems": restored.problems }));
    } else {
        let verb = if no_pin { "Restored" } else { "Restored and pinned" };
        for RestoredImage { file, trashed } in &restored.done {
            answer(format!("{verb} {file} (it was deleted because: {})", trashed.reason));
        }
    }
    conclude(&restored.problems)
}
