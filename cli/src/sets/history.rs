//! What has happened to a set: its plans and manual requests, as far as records of them are left.

use std::collections::BTreeMap;

use domain::kind::KindCounts;
use domain::manifest::timestamp_text;
use domain::money::MicroUsd;
use domain::plan::{MANUAL, Plan, PlanState};
use jiff::Timestamp;
use serde::Serialize;

use super::ActorSet;
use crate::answers::{Deleted, Generated};

/// A plan or a manual request. A data folder knows only its images.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Event {
    pub plan_id: String,
    /// When the plan was created; in a data folder, when its first image was deleted or generated.
    pub at: String,
    /// Whether the user requested it, rather than an evaluation.
    pub is_manual: bool,
    /// `None` if its plan is unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<PlanState>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<KindCounts>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<KindCounts>,
    /// The deleted images that are still in the trash.
    pub deleted: Vec<Deleted>,
    /// The generated images that are still in the set.
    pub generated: Vec<Generated>,
    /// `None` if its plan is unknown.
    #[serde(rename = "cost_micro_usd", skip_serializing_if = "Option::is_none")]
    pub cost: Option<MicroUsd>,
}

impl ActorSet {
    /// The plans and manual requests, the latest first, without dry runs.
    pub fn history(&self) -> Vec<Event> {
        let mut ids: BTreeMap<&str, Option<String>> = BTreeMap::new();
        let trashed = self.manifest.trash.values().flatten();
        let deleted = trashed.map(|trashed| (trashed.plan_id.as_str(), Some(timestamp_text(trashed.deleted_at))));
        let generated = self.manifest.images.values();
        let generated = generated.filter_map(|image| Some((image.plan_id.as_deref()?, image.generated_at.clone())));
        for (id, at) in deleted.chain(generated) {
            let first = ids.entry(id).or_default();
            *first = [first.take(), at].into_iter().flatten().min();
        }
        let executed = self.plans.iter().filter(|plan| plan.state != PlanState::DryRun);
        ids.extend(executed.map(|plan| (plan.plan_id.as_str(), None)));
        let mut events: Vec<Event> = ids.into_iter().map(|(id, at)| self.event(id, at)).collect();
        events.sort_by(|one, other| (&other.at, &other.plan_id).cmp(&(&one.at, &one.plan_id)));
        events
    }

    fn event(&self, plan_id: &str, first_image_at: Option<String>) -> Event {
        let plan = self.plans.iter().find(|plan| plan.plan_id == plan_id);
        let created_at = |plan: &Plan| timestamp_text(plan.created_at);
        Event {
            plan_id: plan_id.to_owned(),
            at: plan.map(created_at).or(first_image_at).unwrap_or_else(|| timestamp_text(Timestamp::UNIX_EPOCH)),
            is_manual: plan_id.starts_with(MANUAL),
            state: plan.map(|plan| plan.state),
            before: plan.map(|plan| plan.before),
            result: plan.map(|plan| plan.result),
            deleted: self.deleted_by(plan_id),
            generated: self.generated_by(plan_id),
            cost: plan.map(|plan| plan.spent + plan.vision_cost),
        }
    }
}
