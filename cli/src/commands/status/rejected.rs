//! `balancer status --rejected`

use serde_json::json;

use crate::connection::Connected;
use crate::outcome::{Outcome, SCHEMA, answer};
use crate::table::{self, Heading};

/// The most characters of a message in the table.
const LONGEST_BODY: usize = 60;

/// Lists the rejected messages.
pub async fn show(connected: &Connected, json: bool) -> anyhow::Result<Outcome> {
    let rejections = connected.services.store.rejections().await?;
    if json {
        answer(format!("{:#}", json!({ "schema": SCHEMA, "rejections": rejections })));
        return Ok(Outcome::Done);
    }
    let rows: Vec<_> = rejections
        .iter()
        .map(|rejection| {
            let body = rejection.body.chars().take(LONGEST_BODY).collect();
            vec![format!("{:.0}", rejection.rejected_at), rejection.queue.clone(), rejection.reason.clone(), body]
        })
        .collect();
    answer(table::render(&["when", "queue", "why", "body"].map(Heading::Words), &rows));
    Ok(Outcome::Done)
}
