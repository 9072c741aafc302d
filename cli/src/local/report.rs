//! What has become of every actor.

use balancer::adapters::store::Store;
use balancer::domain::actor::ActorId;
use balancer::domain::kind::KindCounts;
use balancer::domain::plan::PlanState;
use balancer::domain::status::Status;
use serde::Serialize;

use crate::outcome::{Outcome, answer, remark};
use crate::table::{self, Heading};

const HEADINGS: [Heading; 6] = [
    Heading::Words("actor"),
    Heading::Words("before"),
    Heading::Words("after"),
    Heading::Numbers("deleted"),
    Heading::Numbers("made"),
    Heading::Words("status"),
];

/// Every actor of a run; the form of `local --json`.
#[derive(Debug, Serialize)]
pub struct Report {
    pub actors: Vec<ActorReport>,
}

/// One actor.
#[derive(Debug, Serialize)]
pub struct ActorReport {
    pub actor_id: ActorId,
    pub status: Status,
    pub total: u32,
    #[serde(flatten)]
    pub counts: KindCounts,
    pub deleted: u32,
    pub generated: u32,
    #[serde(skip)]
    pub before: KindCounts,
    #[serde(skip)]
    pub reason: String,
    /// Whether a plan of it waits for somebody to approve of it.
    #[serde(skip)]
    pub awaits_approval: bool,
    /// Whether nothing of it was taken in, so that nothing is known of its set.
    #[serde(skip)]
    is_left_alone: bool,
}

impl Report {
    /// Looks every actor up.
    ///
    /// # Errors
    /// If the stack can't be asked.
    pub async fn of(store: &Store, actors: &[ActorId]) -> anyhow::Result<Self> {
        let mut reports = Vec::new();
        for actor in actors {
            reports.push(ActorReport::of(store, actor).await?);
        }
        Ok(Self { actors: reports })
    }

    /// Adds the actors of which nothing was taken in, and why.
    pub fn with_left_alone<'a>(mut self, actors: impl Iterator<Item = (&'a ActorId, &'a String)>) -> Self {
        self.actors.extend(actors.map(|(actor, reason)| ActorReport::left_alone(actor, reason)));
        self.actors.sort_by(|one, other| one.actor_id.cmp(&other.actor_id));
        self
    }

    /// Answers with it: a line of JSON, with the sentences for people on standard error, or a table.
    pub fn say(&self, json: bool) -> anyhow::Result<()> {
        if !json {
            answer(self.in_words());
            return Ok(());
        }
        // Why an actor was left alone has been said.
        for actor in self.actors.iter().filter(|actor| !actor.is_left_alone) {
            remark(format!("{}: {}", actor.actor_id, actor.sentence()));
        }
        answer(serde_json::to_string(self)?);
        Ok(())
    }

    /// How the command ends.
    pub fn outcome(&self) -> Outcome {
        let is_stuck = |actor: &ActorReport| matches!(actor.status, Status::NeedsAttention | Status::Parked);
        if self.actors.iter().any(is_stuck) { Outcome::NeedsAttention } else { Outcome::Done }
    }

    /// For people: a table, and a sentence for each actor that has something to say.
    pub fn in_words(&self) -> String {
        let rows: Vec<_> = self.actors.iter().map(ActorReport::row).collect();
        let table = table::render(&HEADINGS, &rows);
        let sentences: String =
            self.actors.iter().map(|actor| format!("\n{}: {}", actor.actor_id, actor.sentence())).collect();
        format!("{table}\n{sentences}")
    }
}

impl ActorReport {
    async fn of(store: &Store, actor: &ActorId) -> anyhow::Result<Self> {
        let record = store.actor(actor).await?.unwrap_or_default();
        let images = store.images(actor).await?;
        let usable = images.values().filter(|image| image.unusable.is_none());
        let counts = KindCounts::tally(usable.filter_map(|image| image.kind));
        let plans = store.plans(actor).await?;
        Ok(Self {
            actor_id: actor.clone(),
            status: record.status,
            total: counts.total(),
            counts,
            deleted: plans.iter().map(|plan| plan.deleted).sum(),
            generated: plans.iter().map(|plan| plan.generated).sum(),
            before: plans.iter().find(|plan| plan.state != PlanState::DryRun).map_or(counts, |plan| plan.before),
            awaits_approval: plans.iter().any(|plan| plan.state == PlanState::AwaitingApproval),
            reason: record.reason.unwrap_or_default(),
            is_left_alone: false,
        })
    }

    fn left_alone(actor: &ActorId, reason: &str) -> Self {
        Self {
            actor_id: actor.clone(),
            status: Status::NeedsAttention,
            total: 0,
            counts: KindCounts::default(),
            deleted: 0,
            generated: 0,
            before: KindCounts::default(),
            reason: reason.to_owned(),
            awaits_approval: false,
            is_left_alone: true,
        }
    }

    fn row(&self) -> Vec<String> {
        let counted = |counts: KindCounts| if self.is_left_alone { "–".to_owned() } else { counts.to_string() };
        vec![
            table::short(self.actor_id.as_str()),
            counted(self.before),
            counted(self.counts),
            self.deleted.to_string(),
            self.generated.to_string(),
            self.status.to_string(),
        ]
    }

    /// What is to be said of it.
    pub fn sentence(&self) -> String {
        let nothing_done = self.status == Status::Balanced && self.deleted == 0 && self.generated == 0;
        if nothing_done { format!("{} Nothing had to change.", self.reason) } else { self.reason.clone() }
    }
}
