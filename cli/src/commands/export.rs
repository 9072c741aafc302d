//! `balancer export [ACTOR…] --format FORMAT -o DIR-OR-ZIP`

use crate::arguments::ExportSets;
use crate::export::export;
use crate::local::interruption;
use crate::outcome::{Outcome, answer, remark};
use crate::sets::Sets;

/// Exports sets in the form that a trainer reads.
pub async fn run(arguments: ExportSets) -> anyhow::Result<Outcome> {
    let ExportSets { mut actors, format, output, json, training, connection } = arguments;
    actors.sort();
    actors.dedup();
    let request = training.request(format, output);
    let work = async {
        let sets = Sets::of(&connection, &actors).await?;
        let found = sets.actors_or_all(&actors).await?;
        let outcome = Outcome::of_sets(found.iter().map(|set| set.status));
        anyhow::Ok((export(&sets, &found, &request).await?, outcome))
    };
    let (exported, outcome) = tokio::select! {
        done = work => done?,
        () = interruption() => {
            remark("Stopped. Nothing was exported.");
            return Ok(Outcome::Interrupted);
        }
    };
    answer(if json { serde_json::to_string_pretty(&exported)? } else { exported.in_words() });
    Ok(outcome)
}
