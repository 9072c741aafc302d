//! The export at the end of `balancer local --export`.

use std::path::{Path, PathBuf};

use anyhow::bail;
use domain::actor::ActorId;
use domain::status::Status;
use serde_json::Value;

use crate::arguments::TrainingArguments;
use crate::export::{Destination, Export, ExportFormat, Request, export};
use crate::local::{Report, Undo, interruption};
use crate::outcome::{Outcome, WrongUsage, answer, remark};
use crate::sets::Sets;

/// The export that the arguments ask for. A run may cost money, so this finds everything that would prevent the export
/// afterwards.
pub fn request_of(
    wanted: Option<(ExportFormat, PathBuf)>,
    training: TrainingArguments,
    actors: &[ActorId],
    data: &Path,
) -> anyhow::Result<Option<Request>> {
    let Some((format, output)) = wanted else {
        if training.are_absent() {
            return Ok(None);
        }
        bail!(WrongUsage(
            "--trigger, --class, --repeats, --resolution, --strict and --replace need --export".to_owned()
        ));
    };
    let request = training.request(format, output);
    request.check(actors.len() == 1)?;
    Destination::of(&request.output).check(None, request.replace, Some(data))?;
    Ok(Some(request))
}

/// Prints the report, and exports the balanced actors.
pub async fn print_and_export(report: &Report, data: &Path, request: &Request, json: bool) -> anyhow::Result<Outcome> {
    if !json {
        report.print(json, Undo::InFolder)?;
    }
    let (exported, is_interrupted) = tokio::select! {
        exported = export_balanced(report, data, request) => (exported, false),
        () = interruption() => (Ok(None), true),
    };
    if is_interrupted {
        remark("Stopped. Nothing was exported; `balancer export` exports the balanced actors.");
    }
    if json {
        let mut value = serde_json::to_value(report)?;
        if let Value::Object(fields) = &mut value {
            fields.insert("export".to_owned(), serde_json::to_value(exported.as_ref().ok().and_then(Option::as_ref))?);
        }
        answer(value);
    } else if let Ok(Some(export)) = &exported {
        answer(format!("\n{}", export.in_words()));
    }
    exported.map(|_| if is_interrupted { Outcome::Interrupted } else { report.outcome() })
}

/// `None` if no actor is balanced.
async fn export_balanced(report: &Report, data: &Path, request: &Request) -> anyhow::Result<Option<Export>> {
    let actors = report.actors.iter().map(|reported| &reported.actor);
    let (balanced, others): (Vec<_>, Vec<_>) = actors.partition(|actor| actor.status == Status::Balanced);
    for actor in others {
        remark(format!("{} was not exported: its set is not balanced", actor.actor_id));
    }
    if balanced.is_empty() {
        return Ok(None);
    }
    let sets = Sets::of_data(data).await?;
    let ids: Vec<ActorId> = balanced.into_iter().map(|actor| actor.actor_id.clone()).collect();
    let found = sets.actors_or_all(&ids).await?;
    export(&sets, &found, request).await.map(Some)
}
