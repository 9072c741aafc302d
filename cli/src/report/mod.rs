//! `balancer report`: sets as files that need no server, for a mail or an archive.

mod files;
mod pictures;
mod redaction;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use domain::actor::ActorId;
use maud::{Markup, html};

use crate::outcome::remark;
use crate::pages::report::{File, report_row, report_summary, section};
use crate::pages::{Details, Shown};
use crate::sets::Sets;
pub use files::check_replaceable;
use redaction::Redaction;

/// What a report contains.
pub struct Options {
    /// The first file; further ones become FILE-2, FILE-3 and so on.
    pub output: PathBuf,
    pub with_costs: bool,
    /// The size above which further actors go into another file.
    pub max_bytes: usize,
}

/// The result of writing a report.
pub struct Written {
    pub files: Vec<PathBuf>,
    /// The actors that could not be read, with the reasons.
    pub unreadable: Vec<(ActorId, String)>,
}

/// The part of a report about one actor.
struct Part {
    row: Markup,
    section: String,
}

/// Writes a report about these actors, or all if none is named; in that case it says which of them can't be read. The
/// same sets give the same bytes.
pub async fn write(sets: &Sets, actors: &[ActorId], options: &Options) -> anyhow::Result<Written> {
    let is_named = !actors.is_empty();
    let actors = if is_named { actors.to_vec() } else { sets.actors().await? };
    let (mut read, mut unreadable) = (Vec::new(), Vec::new());
    let redaction = Redaction::of(sets);
    for actor in actors {
        match sets.actor(&actor).await {
            Ok(set) => read.push(Shown::new(redaction.applied_to(set))),
            Err(problem) if is_named => return Err(problem),
            Err(problem) => unreadable.push((actor, redaction.of_text(&format!("{problem:#}")))),
        }
    }
    read.sort_by_cached_key(|shown| shown.urgency());
    let summary = report_summary(&read.iter().collect::<Vec<_>>());
    let mut parts: Vec<Part> = unreadable.iter().map(|(actor, problem)| Part::unreadable(actor, problem)).collect();
    for shown in &read {
        parts.push(Part::of(sets, shown, options.with_costs, &redaction).await?);
    }
    let files = files::pack(parts, &summary, options.max_bytes);
    let files = files::write(&options.output, &files.iter().map(File::document).collect::<Vec<_>>())?;
    Ok(Written { files, unreadable })
}

impl Part {
    async fn of(sets: &Sets, shown: &Shown, with_costs: bool, redaction: &Redaction) -> anyhow::Result<Self> {
        let mut captions = sets.captions(&shown.set).await?;
        captions.values_mut().for_each(|caption| caption.text = redaction.of_text(&caption.text));
        let pictures = pictures::of(sets, shown).await?;
        let details = Details { captions, has_base: pictures.contains_key(&crate::sets::Place::Base) };
        Ok(Self { row: report_row(shown), section: section(shown, &details, &pictures, with_costs).into_string() })
    }

    fn unreadable(actor: &ActorId, problem: &str) -> Self {
        let text = html! { p.problem { strong { (actor) } " can't be read: " (problem) } };
        Self { row: html! {}, section: text.into_string() }
    }
}

impl Written {
    /// Prints the unreadable actors, and returns the paths in words.
    pub fn in_words(&self) -> String {
        for (actor, problem) in &self.unreadable {
            remark(format!("{actor} can't be read: {problem}"));
        }
        self.files.iter().map(|file| file.display().to_string()).collect::<Vec<_>>().join("\n")
    }
}

/// The default of [`Options::max_bytes`], in megabytes: what most mail servers accept.
pub const DEFAULT_MAX_MB: u32 = 20;

/// The options of a report that another command writes at its end.
pub fn at_end_of_run(output: &Path) -> Options {
    Options { output: output.to_owned(), with_costs: false, max_bytes: bytes_of(DEFAULT_MAX_MB) }
}

/// A size in megabytes as bytes.
pub fn bytes_of(megabytes: u32) -> usize {
    megabytes as usize * 1_000_000
}
