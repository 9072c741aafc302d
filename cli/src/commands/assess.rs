//! `balancer assess DIR`

use anyhow::Context;
use balancer::adapters::vision::embedded::EmbeddedVision;
use balancer::domain::assessment::{Assessment, Observed, assess};

use crate::arguments::Assess;
use crate::outcome::{Outcome, answer};
use crate::pictures::{Picture, read_folder};
use crate::progress::Progress;
use crate::table::{self, Heading};

const HEADINGS: [Heading; 5] = [
    Heading::Words("file"),
    Heading::Words("kind"),
    Heading::Numbers("quality"),
    Heading::Words("flags"),
    Heading::Words("why"),
];

/// Judges a folder's images with the embedded vision model.
pub fn run(arguments: &Assess) -> anyhow::Result<Outcome> {
    let assessments = assess(&observe(read_folder(&arguments.dir)?)?);
    if arguments.json {
        answer(serde_json::to_string_pretty(&assessments)?);
    } else {
        let rows: Vec<_> = assessments.iter().map(row).collect();
        answer(table::render(&HEADINGS, &rows));
    }
    Ok(Outcome::Done)
}

fn observe(pictures: Vec<Picture>) -> anyhow::Result<Vec<Observed>> {
    let vision = EmbeddedVision::new().context("the embedded vision model can't be loaded")?;
    let progress = Progress::start("judging images", pictures.len() as u64);
    let observed = pictures
        .into_iter()
        .map(|picture| {
            let observation = vision.observe(&picture.preview);
            progress.step();
            Observed { filename: picture.filename, observation, facts: picture.facts }
        })
        .collect();
    progress.finish();
    Ok(observed)
}

fn row(assessment: &Assessment) -> Vec<String> {
    let flags: Vec<_> = assessment.flags.iter().map(ToString::to_string).collect();
    vec![
        assessment.filename.clone(),
        assessment.kind.to_string(),
        assessment.quality.to_string(),
        flags.join(" "),
        assessment.reason.clone(),
    ]
}
