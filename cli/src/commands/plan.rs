//! `balancer plan --assessments FILE`

use std::fs;
use std::io::{self, Read};
use std::path::Path;

use anyhow::{Context, bail};
use domain::assessment::{Assessment, BEST_QUALITY};
use domain::json;
use domain::planner::{Proposal, propose};
use serde_json::Value;

use crate::arguments::Plan;
use crate::outcome::{Outcome, SCHEMA, answer};

/// Plans the changes that bring an assessed set to its target.
pub fn run(arguments: &Plan) -> anyhow::Result<Outcome> {
    let assessments = read(&arguments.assessments)?;
    let proposal = propose(&assessments, &arguments.target.policy(arguments.scope.into()));
    if arguments.json {
        let mut fields = serde_json::to_value(&proposal)?;
        fields["schema"] = SCHEMA.into();
        answer(format!("{fields:#}"));
    } else {
        answer(in_words(&proposal));
    }
    Ok(Outcome::Done)
}

/// The list in the output of `balancer assess --json`, or the list itself.
fn images_of(mut answer: Value) -> Value {
    match answer.get_mut("images") {
        Some(images) => images.take(),
        None => answer,
    }
}

fn read(path: &Path) -> anyhow::Result<Vec<Assessment>> {
    let is_stdin = path == Path::new("-");
    let name = if is_stdin { "standard input".to_owned() } else { path.display().to_string() };
    let text = if is_stdin {
        let mut text = Vec::new();
        io::stdin().read_to_end(&mut text).map(|_| text)
    } else {
        fs::read(path)
    };
    let text = text.with_context(|| format!("{name} can't be read"))?;
    let assessments: Vec<Assessment> = json::read::<Value>(&text)
        .map_err(anyhow::Error::from)
        .and_then(|answer| Ok(serde_json::from_value::<Vec<Value>>(images_of(answer))?))
        .and_then(|images| images.into_iter().map(without_facts).collect())
        .with_context(|| format!("{name} is not what `balancer assess --json` prints"))?;
    for (index, assessment) in assessments.iter().enumerate() {
        if !(1..=BEST_QUALITY).contains(&assessment.quality) {
            bail!("{name}: the quality of {} must be from 1 to {BEST_QUALITY}", assessment.filename);
        }
        if assessments[..index].iter().any(|earlier| earlier.filename == assessment.filename) {
            bail!("{name}: {} is assessed twice", assessment.filename);
        }
    }
    Ok(assessments)
}

/// An assessment without the measurements beside it, which the planner doesn't need.
fn without_facts(mut entry: Value) -> anyhow::Result<Assessment> {
    if let Some(fields) = entry.as_object_mut() {
        fields.remove("facts");
    }
    Ok(serde_json::from_value(entry)?)
}

fn in_words(proposal: &Proposal) -> String {
    let deletions = proposal.delete.iter().map(|removal| format!("delete    {}  {}", removal.filename, removal.reason));
    let (generate, coverage) = (&proposal.generate, proposal.coverage);
    let summary = [
        format!(
            "generate  {} photorealistic, {} black-and-white, {} colour",
            generate.photorealistic, generate.bw_stylized, generate.color_stylized
        ),
        format!("result    {} ({} images)", proposal.result, proposal.result.total()),
    ];
    if proposal.is_empty() {
        let coverage = coverage.map(|coverage| format!(" Coverage: {coverage}.")).unwrap_or_default();
        return format!("The set is balanced at {}: nothing to do.{coverage}", proposal.result);
    }
    let coverage = coverage.map(|coverage| format!("coverage  {coverage}, without the images to generate"));
    deletions.chain(summary).chain(coverage).collect::<Vec<_>>().join("\n")
}
