//! `balancer assess DIR`

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::Context;
use domain::assessment::{Assessment, Observed, assess};
use domain::manifest::{Image, Manifest};
use embedded::vision::EmbeddedVision;

use crate::arguments::Assess;
use crate::outcome::{Outcome, answer, remark};
use crate::pictures::{Picture, read_folder};
use crate::progress::Progress;
use crate::table::{self, Heading};

const HEADINGS: [Heading; 5] = [
    Heading::Words("file"),
    Heading::Words("kind"),
    Heading::Numbers("quality"),
    Heading::Words("flags"),
    Heading::Words("reason"),
];

/// Assesses a folder's images with the embedded vision model.
pub fn run(arguments: &Assess) -> anyhow::Result<Outcome> {
    let pictures = read_folder(&arguments.dir)?;
    let recorded = recorded(&arguments.dir)?;
    let assessments = assess(&observe(pictures, &recorded)?, arguments.frontal.frontal_images);
    if arguments.json {
        answer(serde_json::to_string_pretty(&assessments)?);
    } else {
        let rows: Vec<_> = assessments.iter().map(row).collect();
        answer(table::render(&HEADINGS, &rows));
    }
    Ok(Outcome::Done)
}

/// The manifest that `balancer local` has written for the folder: only it records which images are generated or pinned.
fn recorded(dir: &Path) -> anyhow::Result<BTreeMap<String, Image>> {
    let dir = dir.canonicalize().with_context(|| format!("the folder {} can't be read", dir.display()))?;
    let path = dir.with_file_name("manifest.json");
    if !dir.ends_with("training_data") || !path.is_file() {
        return Ok(BTreeMap::new());
    }
    let text = fs::read(&path).with_context(|| format!("{} can't be read", path.display()))?;
    match serde_json::from_slice::<Manifest>(&text) {
        Ok(manifest) => Ok(manifest.images),
        Err(error) => {
            remark(format!("{} is no manifest, so every image counts as uploaded: {error}", path.display()));
            Ok(BTreeMap::new())
        }
    }
}

fn observe(pictures: Vec<Picture>, recorded: &BTreeMap<String, Image>) -> anyhow::Result<Vec<Observed>> {
    let vision = EmbeddedVision::new().context("the embedded vision model can't be loaded")?;
    let progress = Progress::start("assessing images", pictures.len() as u64);
    let observed = pictures
        .into_iter()
        .map(|picture| {
            let observation = vision.observe(&picture.preview);
            progress.step();
            let is_of_this_file =
                |image: &&Image| image.facts.as_ref().is_none_or(|facts| facts.sha256 == picture.facts.sha256);
            let image = recorded.get(&picture.filename).filter(is_of_this_file);
            let origin = image.map(Image::origin).unwrap_or_default();
            let pinned = image.is_some_and(|image| image.pinned);
            Observed { filename: picture.filename, observation, facts: picture.facts, origin, pinned }
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
