//! Resumes the unfinished work on an actor by sending its messages again. Repeated messages have no effect.

use std::collections::BTreeMap;
use std::time::Duration;

use aws::queues::Queue;
use aws::store::actors::ActorRecord;
use domain::actor::ActorId;
use domain::lifecycle::slot::SlotState;
use domain::messages::DeletionMessage;
use domain::plan::{MANUAL, Origin, Plan, PlanState};

use super::Evaluation;
use crate::HandlerError;
use crate::dispatch::{dispatch_plan, request_review, send_deletions, send_slots};

impl Evaluation {
    /// Sends the messages of the active plan if an evaluation stopped after it stored the plan and before it sent them.
    pub(super) async fn resume_dispatch(&self, actor: &ActorId, record: &ActorRecord) -> Result<(), HandlerError> {
        let Some(plan_id) = &record.active_plan else { return Ok(()) };
        match self.store.plan(actor, plan_id).await? {
            Some(plan) if plan.state == PlanState::Adopted => {
                dispatch_plan(&self.store, &self.queues, actor, &plan).await
            }
            _ => Ok(()),
        }
    }

    /// Sends the messages of all unfinished plans and deletions of an actor.
    pub(super) async fn resume_work(&self, actor: &ActorId, record: &ActorRecord) -> Result<(), HandlerError> {
        for plan in self.store.plans(actor).await? {
            if plan.state == PlanState::Superseded {
                self.resume_superseded(actor, &plan).await?;
            } else if record.active_plan.as_ref() == Some(&plan.plan_id) || plan.origin == Origin::Manual {
                self.resume_plan(actor, &plan).await?;
            }
        }
        self.resume_deletions(actor).await
    }

    async fn resume_plan(&self, actor: &ActorId, plan: &Plan) -> Result<(), HandlerError> {
        match plan.state {
            PlanState::Adopted => dispatch_plan(&self.store, &self.queues, actor, plan).await,
            PlanState::Deleting => send_deletions(&self.queues, actor, &plan.plan_id).await,
            PlanState::Generating => {
                let begun = self.store.slots(actor, &plan.plan_id).await?;
                let is_open = |slot: &str| begun.get(slot).is_none_or(|record| !record.progress.state.is_final());
                let open = plan.slots.iter().map(|slot| slot.slot_id.as_str()).filter(|slot| is_open(slot));
                send_slots(&self.queues, actor, &plan.plan_id, open).await
            }
            PlanState::Completed => request_review(&self.queues, actor, plan).await,
            PlanState::DryRun | PlanState::AwaitingApproval | PlanState::Reviewed | PlanState::Superseded => Ok(()),
        }
    }

    /// Sends the slots of a superseded plan whose images have a number or a charge that is not settled. All other slots of
    /// the plan are void.
    async fn resume_superseded(&self, actor: &ActorId, plan: &Plan) -> Result<(), HandlerError> {
        let slots = self.store.slots(actor, &plan.plan_id).await?;
        let is_open = |state: &SlotState| match state {
            SlotState::Numbered { .. }
            | SlotState::Reserved { .. }
            | SlotState::Requested { .. }
            | SlotState::Predicting { .. }
            | SlotState::Staged => true,
            SlotState::Pending | SlotState::Done { .. } | SlotState::Failed { .. } => false,
        };
        let open = slots.iter().filter(|(_, record)| is_open(&record.progress.state));
        send_slots(&self.queues, actor, &plan.plan_id, open.map(|(slot, _)| slot.as_str())).await
    }

    /// Sends the deletions that have claimed an image.
    async fn resume_deletions(&self, actor: &ActorId) -> Result<(), HandlerError> {
        let mut begun = BTreeMap::<String, Vec<String>>::new();
        for (filename, image) in self.store.images(actor).await? {
            if let Some(deletion_id) = image.deleting {
                begun.entry(deletion_id).or_default().push(filename);
            }
        }
        for (deletion_id, filenames) in begun {
            let Some(request_id) = deletion_id.strip_prefix(MANUAL) else {
                send_deletions(&self.queues, actor, &deletion_id).await?;
                continue;
            };
            let request_id = Some(request_id.to_owned());
            let message = DeletionMessage::Manual { actor_id: actor.clone(), filenames, request_id };
            self.queues.send(Queue::Deletion, &message, Duration::ZERO).await?;
        }
        Ok(())
    }
}
