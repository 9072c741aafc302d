//! What follows from a set: it is balanced, a plan mends it, or a person must help.

use std::collections::BTreeSet;

use aws::metrics::Metric;
use aws::queues::Queue;
use aws::store::actors::{ActorRecord, OnBehalf};
use aws::store::leases::{Uploads, Verdict};
use domain::kind::{Kind, KindCounts};
use domain::manifest::{BALANCING, GenerationBatch, timestamp_text};
use domain::messages::{Cause, EvaluationCommand, Mode};
use domain::plan::{Note, Origin, Plan, PlanState, PlannedDeletion, plan_id, slots};
use domain::planner::{Policy, Proposal, Scope, propose};
use domain::status::Status;
use jiff::Timestamp;
use serde_json::json;
use tracing::{Span, info, warn};

use super::Evaluation;
use super::assess::SetAssessment;
use super::inventory::Inventory;
use super::uploads::are_overdue;
use crate::base_image::BaseImages;
use crate::dispatch::dispatch_plan;
use crate::{HandlerError, actors};

/// One evaluation, once it is its turn.
pub(super) struct EvaluationContext<'a> {
    pub(super) command: &'a EvaluationCommand,
    /// The actor as it was when the lease was taken.
    pub(super) record: ActorRecord,
    pub(super) round: u32,
    /// Whether it continues a row of mendings.
    pub(super) continues: bool,
    /// When it began.
    pub(super) began: Timestamp,
    pub(super) token: &'a str,
    pub(super) message_id: &'a str,
}

impl EvaluationContext<'_> {
    /// What it means for the uploads that wait: one that may only delete, or only make images, is not for them.
    fn uploads(&self) -> Uploads {
        match self.command.scope {
            Scope::All => Uploads::Evaluated { until: self.record.pending_last },
            Scope::DeleteOnly | Scope::GenerateOnly => Uploads::StillWait,
        }
    }

    pub(super) fn verdict<'v>(&self, status: Status, round: u32, reason: &'v str) -> Verdict<'v> {
        let (scope, began, continues) = (self.command.scope, self.began, self.continues);
        Verdict { status, reason, round, uploads: self.uploads(), scope, began, continues, suspension: None }
    }
}

impl Evaluation {
    pub(super) async fn decide(&self, context: EvaluationContext<'_>) -> Result<(), HandlerError> {
        let actor = &context.command.actor_id;
        let profile = actors::identify(&self.bucket, &self.store, &self.keys, actor, &context.record).await;
        if let Err(HandlerError::NeedsOperator(problem)) = profile {
            return self.ask_for_attention(&context, &problem).await;
        }
        profile?;
        if context.command.force && context.command.mode == Mode::Execute {
            // What the plan under way does after this, and the evaluation has not seen, is known to need another look.
            self.supersede_active_plan(&context).await?;
        }
        let plan_id = plan_id(self.clock.now(), context.message_id);
        Span::current().record("plan", &plan_id);
        let mut inventory = match self.take_inventory(actor, &context.record, context.token).await? {
            Ok(inventory) => inventory,
            Err(problem) => return self.ask_for_attention(&context, &problem).await,
        };
        if let Some(suspension) = self.still_suspended(&context, &inventory) {
            return self.stay_suspended(&context, suspension).await;
        }
        let mut judged = match self.assess(actor, &plan_id, &mut inventory).await? {
            Ok(judged) => judged,
            Err(blocked) => return self.end_blocked(&context, blocked).await,
        };
        self.forget_outage(&context).await?;
        if (judged.is_any_new || inventory.has_new_unusable) && !inventory.unread.is_empty() {
            let reason = format!("{} images are still to be looked at", inventory.unread.len());
            return Err(HandlerError::deferred(reason, super::NEXT_PART));
        }
        let left =
            inventory.unread.iter().map(|filename| Note::unassessed(filename, "too many others can't be judged"));
        judged.unassessed.extend(left);
        let policy = Policy { target: self.target, quality_floor: self.quality_floor, scope: context.command.scope };
        let unassessed = u32::try_from(judged.unassessed.len()).unwrap_or(u32::MAX);
        let proposal = propose(&judged.assessments, &policy).leaving_room_for(unassessed);
        let plan = self.plan(&context, plan_id, &inventory, &judged, &proposal);
        if context.command.mode == Mode::DryRun {
            let obstacle = self.obstacle(&context, &plan).await?;
            return self.keep_dry_run(&context, &Plan { obstacle, ..plan }).await;
        }
        if proposal.is_empty() {
            return self.conclude(&context, &plan, &judged, &inventory.fingerprint).await;
        }
        if context.round > self.max_rounds {
            let reason = self.rounds_used_up(&context, &plan).await?;
            return self.suspend(&context, context.round, &reason, &inventory.fingerprint).await;
        }
        if let Some(problem) = self.obstacle(&context, &plan).await? {
            return self.ask_for_attention(&context, &problem).await;
        }
        if plan.deletes_more_than(self.most_deleted_percent) && !self.is_approved(&context, &plan).await? {
            return self.await_approval(&context, plan).await;
        }
        self.start_plan(&context, plan).await
    }

