//! The report of a run: the result for every actor.

use std::path::PathBuf;

use aws::store::Store;
use domain::actor::ActorId;
use domain::coverage::{Coverage, ViewCounts};
use domain::files::images_in_words;
use domain::kind::KindCounts;
use domain::plan::{Plan, PlanState};
use domain::settings::Settings;
use domain::status::Status;
use jiff::Timestamp;
use providers::generator::ReplicateModel;
use serde::Serialize;

use super::data_folder::ActorFolder;
use super::image_changes::{deleted_since, generated_since};
use crate::answers::{Actor, status_in_words};
use crate::outcome::{Outcome, SCHEMA, quoted, remark, try_answer};
use crate::sets::ActorSet;
use crate::table::{self, Heading};

const HEADINGS: [Heading; 6] = [
    Heading::Words("actor"),
    Heading::Words("before"),
    Heading::Words("after"),
    Heading::Numbers("deleted"),
    Heading::Numbers("generated"),
    Heading::Words("status"),
];

/// Every actor of a run; the form of `local --json`.
#[derive(Debug, Serialize)]
pub struct Report {
    pub schema: u32,
    pub actors: Vec<ActorReport>,
}

/// One actor.
#[derive(Debug, Serialize)]
pub struct ActorReport {
    #[serde(flatten)]
    pub actor: Actor,
    /// The location of the deleted images; `None` if nothing was deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trash: Option<PathBuf>,
    /// Whether the run left the set unchanged because an earlier run has suspended it and nothing has changed since.
    pub unchanged_since_suspended: bool,
    /// The plan that awaits approval, if there is one.
    #[serde(skip)]
    on_hold: Option<Plan>,
    /// Whether the run skipped the actor, so that its set is unknown.
    #[serde(skip)]
    is_skipped: bool,
}

impl Report {
    /// Reads every actor, and its deletions and generations since `since`. An actor's own settings come before
    /// `settings`.
    pub async fn of(
        store: &Store,
        folders: &[&ActorFolder],
        since: Timestamp,
        settings: &Settings,
    ) -> anyhow::Result<Self> {
        let mut actors = Vec::new();
        for folder in folders {
            actors.push(ActorReport::of(store, folder, since, settings).await?);
        }
        Ok(Self { schema: SCHEMA, actors })
    }

    /// Adds the skipped actors with the reasons.
    pub fn with_skipped<'a>(mut self, actors: impl Iterator<Item = (&'a ActorId, &'a String)>) -> Self {
        self.actors.extend(actors.map(|(actor, reason)| ActorReport::skipped(actor, reason)));
        self.actors.sort_by(|one, other| one.actor.actor_id.cmp(&other.actor.actor_id));
        self
    }

    /// Prints the report: a table, or a line of JSON with the sentences on standard error. Fails if the reader of the
    /// output has gone.
    pub fn print(&self, json: bool, undo: Undo) -> anyhow::Result<()> {
        if !json {
            return try_answer(self.in_words(undo));
        }
        // The reasons of skipped actors were reported before.
        for actor in self.actors.iter().filter(|actor| !actor.is_skipped) {
            remark(format!("{}: {}", actor.actor.actor_id, actor.sentence()));
        }
        try_answer(serde_json::to_string(self)?)
    }

    pub fn outcome(&self) -> Outcome {
        Outcome::of_sets(self.actors.iter().map(|actor| actor.actor.status))
    }

    /// What the pictures of the embedded generator are worth, and what real ones would cost; `None` if it has drawn none.
    pub fn about_embedded_pictures(&self) -> Option<String> {
        let drawn = self.actors.iter().map(|actor| actor.actor.generated.len()).sum::<usize>();
        let price = ReplicateModel::default().usd_per_image().filter(|_| drawn > 0)?;
        let total = price * drawn as u64;
        Some(format!(
            "The embedded generator drew {}: they show the loop, and are no training material. A real generator costs about {price} an image, {total} for {}: see --generator.",
            images_in_words(drawn),
            if drawn == 1 { "this one".to_owned() } else { format!("these {drawn}") },
        ))
    }

    /// The text for a terminal: a table, a sentence for each actor that has something to report, and the deletions.
    pub fn in_words(&self, undo: Undo) -> String {
        let rows: Vec<_> = self.actors.iter().map(ActorReport::row).collect();
        let table = table::render(&HEADINGS, &rows);
        let sentences: String =
            self.actors.iter().map(|actor| format!("\n{}: {}", actor.actor.actor_id, actor.sentence())).collect();
        let deletions: String = self.actors.iter().filter_map(|actor| actor.deletions_in_words(undo)).collect();
        format!("{table}\n{sentences}{deletions}")
    }
}

/// How deleted images can be restored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Undo {
    /// By the running stack.
    InStack,
    /// In the folder, after the run has ended.
    InFolder,
}

