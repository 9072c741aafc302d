//! An actor as commands show it.

use domain::actor::ActorId;
use domain::coverage::{Coverage, ViewCounts};
use domain::kind::KindCounts;
use domain::plan::{Plan, PlanState};
use domain::settings::{ActorSettings, Settings};
use domain::status::Status;
use serde::Serialize;

use super::{Deleted, Generated, PlanAnswer};
use crate::outcome::{Outcome, quoted};
use crate::sets::{ActorSet, Money};

/// The object for an actor in all `--json` output.
#[derive(Debug, Clone, Serialize)]
pub struct Actor {
    pub actor_id: ActorId,
    pub status: Status,
    pub reason: String,
    /// The images of known kind.
    pub total: u32,
    #[serde(flatten)]
    pub counts: KindCounts,
    pub wanted: KindCounts,
    /// The set before the run, or before the latest plan.
    pub before: KindCounts,
    /// The framings and angles; `None` if all of them are unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub coverage: Option<Coverage>,
    pub round: u32,
    pub pinned: Vec<String>,
    /// The images that the run, or the latest plan or manual request, has deleted.
    pub deleted: Vec<Deleted>,
    /// The images that the run, or the latest plan or manual request, has generated.
    pub generated: Vec<Generated>,
    pub awaits_approval: bool,
    /// The plan that is running or on hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<PlanAnswer>,
    /// The latest dry run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dry_run: Option<PlanAnswer>,
    /// The settings of its `actor.json`; `None` if it has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub own_settings: Option<ActorSettings>,
    /// `None` if the sets lie in a folder, which keeps no costs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost: Option<Money>,
}

impl Actor {
    pub fn of(set: &ActorSet) -> Self {
        let views = ViewCounts::tally(set.images().map(|(_, image)| &image.content));
        let executed = set.plans.iter().rfind(|plan| plan.state != PlanState::DryRun);
        let planned = set.plans.iter().rev().find_map(|plan| plan.coverage);
        Self {
            actor_id: set.actor.clone(),
            status: set.status,
            reason: set.reason.clone(),
            total: set.counts().total(),
            counts: set.counts(),
            wanted: set.wanted(),
            before: executed.map_or_else(|| set.counts(), |plan| plan.before),
            coverage: planned.and_then(|planned| Coverage { after: views, ..planned }.known()),
            round: set.round,
            pinned: set.images().filter(|(_, image)| image.pinned).map(|(file, _)| file.clone()).collect(),
            deleted: set.last_deletion(),
            generated: set.last_generation(),
            awaits_approval: set.plan_on_hold().is_some(),
            plan: set.plan().map(PlanAnswer::of),
            dry_run: set.last_dry_run().map(PlanAnswer::of),
            own_settings: Some(set.own_settings.clone()).filter(|own| *own != ActorSettings::default()),
            cost: set.money,
        }
    }

    /// An actor that a run has skipped, so that its set is unknown.
    pub fn skipped(actor: &ActorId, reason: &str) -> Self {
        Self {
            actor_id: actor.clone(),
            status: Status::NeedsAttention,
            reason: reason.to_owned(),
            total: 0,
            counts: KindCounts::default(),
            wanted: Settings::default().target.counts(),
            before: KindCounts::default(),
            coverage: None,
            round: 0,
            pinned: Vec::new(),
            deleted: Vec::new(),
            generated: Vec::new(),
            awaits_approval: false,
            plan: None,
            dry_run: None,
            own_settings: None,
            cost: None,
        }
    }

    /// The actor with its dry run as the answer.
    pub fn with_dry_run(self, plan: &Plan, answer: PlanAnswer) -> Self {
        Self { before: plan.before, dry_run: Some(answer), ..self }
    }

    /// The exit code of a dry run with this result.
    pub fn outcome_of_dry_run(&self) -> Outcome {
        let can_proceed = |plan: &PlanAnswer| plan.obstacle.is_none() && plan.needs_approval.is_none();
        if self.dry_run.as_ref().is_some_and(can_proceed) { Outcome::Done } else { Outcome::NeedsAttention }
    }

    /// The result of a dry run, for a terminal.
    pub fn dry_run_in_words(&self) -> String {
        let Some(plan) = &self.dry_run else {
            return format!("{}: needs attention: {}", self.actor_id, self.reason);
        };
        let mut lines = vec![format!("{}: {} now, {} after", self.actor_id, plan.before, plan.result)];
        lines.extend(plan.lines(["would delete", "would generate"]));
        lines.join("\n")
    }

    /// Everything about the actor that a table has no column for, for a terminal.
    pub fn details(&self) -> Vec<String> {
        let actor = &self.actor_id;
        let plans = [&self.plan, &self.dry_run].into_iter().flatten().map(|plan| {
            let (id, at, state) = (&plan.plan_id, plan.created_at, plan.state_in_words());
            let mut lines =
                vec![format!("{actor}: the plan {id} of {at:.0} {state}: from {} to {}", plan.before, plan.result)];
            lines.extend(plan.lines(["delete", "generate"]));
            lines.join("\n")
        });
        let own = self.own_settings.as_ref().and_then(|own| serde_json::to_string(own).ok());
        let last_assessment = self.cost.and_then(|cost| cost.last_assessment);
        [
            Some(self.pinned.join(", "))
                .filter(|pinned| !pinned.is_empty())
                .map(|pinned| format!("{actor}: pinned: {pinned}")),
            self.coverage.map(|coverage| format!("{actor}: coverage: {coverage}")),
            own.map(|own| format!("{actor}: own settings, as last read: {own}")),
            last_assessment.map(|cost| format!("{actor}: the last assessment has cost {cost}")),
        ]
        .into_iter()
        .flatten()
        .chain(plans)
        .chain(self.deleted_in_words())
        .collect()
    }

    fn deleted_in_words(&self) -> Option<String> {
        let Deleted { plan_id, deleted_at, .. } = self.deleted.first()?;
        let (actor, command) = (&self.actor_id, format!("balancer restore {}", quoted(self.actor_id.as_str())));
        let mut lines =
            vec![format!("{actor}: deleted last, by {plan_id} at {deleted_at:.0}; restore it with `{command}`:")];
        lines.extend(self.deleted.iter().map(|deleted| format!("  {}: {}", deleted.file, deleted.reason)));
        Some(lines.join("\n"))
    }
}

/// The status in the words of tables.
pub const fn status_in_words(status: Status) -> &'static str {
    match status {
        Status::Waiting => "waiting",
        Status::Balancing => "balancing",
        Status::Parked => "parked",
        Status::Balanced => "balanced",
        Status::NeedsAttention => "needs you",
    }
}