    fn plan(
        &self,
        context: &EvaluationContext<'_>,
        plan_id: String,
        inventory: &Inventory,
        judged: &SetAssessment,
        proposal: &Proposal,
    ) -> Plan {
        let going: BTreeSet<&str> = proposal.delete.iter().map(|removal| removal.filename.as_str()).collect();
        let etag_of = |filename: &str| {
            inventory.images.iter().find(|image| image.filename == filename).and_then(|image| image.image.etag.clone())
        };
        let delete = proposal.delete.iter().map(|removal| PlannedDeletion {
            filename: removal.filename.clone(),
            etag: etag_of(&removal.filename).unwrap_or_default(),
            reason: removal.reason.clone(),
        });
        let staying = inventory.images.iter().filter(|image| !going.contains(image.filename.as_str()));
        let used_prompts = staying.filter_map(|image| image.image.prompt_id.clone());
        let used_prompts = used_prompts.chain(context.record.rejected_prompts.iter().cloned()).collect();
        let slots = slots(&context.command.actor_id, &plan_id, proposal.generate, &used_prompts);
        let is_dry_run = context.command.mode == Mode::DryRun;
        let mut plan = Plan {
            round: context.round,
            scope: context.command.scope,
            before: KindCounts::tally(judged.assessments.iter().map(|assessment| assessment.kind)),
            result: proposal.result,
            delete: delete.collect(),
            generation_id: (!slots.is_empty()).then_some(inventory.last_generation + 1),
            slots,
            notes: [inventory.notes.as_slice(), judged.unassessed.as_slice()].concat(),
            vision_cost: judged.cost,
            state: if is_dry_run { PlanState::DryRun } else { PlanState::Running },
            request_id: context.command.request_id.clone().filter(|_| is_dry_run),
            ..Plan::empty(plan_id, self.clock.now(), Origin::Evaluation)
        };
        plan.remaining = plan.pieces_of_work();
        plan
    }

    async fn keep_dry_run(&self, context: &EvaluationContext<'_>, plan: &Plan) -> Result<(), HandlerError> {
        let actor = &context.command.actor_id;
        info!(%actor, plan_id = plan.plan_id, before = %plan.before, result = %plan.result, "dry run");
        self.store.record_plan(actor, plan).await?;
        Ok(self.store.release_lease(actor, context.token).await?)
    }

    /// Answers a dry run's request with the reason why there is no plan.
    async fn answer_in_vain(&self, context: &EvaluationContext<'_>, problem: &str) -> Result<(), HandlerError> {
        let Some(request_id) = &context.command.request_id else { return Ok(()) };
        let now = self.clock.now();
        let answer = Plan {
            state: PlanState::DryRun,
            request_id: Some(request_id.clone()),
            obstacle: Some(problem.to_owned()),
            ..Plan::empty(plan_id(now, context.message_id), now, Origin::Evaluation)
        };
        Ok(self.store.record_plan(&context.command.actor_id, &answer).await?)
    }

