//! One actor with its set.

use std::collections::BTreeMap;

use domain::actor::{ActorId, Profile};
use domain::assessment::Assessment;
use domain::kind::KindCounts;
use domain::manifest::{Image, Manifest, profile_of};
use domain::money::MicroUsd;
use domain::plan::{Plan, PlanState};
use domain::settings::{ActorSettings, Settings};
use domain::status::Status;
use serde::Serialize;

use crate::answers::{Deleted, Generated};

/// Everything about an actor except its pictures.
#[derive(Debug, Clone)]
pub struct ActorSet {
    pub actor: ActorId,
    /// The images, the trash and the generation batches. In a data folder it includes files that no run has seen yet.
    pub manifest: Manifest,
    pub status: Status,
    /// The reason of the status, as a sentence for the user; empty if there is none.
    pub reason: String,
    /// The number of consecutive rounds.
    pub round: u32,
    /// What a balanced set of this actor is.
    pub settings: Settings,
    /// The content of its `actor.json`.
    pub own_settings: ActorSettings,
    /// The plans, the oldest first. A data folder keeps none.
    pub plans: Vec<Plan>,
    /// The plan that is running or on hold, by its id.
    pub active_plan: Option<String>,
    /// The plan that the user has approved and that no evaluation has followed yet, by its id.
    pub approved_plan: Option<String>,
    /// `None` in a data folder.
    pub money: Option<Money>,
}

/// The costs of an actor.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Money {
    #[serde(rename = "today_micro_usd")]
    pub today: MicroUsd,
    #[serde(rename = "ever_micro_usd")]
    pub ever: MicroUsd,
    /// The cost of the last evaluation that called a paid vision service.
    #[serde(rename = "last_assessment_micro_usd")]
    pub last_assessment: Option<MicroUsd>,
}

impl ActorSet {
    /// The usable images, by file name.
    pub fn images(&self) -> impl Iterator<Item = (&String, &Image)> {
        self.manifest.images.iter().filter(|(_, image)| image.unusable.is_none())
    }

    /// The usable images of each kind. Images of unknown kind are in none.
    pub fn counts(&self) -> KindCounts {
        KindCounts::tally(self.images().filter_map(|(_, image)| image.kind))
    }

    /// The images of each kind that the set should have.
    pub fn wanted(&self) -> KindCounts {
        self.settings.target.counts()
    }

    /// The assessments by file name. Images that were not assessed yet have none.
    pub fn assessments(&self) -> BTreeMap<String, Assessment> {
        let assessments = self.manifest.assessments(&self.settings);
        assessments.into_iter().map(|assessment| (assessment.filename.clone(), assessment)).collect()
    }

    pub fn profile(&self) -> Profile {
        self.own_settings.profile(profile_of(&self.manifest.metadata, &self.actor))
    }

    /// The word that stands for the character in training, if the user has chosen one.
    pub fn trigger(&self) -> Option<&str> {
        self.own_settings.trigger.as_deref().or_else(|| self.noted("trigger"))
    }

    /// The word for what the character is an instance of: the user's, or the one of its profile.
    pub fn class(&self) -> &str {
        let own = self.own_settings.class.as_deref().or_else(|| self.noted("class"));
        own.unwrap_or_else(|| self.profile().descriptor())
    }

    fn noted(&self, name: &str) -> Option<&str> {
        self.manifest.metadata.get(name)?.as_str()
    }

    /// The plan that is running or on hold.
    pub fn plan(&self) -> Option<&Plan> {
        let active = self.active_plan.as_ref()?;
        self.plans.iter().find(|plan| plan.plan_id == *active)
    }

    /// The plan that waits for approval.
    pub fn plan_on_hold(&self) -> Option<&Plan> {
        self.plan().filter(|plan| plan.state == PlanState::AwaitingApproval)
    }

    /// Whether the user has approved this plan, and the evaluation that carries it out has not begun.
    pub fn is_approved(&self, plan: &Plan) -> bool {
        self.approved_plan.as_ref() == Some(&plan.plan_id)
    }

    /// The images that the latest plan or manual request has deleted and that are still in the trash, by file name.
    pub fn last_deletion(&self) -> Vec<Deleted> {
        let trash = &self.manifest.trash;
        let Some(latest) = trash.values().flatten().max_by_key(|trashed| trashed.deleted_at) else {
            return Vec::new();
        };
        self.deleted_by(&latest.plan_id)
    }

    /// The images in the trash that this plan or manual request has deleted, by file name.
    pub fn deleted_by(&self, plan_id: &str) -> Vec<Deleted> {
        let entries = self.manifest.trash.iter();
        let entries = entries.flat_map(|(file, entries)| entries.iter().map(move |trashed| (file, trashed)));
        let of_plan = entries.filter(|(_, trashed)| trashed.plan_id == plan_id);
        of_plan.map(|(file, trashed)| Deleted::of(file, trashed)).collect()
    }

    /// The images of the set that the latest plan with new images has generated, by number.
    pub fn last_generation(&self) -> Vec<Generated> {
        let generated = self.images().filter(|(_, image)| image.plan_id.is_some());
        let latest = generated.max_by_key(|(_, image)| image.index).and_then(|(_, image)| image.plan_id.clone());
        latest.map(|plan_id| self.generated_by(&plan_id)).unwrap_or_default()
    }

    /// The images of the set that this plan has generated, by number.
    pub fn generated_by(&self, plan_id: &str) -> Vec<Generated> {
        let of_plan = self.images().filter(|(_, image)| image.plan_id.as_deref() == Some(plan_id));
        let mut of_plan: Vec<_> = of_plan.collect();
        of_plan.sort_by_key(|(_, image)| image.index);
        of_plan.into_iter().filter_map(|(file, image)| Generated::of(file, image)).collect()
    }

    /// The latest plan of a dry run.
    pub fn last_dry_run(&self) -> Option<&Plan> {
        let dry_runs = self.plans.iter().filter(|plan| plan.state == PlanState::DryRun);
        dry_runs.max_by_key(|plan| plan.created_at)
    }
}
