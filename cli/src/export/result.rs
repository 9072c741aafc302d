//! The result of an export, for the user.

use std::path::PathBuf;

use domain::actor::ActorId;
use domain::files::images_in_words;
use serde::Serialize;

use super::findings::Finding;
use super::subject::Subject;
use super::tree::Guide;
use super::{Destination, ExportFormat, Request};
use crate::outcome::{SCHEMA, quoted};
use crate::table::{self, Heading, short};

const HEADINGS: [Heading; 5] = [
    Heading::Words("actor"),
    Heading::Words("trigger"),
    Heading::Words("class"),
    Heading::Numbers("images"),
    Heading::Numbers("captions"),
];

/// What was exported, and what to do with it; the form of `export --json`.
#[derive(Debug, Serialize)]
pub struct Export {
    pub schema: u32,
    pub format: ExportFormat,
    pub output: PathBuf,
    pub actors: Vec<ExportedActor>,
    pub findings: Vec<Finding>,
    #[serde(flatten)]
    pub guide: Guide,
}

/// One exported actor.
#[derive(Debug, Serialize)]
pub struct ExportedActor {
    pub actor_id: ActorId,
    pub trigger: String,
    pub class: String,
    pub images: usize,
    /// The images that something describes.
    pub captions: usize,
}

impl Export {
    pub(super) fn new(request: &Request, subjects: &[Subject], findings: Vec<Finding>, guide: Guide) -> Self {
        let output = request.output.clone();
        let Guide { mut commands, before } = guide;
        if !commands.is_empty() {
            commands.splice(0..0, entering(&output));
        }
        Self {
            schema: SCHEMA,
            format: request.format,
            output,
            actors: subjects.iter().map(ExportedActor::of).collect(),
            findings,
            guide: Guide { commands, before },
        }
    }

    /// The result as text.
    pub fn in_words(&self) -> String {
        let images = self.actors.iter().map(|actor| actor.images).sum();
        let rows: Vec<Vec<String>> = self.actors.iter().map(ExportedActor::row).collect();
        let mut text = format!(
            "{}\n\nexported {} for {} to {}",
            table::render(&HEADINGS, &rows),
            images_in_words(images),
            self.format,
            self.output.display()
        );
        for line in &self.guide.before {
            text.push_str(&format!("\n- {line}"));
        }
        if !self.guide.commands.is_empty() {
            text.push_str(&format!("\n\n  {}", self.guide.commands.join("\n  ")));
        }
        text
    }
}

/// The commands that lead into the export.
fn entering(output: &std::path::Path) -> Vec<String> {
    let name = output.display().to_string();
    match Destination::of(output) {
        Destination::Folder(_) => vec![format!("cd {}", quoted(&name))],
        Destination::Zip(_) => {
            let folder = output.with_extension("").display().to_string();
            vec![format!("unzip {} -d {}", quoted(&name), quoted(&folder)), format!("cd {}", quoted(&folder))]
        }
    }
}

impl ExportedActor {
    fn of(subject: &Subject) -> Self {
        Self {
            actor_id: subject.actor.clone(),
            trigger: subject.words.trigger.clone(),
            class: subject.words.class.clone(),
            images: subject.images.len(),
            captions: subject.images.iter().filter(|image| image.caption.is_some()).count(),
        }
    }

    fn row(&self) -> Vec<String> {
        let words = [short(self.actor_id.as_str()), self.trigger.clone(), self.class.clone()];
        words.into_iter().chain([self.images, self.captions].map(|it| it.to_string())).collect()
    }
}