    /// There is nothing to do, or nothing that may be done.
    async fn conclude(
        &self,
        context: &EvaluationContext<'_>,
        plan: &Plan,
        judged: &SetAssessment,
        seen: &str,
    ) -> Result<(), HandlerError> {
        let remarks: String = plan.notes.iter().map(|note| format!(" {}: {}.", note.filename, note.remark)).collect();
        let remarks = remarks + &self.generation_failures(context).await?;
        let target = self.target.counts();
        // What a plan that may delete leaves is pinned.
        let may_delete = plan.scope != Scope::GenerateOnly;
        if !judged.unassessed.is_empty() {
            let reason = format!(
                "The set stands at {} of {target} without {} that can't be judged. Ask for an evaluation to try once more, or replace what is named here.{remarks}",
                plan.before,
                images(judged.unassessed.len()),
            );
            self.suspend(context, 0, &reason, seen).await
        } else if plan.before == target {
            self.settle(context, Status::Balanced, 0, &format!("Balanced at {target}.{remarks}")).await
        } else if may_delete && Kind::ALL.into_iter().any(|kind| plan.before[kind] > target[kind]) {
            let reason = format!(
                "The set stands at {} of {target}: more images of a kind are pinned than are wanted, and pinned images stay. Let some go with `balancer unpin`.{remarks}",
                plan.before
            );
            self.settle(context, Status::NeedsAttention, 0, &reason).await
        } else {
            let reason = format!(
                "The set stands at {} of {target}, and the last message allowed no more than was done.{remarks}",
                plan.before
            );
            self.settle(context, Status::NeedsAttention, 0, &reason).await
        }
    }

    async fn rounds_used_up(&self, context: &EvaluationContext<'_>, plan: &Plan) -> Result<String, HandlerError> {
        Ok(format!(
            "After {} rounds the set still stands at {} instead of {}: look at its images, replace the base image or upload better ones.{}",
            self.max_rounds,
            plan.before,
            self.target.counts(),
            self.generation_failures(context).await?
        ))
    }

    /// What keeps a plan from being carried out, in a sentence for people.
    async fn obstacle(&self, context: &EvaluationContext<'_>, plan: &Plan) -> Result<Option<String>, HandlerError> {
        if plan.slots.is_empty() {
            return Ok(None);
        }
        let base_images = BaseImages { bucket: &self.bucket, keys: &self.keys, local: &self.local };
        let _permit = self.reading.acquire().await;
        let base_image = base_images.load(&context.command.actor_id, &context.record.base_images).await?;
        Ok(base_image.err().map(|problem| format!("{problem} Until then nothing is deleted and nothing made.")))
    }

    async fn start_plan(&self, context: &EvaluationContext<'_>, plan: Plan) -> Result<(), HandlerError> {
        let actor = &context.command.actor_id;
        let now = self.clock.now();
        let reason = format!("From {} to {}.{}", plan.before, plan.result, self.generation_failures(context).await?);
        let verdict = context.verdict(Status::Balancing, context.round, &reason);
        let generation = plan.generation_id.map(|generation_id| GenerationBatch {
            generation_id,
            origin: BALANCING.to_owned(),
            generated_at: timestamp_text(now),
            image_count: plan.slots.len() as u64,
            metadata: json!({ "plan_id": plan.plan_id }).as_object().cloned().unwrap_or_default(),
            other: serde_json::Map::new(),
        });
        self.supersede_active_plan(context).await?;
        self.adopt(context, &plan, generation.as_ref(), &verdict).await?;
        info!(%actor, plan_id = plan.plan_id, before = %plan.before, result = %plan.result,
            delete = plan.delete.len(), generate = plan.slots.len(), "plan adopted");
        self.review_active_plan(context).await?;
        dispatch_plan(&self.store, &self.queues, actor, &plan).await
    }

