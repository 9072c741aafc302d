//! Replicate's FLUX trainer: a flat zip for each actor. `docs/EXPORT.md` names the places in its sources.

use serde_json::{Value, json};

use super::beside::captioned;
use super::format::ExportFormat;
use super::json_text;
use super::subject::{Settings, Subject, folder_names};
use super::tree::{Content, Guide, Layout, Tree};

/// The steps that the trainer accepts.
const STEPS: (u64, u64) = (3, 6000);

/// A zip and a file with the trainer's other inputs for each actor.
pub fn layout(subjects: &[Subject], settings: &Settings) -> Layout {
    let mut files = Tree::new();
    let folders = folder_names(subjects);
    for (subject, name) in subjects.iter().zip(&folders) {
        files.insert(format!("{name}.zip"), Content::Archive(captioned(subject, ExportFormat::Replicate)));
        files.insert(format!("{name}.json"), Content::Text(json_text(&inputs(subject, settings))));
    }
    let each = if subjects.len() == 1 { "" } else { ", once for each zip" };
    Layout {
        files,
        guide: guide(format!("give the zip as input_images, and the values of the JSON file beside it{each}")),
    }
}

/// The zip alone: the export is what the trainer reads.
pub fn layout_of_zip(subject: &Subject, settings: &Settings) -> Layout {
    let inputs = inputs(subject, settings);
    let files = captioned(subject, ExportFormat::Replicate);
    Layout { files, guide: guide(format!("give the zip as input_images, and these inputs: {inputs}")) }
}

fn guide(then: String) -> Guide {
    let open = "open https://replicate.com/ostris/flux-dev-lora-trainer/train (training there costs money)".to_owned();
    Guide { commands: Vec::new(), before: vec![open, then] }
}

fn inputs(subject: &Subject, settings: &Settings) -> Value {
    let subjects = std::slice::from_ref(subject);
    let smaller = [512, 768].into_iter().filter(|&it| it < settings.resolution);
    let resolutions: Vec<String> = smaller.chain([settings.resolution]).map(|it| it.to_string()).collect();
    let mut inputs = json!({
        "trigger_word": subject.words.trigger,
        "autocaption": subject.images.iter().any(|image| image.caption.is_none()),
        "steps": settings.steps(subjects).clamp(STEPS.0, STEPS.1),
        "resolution": resolutions.join(","),
    });
    if inputs["autocaption"] == true {
        inputs["autocaption_prefix"] = format!("{}, ", subject.words.in_caption(None)).into();
    }
    inputs
}
