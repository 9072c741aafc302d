//! `balancer trash ACTOR`

use domain::trash::TRASH_RETENTION;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;

use crate::answers::Deleted;
use crate::arguments::OfActor;
use crate::outcome::{Outcome, SCHEMA, answer, quoted};
use crate::sets::Sets;
use crate::table::{self, Heading};

const HEADINGS: [Heading; 3] = [Heading::Words("deleted"), Heading::Words("until"), Heading::Words("file")];

/// An image in the trash.
#[derive(Serialize)]
struct TrashAnswer {
    #[serde(flatten)]
    deleted: Deleted,
    /// A bucket's own lifecycle rule may remove it earlier. The trash in a folder is never emptied.
    #[serde(skip_serializing_if = "Option::is_none")]
    restorable_until: Option<Timestamp>,
}

/// Lists the deleted images that can be restored, the latest first.
pub async fn run(arguments: OfActor) -> anyhow::Result<Outcome> {
    let OfActor { actor, json, connection } = arguments;
    let sets = Sets::of(&connection, std::slice::from_ref(&actor)).await?;
    let set = sets.actor(&actor).await?;
    let is_emptied = sets.stack().is_ok_and(|stack| stack.local.actor_dir(&actor).is_none());
    let entries = set.manifest.trash.iter();
    let entries = entries.flat_map(|(file, entries)| entries.iter().map(move |trashed| Deleted::of(file, trashed)));
    let mut trash: Vec<TrashAnswer> = entries
        .map(|deleted| TrashAnswer {
            restorable_until: is_emptied.then(|| deleted.deleted_at + TRASH_RETENTION),
            deleted,
        })
        .collect();
    trash.sort_by_key(|trashed| std::cmp::Reverse(trashed.deleted.deleted_at));
    if json {
        answer(format!("{:#}", json!({ "schema": SCHEMA, "actor_id": actor, "trash": trash })));
    } else if trash.is_empty() {
        answer(format!("The trash of {actor} is empty."));
    } else {
        let rows: Vec<_> = trash.iter().map(|trashed| (row(trashed), trashed.deleted.reason.clone())).collect();
        let command = format!("balancer restore {} FILE…", quoted(actor.as_str()));
        answer(format!("{}\n\nRestore with `{command}`.", table::with_notes(&HEADINGS, &rows)));
    }
    Ok(Outcome::Done)
}

fn row(TrashAnswer { deleted, restorable_until }: &TrashAnswer) -> Vec<String> {
    let day = |moment: Timestamp| moment.strftime("%Y-%m-%d").to_string();
    vec![
        format!("{:.0}", deleted.deleted_at),
        restorable_until.map_or_else(|| "–".to_owned(), day),
        deleted.file.clone(),
    ]
}