impl ActorReport {
    async fn of(store: &Store, folder: &ActorFolder, since: Timestamp, settings: &Settings) -> anyhow::Result<Self> {
        let record = store.actor(&folder.actor).await?.unwrap_or_default();
        let is_suspended = record.suspension.is_some();
        let set = ActorSet::in_table(store, settings, &folder.actor, record).await?;
        let was_planned = |plan: &&Plan| plan.state != PlanState::DryRun && plan.created_at >= since;
        let first_plan = set.plans.iter().find(was_planned);
        let views = ViewCounts::tally(set.images().map(|(_, image)| &image.content));
        let before = first_plan.and_then(|plan| plan.coverage).map_or(views, |coverage| coverage.before);
        let wanted = set.settings.target.view_counts();
        let actor = Actor {
            coverage: Coverage { wanted, before, after: views }.known(),
            before: first_plan.map_or_else(|| set.counts(), |plan| plan.before),
            deleted: deleted_since(&set.manifest, since),
            generated: generated_since(store, &set.actor, &set.plans, since).await?,
            ..Actor::of(&set)
        };
        Ok(Self {
            trash: (!actor.deleted.is_empty()).then(|| folder.trash()),
            on_hold: set.plan_on_hold().cloned(),
            unchanged_since_suspended: is_suspended && first_plan.is_none(),
            is_skipped: false,
            actor,
        })
    }

    fn skipped(actor: &ActorId, reason: &str) -> Self {
        Self {
            actor: Actor::skipped(actor, reason),
            trash: None,
            on_hold: None,
            unchanged_since_suspended: false,
            is_skipped: true,
        }
    }

    fn row(&self) -> Vec<String> {
        let counted = |counts: KindCounts| if self.is_skipped { "–".to_owned() } else { counts.to_string() };
        vec![
            table::short(self.actor.actor_id.as_str()),
            counted(self.actor.before),
            counted(self.actor.counts),
            self.actor.deleted.len().to_string(),
            self.actor.generated.len().to_string(),
            status_in_words(self.actor.status).to_owned(),
        ]
    }

    /// The actor's reason, a note if nothing was changed, and the coverage.
    pub fn sentence(&self) -> String {
        let nothing_done =
            self.actor.status == Status::Balanced && self.actor.deleted.is_empty() && self.actor.generated.is_empty();
        let more = match () {
            () if nothing_done => " Nothing had to change.",
            () if self.unchanged_since_suspended => {
                " Nothing has changed since an earlier run suspended the set, so nothing was deleted or generated; use --retry to retry it."
            }
            () => "",
        };
        let coverage = self.actor.coverage.map(|coverage| format!(" Coverage: {coverage}.")).unwrap_or_default();
        format!("{}{more}{coverage}", self.actor.reason)
    }

    /// The remedy for a plan on hold whose stack has ended, so that it can no longer be approved.
    pub fn approval_remedy(&self) -> Option<String> {
        let plan = self.on_hold.as_ref()?;
        Some(format!(
            "{}: on hold: the plan deletes {} of {} images. Preview it with --dry-run; allow it with --max-deleted-percent {}, or use --watch and `balancer approve {}`.",
            self.actor.actor_id,
            plan.delete.len(),
            plan.before.total(),
            plan.deleted_percent(),
            quoted(self.actor.actor_id.as_str()),
        ))
    }

    /// The deletions with their reasons, their location and the way to restore them.
    fn deletions_in_words(&self, undo: Undo) -> Option<String> {
        let trash = self.trash.as_ref()?;
        let actor = quoted(self.actor.actor_id.as_str());
        let data = trash.parent().and_then(|dir| dir.parent()).unwrap_or(trash);
        let command = match undo {
            Undo::InStack => format!("balancer restore {actor}"),
            Undo::InFolder => format!("balancer restore {actor} --data {}", quoted(&data.display().to_string())),
        };
        let files = self.actor.deleted.iter().map(|deleted| format!("  {}: {}\n", deleted.file, deleted.reason));
        Some(format!(
            "\n\n{}: deleted {}, which can be restored from {} with `{command} FILE…`:\n{}",
            self.actor.actor_id,
            match self.actor.deleted.len() {
                1 => "1 image".to_owned(),
                many => format!("{many} images"),
            },
            trash.display(),
            files.collect::<String>().trim_end()
        ))
    }
}

#[cfg(test)]
mod tests {
    use domain::coverage::ViewShares;

    use super::*;

    #[test]
    fn sentence_of_an_actor_ends_with_its_coverage() {
        let views = ViewCounts { framing: [6, 9, 3, 2], angle: [0; 4] };
        let coverage = Coverage { wanted: ViewShares::default().counts(20), before: views, after: views };
        let unknown = ActorReport::skipped(&"hero".parse().unwrap(), "Skipped.");
        assert_eq!(unknown.sentence(), "Skipped.");
        let actor = Actor { coverage: Some(coverage), ..unknown.actor.clone() };
        let known = ActorReport { actor, ..unknown };
        assert_eq!(known.sentence(), "Skipped. Coverage: framing 6/9/3/2 of 6/8/4/2 wanted.");
    }
}
