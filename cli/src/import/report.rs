//! The report of an import.

use domain::actor::ActorId;
use domain::files::{images_in_words, visible};
use serde::Serialize;

use super::s3_place::OnlyInS3;

/// The report of one actor.
#[derive(Debug, Serialize)]
pub struct ActorReport {
    pub actor_id: ActorId,
    pub sources: Vec<String>,
    pub taken: Taken,
    /// The number of records and files that were there already.
    pub present: usize,
    pub only_in_s3: Vec<OnlyInS3>,
    /// What was left out because an import takes no such files.
    pub skipped: Vec<Left>,
    /// What was left out because of a problem.
    pub refused: Vec<Left>,
    /// What the user should know besides.
    pub notes: Vec<String>,
}

/// What an import has added, or would add.
#[derive(Debug, Default, Serialize)]
pub struct Taken {
    /// The images whose records were added to the manifest.
    pub records: Vec<String>,
    /// The images whose records have got their prompts.
    pub prompts: Vec<String>,
    /// The fields of the metadata.
    pub metadata: Vec<String>,
    pub images: Vec<String>,
    pub captions: Vec<String>,
    pub base_images: Vec<String>,
    /// Whether `actor.json` was written.
    pub settings: bool,
    /// Whether an evaluation was requested.
    pub evaluation: bool,
}

/// Something that was left as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Left {
    pub file: String,
    pub reason: String,
}

/// A source that can't be imported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    pub source: String,
    /// With the remedy.
    #[serde(rename = "problem")]
    pub sentence: String,
}

impl Problem {
    pub fn new(source: impl std::fmt::Display, sentence: impl Into<String>) -> Self {
        Self { source: visible(&source.to_string()), sentence: sentence.into() }
    }
}

impl Left {
    pub fn new(file: &str, reason: impl Into<String>) -> Self {
        Self { file: visible(file), reason: reason.into() }
    }
}

impl Taken {
    pub fn is_nothing(&self) -> bool {
        let lists = [&self.records, &self.prompts, &self.metadata, &self.images, &self.captions, &self.base_images];
        lists.into_iter().all(Vec::is_empty) && !self.settings && !self.evaluation
    }

    fn in_words(&self) -> Vec<String> {
        let counts = [
            (self.records.len(), "record", "records"),
            (self.prompts.len(), "prompt of a known image", "prompts of known images"),
            (self.images.len(), "image", "images"),
            (self.captions.len(), "caption", "captions"),
            (self.base_images.len(), "base image", "base images"),
        ];
        let mut words: Vec<String> = counts.into_iter().filter_map(counted).collect();
        if !self.metadata.is_empty() {
            words.push(format!("metadata ({})", visible(&self.metadata.join(", "))));
        }
        if self.settings {
            words.push("actor.json".to_owned());
        }
        if self.evaluation {
            words.push("to be evaluated".to_owned());
        }
        words
    }
}

impl ActorReport {
    pub fn of(actor: &ActorId) -> Self {
        Self {
            actor_id: actor.clone(),
            sources: Vec::new(),
            taken: Taken::default(),
            present: 0,
            only_in_s3: Vec::new(),
            skipped: Vec::new(),
            refused: Vec::new(),
            notes: Vec::new(),
        }
    }

    pub fn refuse(&mut self, file: &str, reason: impl Into<String>) {
        self.refused.push(Left::new(file, reason));
    }

    pub fn skip(&mut self, file: &str, reason: impl Into<String>) {
        self.skipped.push(Left::new(file, reason));
    }

    /// One line.
    pub fn in_words(&self) -> String {
        let mut parts = self.taken.in_words();
        if parts.is_empty() {
            parts.push("nothing new".to_owned());
        }
        let mut line = format!("{}: {}", self.actor_id, parts.join(", "));
        let mut more = Vec::new();
        if self.present > 0 {
            more.push(format!("{} already there", self.present));
        }
        if !self.only_in_s3.is_empty() {
            more.push(format!("{} only in {}", images_in_words(self.only_in_s3.len()), self.places_in_s3()));
        }
        for (left, word) in [(&self.skipped, "skipped"), (&self.refused, "refused")] {
            if !left.is_empty() {
                more.push(format!("{} {word}", left.len()));
            }
        }
        if !more.is_empty() {
            line = format!("{line}; {}", more.join(", "));
        }
        line
    }