    /// Stores the plan as the active one, which ends the evaluation.
    pub(super) async fn adopt(
        &self,
        context: &EvaluationContext<'_>,
        plan: &Plan,
        generation: Option<&GenerationBatch>,
        verdict: &Verdict<'_>,
    ) -> Result<(), HandlerError> {
        let actor = &context.command.actor_id;
        let now = self.clock.now();
        if self.store.adopt_plan(actor, context.token, plan, generation, verdict, now).await? {
            return Ok(());
        }
        // What never pauses must not keep the set from being mended: it waits for the end of this plan.
        if context.record.put_off_since.is_some_and(|since| are_overdue(since, now, self.quiet)) {
            let verdict = Verdict { uploads: Uploads::StillWait, ..verdict.clone() };
            if self.store.adopt_plan(actor, context.token, plan, generation, &verdict, now).await? {
                return Ok(());
            }
        }
        self.store.put_off(actor, context.token, now).await?;
        Err(HandlerError::deferred("images landed while the set was judged", self.quiet))
    }

    /// The plan that was active is over, now that the actor's record has let go of it: overtaken, or carried out and
    /// looked at.
    pub(super) async fn review_active_plan(&self, context: &EvaluationContext<'_>) -> Result<(), HandlerError> {
        let actor = &context.command.actor_id;
        let Some(previous) = &context.record.active_plan else { return Ok(()) };
        Ok(self.store.close_plan(actor, previous).await?)
    }

    /// The plan that was active is overtaken, because somebody insists, or was never approved. This comes before the
    /// actor's record lets go of it: cut off in between, the set is simply looked at again, while a plan that nobody knows
    /// of any more would go on making images.
    pub(super) async fn supersede_active_plan(&self, context: &EvaluationContext<'_>) -> Result<(), HandlerError> {
        let actor = &context.command.actor_id;
        let Some(previous) = &context.record.active_plan else { return Ok(()) };
        match self.store.plan(actor, previous).await? {
            Some(plan) if plan.is_under_way() || plan.state == PlanState::AwaitingApproval => {
                Ok(self.store.supersede_plan(actor, previous).await?)
            }
            _ => Ok(()),
        }
    }

    pub(super) async fn ask_for_attention(
        &self,
        context: &EvaluationContext<'_>,
        problem: &str,
    ) -> Result<(), HandlerError> {
        let actor = &context.command.actor_id;
        warn!(%actor, problem, "needs attention");
        if context.command.mode == Mode::DryRun {
            // It says so and leaves everything else, such as a plan under way, as it is.
            self.store.ask_for_attention(actor, OnBehalf::Evaluation(context.token), problem, self.clock.now()).await?;
            self.answer_in_vain(context, problem).await?;
            return Ok(self.store.release_lease(actor, context.token).await?);
        }
        // A suspended set stays suspended: once the problem is gone, the same images deserve no new rounds.
        let suspension = context.record.suspension.clone();
        let verdict = context.verdict(Status::NeedsAttention, context.round, problem);
        self.conclude_with(context, Verdict { suspension, ..verdict }).await
    }

    async fn settle(
        &self,
        context: &EvaluationContext<'_>,
        status: Status,
        round: u32,
        reason: &str,
    ) -> Result<(), HandlerError> {
        self.conclude_with(context, context.verdict(status, round, reason)).await
    }

    /// Ends an evaluation without a plan.
    pub(super) async fn conclude_with(
        &self,
        context: &EvaluationContext<'_>,
        verdict: Verdict<'_>,
    ) -> Result<(), HandlerError> {
        let actor = &context.command.actor_id;
        info!(%actor, status = ?verdict.status, reason = verdict.reason, "evaluated");
        if verdict.status == Status::Balanced { Metric::SetsBalanced } else { Metric::SetsNeedingAttention }.emit();
        self.supersede_active_plan(context).await?;
        let uploads_wait = self.store.settle(actor, context.token, &verdict, self.clock.now()).await?;
        self.review_active_plan(context).await?;
        if uploads_wait {
            let command = EvaluationCommand::because(actor.clone(), Cause::Uploads);
            self.queues.send(Queue::Evaluation, &command, self.quiet).await?;
        }
        Ok(())
    }
}

fn images(count: usize) -> String {
    if count == 1 { "1 image".to_owned() } else { format!("{count} images") }
}
