//! `balancer report [ACTOR]… -o FILE`

use serde_json::json;

use crate::arguments::Report;
use crate::outcome::{Outcome, SCHEMA, answer};
use crate::report::{Options, bytes_of, check_replaceable, write};
use crate::sets::Sets;

/// Writes the report, and prints the names of its files.
pub async fn run(arguments: Report) -> anyhow::Result<Outcome> {
    let Report { actors, output, with_costs, max_mb, json, connection } = arguments;
    // Before the pictures are read, which may take minutes.
    check_replaceable(&output)?;
    let sets = Sets::of(&connection, &actors).await?;
    let written = write(&sets, &actors, &Options { output, with_costs, max_bytes: bytes_of(max_mb) }).await?;
    let words = written.in_words();
    if json {
        let unreadable: Vec<_> = written.unreadable.iter().map(|(actor, _)| actor).collect();
        answer(json!({ "schema": SCHEMA, "files": written.files, "unreadable": unreadable }));
    } else {
        answer(words);
    }
    Ok(if written.unreadable.is_empty() { Outcome::Done } else { Outcome::NeedsAttention })
}