    /// The folder of the images that lie only in S3.
    fn places_in_s3(&self) -> String {
        let mut folders: Vec<String> =
            self.only_in_s3.iter().filter_map(|image| Some(image.place.as_ref()?.folder())).collect();
        folders.sort();
        folders.dedup();
        match folders.as_slice() {
            [] => "S3".to_owned(),
            [folder] => visible(folder),
            [first, others @ ..] => format!("{} and {} more", visible(first), others.len()),
        }
    }

    /// The lines about what was left, and what to know besides.
    pub fn remarks(&self) -> impl Iterator<Item = String> {
        let of =
            |word: &'static str| move |left: &Left| format!("{}: {word} {}: {}", self.actor_id, left.file, left.reason);
        let notes = self.notes.iter().map(|note| format!("{}: {note}", self.actor_id));
        self.skipped.iter().map(of("skipped")).chain(self.refused.iter().map(of("refused"))).chain(notes)
    }
}

/// The last line: the sums of all actors.
pub fn totals(reports: &[ActorReport], is_dry_run: bool) -> String {
    let changed = reports.iter().filter(|report| !report.taken.is_nothing()).count();
    let sum = |count: fn(&ActorReport) -> usize| reports.iter().map(count).sum::<usize>();
    let mut words = match (changed, is_dry_run) {
        (0, false) => "Nothing has changed".to_owned(),
        (0, true) => "Nothing would change".to_owned(),
        (changed, false) => format!("Imported {}", actors(changed)),
        (changed, true) => format!("Would import {}", actors(changed)),
    };
    let counts = [
        (sum(|report| report.taken.records.len()), "record", "records"),
        (sum(|report| report.taken.images.len() + report.taken.base_images.len()), "image", "images"),
        (sum(|report| report.taken.captions.len()), "caption", "captions"),
        (sum(|report| report.only_in_s3.len()), "image only in S3", "images only in S3"),
        (sum(|report| report.skipped.len()), "file skipped", "files skipped"),
        (sum(|report| report.refused.len()), "file refused", "files refused"),
    ];
    let counts: Vec<_> = counts.into_iter().filter_map(counted).collect();
    if !counts.is_empty() {
        words = format!("{words}: {}", counts.join(", "));
    }
    let unchanged = reports.len() - changed;
    if changed > 0 && unchanged > 0 {
        words = format!("{words}; unchanged: {}", actors(unchanged));
    }
    format!("{words}.")
}

fn actors(count: usize) -> String {
    if count == 1 { "1 actor".to_owned() } else { format!("{count} actors") }
}

/// A number of things, in words; `None` if there are none.
fn counted((count, one, many): (usize, &str, &str)) -> Option<String> {
    match count {
        0 => None,
        1 => Some(format!("1 {one}")),
        count => Some(format!("{count} {many}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> ActorReport {
        ActorReport::of(&"hero".parse().unwrap())
    }

    #[test]
    fn line_names_what_was_taken_and_left() {
        let mut report = report();
        report.taken.records = vec!["hero_1.jpg".to_owned(), "hero_2.jpg".to_owned()];
        report.taken.captions = vec!["hero_1.txt".to_owned()];
        report.present = 3;
        report.only_in_s3.push(OnlyInS3::new("hero_1.jpg", "s3://b/x/hero_1.jpg"));
        report.refuse("a\u{202e}.jpg", "another file has this name");
        let line = "hero: 2 records, 1 caption; 3 already there, 1 image only in s3://b/x/, 1 refused";
        assert_eq!(report.in_words(), line);
        let remarks: Vec<_> = report.remarks().collect();
        assert_eq!(remarks, ["hero: refused a\\u{202e}.jpg: another file has this name"]);
        assert_eq!(
            totals(&[report], false),
            "Imported 1 actor: 2 records, 1 caption, 1 image only in S3, 1 file refused."
        );
    }

    #[test]
    fn repeated_import_says_that_nothing_changed() {
        let mut report = report();
        report.present = 2;
        assert_eq!(report.in_words(), "hero: nothing new; 2 already there");
        assert_eq!(totals(&[report], false), "Nothing has changed.");
    }
}
