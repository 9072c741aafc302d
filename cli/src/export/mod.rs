//! Exports sets in the form that a trainer reads.
//!
//! A survey reads the images once and finds what is wrong. Pure rules for each trainer lay out the files. A writer gives
//! them their final name when all of them are there. `docs/EXPORT.md` has the facts about the trainers.

mod ai_toolkit;
mod beside;
mod destination;
mod findings;
mod format;
mod hugging_face;
mod kohya;
mod manifest;
mod marker;
mod names;
mod one_trainer;
mod replicate;
pub mod resolution;
mod result;
mod subject;
mod survey;
mod tree;
mod words;
mod write;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::bail;
use domain::actor::ActorId;
use serde_json::Value;

pub use destination::Destination;
pub use format::ExportFormat;
pub use result::Export;
pub use subject::Settings;

use crate::outcome::{WrongUsage, remark};
use crate::sets::{ActorSet, Sets};
use findings::Finding;
use marker::Marker;
use subject::Subject;
use survey::Survey;
use tree::Layout;

/// What to export, and how.
#[derive(Debug, Clone)]
pub struct Request {
    pub format: ExportFormat,
    pub output: PathBuf,
    /// The trigger; that of the actor if omitted.
    pub trigger: Option<String>,
    /// The class; that of the actor if omitted.
    pub class: Option<String>,
    pub settings: Settings,
    /// Whether any fault of a set prevents the export.
    pub strict: bool,
    /// Whether the export may replace an earlier one.
    pub replace: bool,
}

impl Request {
    /// Fails if the options don't suit the actors.
    pub fn check(&self, is_one_actor: bool) -> anyhow::Result<()> {
        words::check(self.trigger.as_deref(), self.class.as_deref())
            .map_err(|error| WrongUsage(format!("{error:#}")))?;
        if self.trigger.is_some() && !is_one_actor {
            bail!(WrongUsage(
                "--trigger would make several actors one character; name one actor, or set `trigger` in each actor.json"
                    .to_owned()
            ));
        }
        if self.format == ExportFormat::Replicate && self.is_zip() && !is_one_actor {
            bail!(WrongUsage("Replicate takes one zip for each actor; give -o a folder, or name one actor".to_owned()));
        }
        Ok(())
    }

    fn is_zip(&self) -> bool {
        matches!(Destination::of(&self.output), Destination::Zip(_))
    }
}

/// Exports the actors, and reports what is wrong with their sets. If the export fails, the output is as before.
pub async fn export(sets: &Sets, actors: &[ActorSet], request: &Request) -> anyhow::Result<Export> {
    request.check(actors.len() == 1)?;
    let destination = Destination::of(&request.output);
    let data = actors.first().and_then(|set| sets.data_of(&set.actor));
    destination.check(None, request.replace, data.as_deref())?;
    let (mut subjects, mut findings) = (Vec::new(), Vec::<Finding>::new());
    for set in actors {
        let Survey { subject, findings: found } = survey::survey(sets, set, request).await?;
        findings.extend(found);
        subjects.extend(Some(subject).filter(|subject| !subject.images.is_empty()));
    }
    subjects.sort_by(|one: &Subject, other| one.actor.cmp(&other.actor));
    findings.iter().for_each(|finding| remark(&finding.message));
    if request.strict && !findings.is_empty() {
        bail!("nothing was exported: --strict accepts none of the above; correct it, or leave --strict out");
    }
    if subjects.is_empty() {
        bail!("nothing was exported: there is no image");
    }
    let exported: BTreeSet<ActorId> = subjects.iter().map(|subject| subject.actor.clone()).collect();
    let occupant = destination.check(Some(&exported), request.replace, data.as_deref())?;
    let Layout { files, guide } = layout(&subjects, request);
    let marker = |files| Marker::new(request.format, exported.clone(), files);
    let check = |path: &Path| destination.moved_to(path).check(Some(&exported), true, None).map(drop);
    write::write(sets, &files, marker, (&destination, occupant, &check)).await?;
    Ok(Export::new(request, &subjects, findings, guide))
}

fn layout(subjects: &[Subject], request: &Request) -> Layout {
    let settings = &request.settings;
    match (request.format, subjects) {
        (ExportFormat::Kohya, _) => kohya::layout(subjects, settings),
        (ExportFormat::AiToolkit, _) => ai_toolkit::layout(subjects, settings),
        (ExportFormat::OneTrainer, _) => one_trainer::layout(subjects, settings),
        (ExportFormat::HuggingFace, _) => hugging_face::layout(subjects),
        (ExportFormat::Replicate, [subject]) if request.is_zip() => replicate::layout_of_zip(subject, settings),
        (ExportFormat::Replicate, _) => replicate::layout(subjects, settings),
        (ExportFormat::Manifest, _) => manifest::layout(subjects, settings),
    }
}

/// A JSON file.
fn json_text(value: &Value) -> String {
    format!("{value:#}\n")
}

#[cfg(test)]
mod tests;
