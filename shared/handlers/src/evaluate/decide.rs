//! One evaluation under its lease, from the inventory to its end.

use domain::manifest::Observer;
use domain::messages::Mode;
use domain::plan::{Note, Plan, plan_id};
use domain::planner::{Proposal, propose};
use tracing::Span;

use super::assess::{AssessmentError, Assessor, SetAssessment};
use super::conclusion::{Conclusion, conclude};
use super::context::EvaluationContext;
use super::generation_failures::generation_failures;
use super::inventory::{Inventory, InventoryBuilder};
use super::reference::Reference;
use super::{Evaluation, approval, plan};
use crate::prompts::{Loaded, PromptsFiles};
use crate::{HandlerError, actors};

impl Evaluation {
    pub(super) async fn decide(&self, mut context: EvaluationContext<'_>) -> Result<(), HandlerError> {
        let actor = &context.command.actor_id;
        let inspected = match actors::identify(&self.bucket, &self.store, &self.keys, actor, &context.record).await {
            Ok((own, profile)) => {
                context.settings = self.settings.of_actor(&own);
                context.record.profile = profile;
                self.inspect(&context).await
            }
            Err(error) => Err(error),
        };
        match inspected {
            Err(HandlerError::NeedsOperator(problem)) => self.ask_for_attention(&context, &problem).await,
            ended => ended,
        }
    }

    /// Takes the inventory and has new images assessed.
    async fn inspect(&self, context: &EvaluationContext<'_>) -> Result<(), HandlerError> {
        if context.command.force && context.command.mode == Mode::Execute {
            // Workers of a superseded plan schedule an evaluation of the changes that they make after this.
            self.supersede_active_plan(context).await?;
        }
        let plan_id = plan_id(self.clock.now(), context.request_id);
        Span::current().record("plan", &plan_id);
        let (reference, unusable_reference) = self.reference(context).await?;
        let mut inventory = self.inventory_builder(context, &reference).build(&context.record).await?;
        inventory.notes.extend(unusable_reference);
        if let Some(suspension) = self.current_suspension(context, &inventory.fingerprint).await? {
            return self.stay_suspended(context, suspension).await;
        }
        let mut assessment = match self.assessor(context, &plan_id, &reference).assess(&mut inventory).await {
            Ok(assessment) => assessment,
            Err(AssessmentError::Blocked(blocked)) => return self.end_blocked(context, blocked).await,
            Err(AssessmentError::Failed(error)) => return Err(error),
        };
        self.forget_outage(context).await?;
        if (assessment.is_any_new || inventory.has_new_unusable) && !inventory.unread.is_empty() {
            let reason = format!("{} images are still to be read", inventory.unread.len());
            return Err(HandlerError::deferred(reason, super::NEXT_PART_DELAY));
        }
        let unread = inventory.unread.iter();
        let unread = unread.map(|filename| Note::unassessed(filename, "too many others can't be assessed"));
        assessment.unassessed.extend(unread);
        self.act(context, plan_id, &inventory, &assessment).await
    }

    /// Proposes a plan for the set, and ends the evaluation with it or without one.
    async fn act(
        &self,
        context: &EvaluationContext<'_>,
        plan_id: String,
        inventory: &Inventory,
        assessment: &SetAssessment,
    ) -> Result<(), HandlerError> {
        let policy = context.settings.policy(context.command.scope);
        let unassessed = u32::try_from(assessment.unassessed.len()).unwrap_or(u32::MAX);
        let proposal = propose(&assessment.assessments, &policy).leaving_room_for(unassessed);
        let now = self.clock.now();
        let (prompts, unusable_prompts) = self.prompts(context, inventory, &proposal).await?;
        let mut plan = plan::build(context, plan_id, inventory, assessment, &proposal, &prompts.library, now);
        plan.notes.extend(prompts.shortage(context.settings.target.counts()));
        if context.command.mode == Mode::DryRun {
            let obstacle = self.obstacle(context, &plan, unusable_prompts).await?;
            return self.record_dry_run(context, &Plan { obstacle, ..plan }).await;
        }
        if proposal.is_empty() {
            return self.end_without_proposal(context, &plan, assessment, &inventory.fingerprint).await;
        }
        if context.round > self.max_rounds {
            let reason = self.rounds_used_up(context, &plan).await?;
            return self.suspend(context, context.round, &reason, &inventory.fingerprint).await;
        }
        if let Some(problem) = self.obstacle(context, &plan, unusable_prompts).await? {
            return Err(HandlerError::NeedsOperator(problem));
        }
        if plan.deletes_more_than(self.max_deleted_percent)
            && !approval::is_approved(&self.store, context, &plan).await?
        {
            return self.hold_for_approval(context, plan).await;
        }
        self.start_plan(context, plan).await
    }

    async fn end_without_proposal(
        &self,
        context: &EvaluationContext<'_>,
        plan: &Plan,
        assessment: &SetAssessment,
        fingerprint: &str,
    ) -> Result<(), HandlerError> {
        let failures = generation_failures(&self.store, context).await?;
        match conclude(plan, context.settings.target.counts(), assessment.unassessed.len(), &failures) {
            Conclusion::Settled(status, reason) => self.settle(context, context.verdict(status, 0, &reason)).await,
            Conclusion::Suspended(reason) => self.suspend(context, 0, &reason, fingerprint).await,
        }
    }

    async fn rounds_used_up(&self, context: &EvaluationContext<'_>, plan: &Plan) -> Result<String, HandlerError> {
        Ok(format!(
            "After {} the set still needs changes ({} to delete, {} to generate; it has {} of {}): look at its images, replace the base image or upload better ones.{}",
            if self.max_rounds == 1 { "1 round".to_owned() } else { format!("{} rounds", self.max_rounds) },
            plan.delete.len(),
            plan.slots.len(),
            plan.before,
            context.settings.target.counts(),
            generation_failures(&self.store, context).await?
        ))
    }

    /// The prompts for a proposal. If they are unusable, the built-in ones with the problem and the remedy: the rest of
    /// the proposal is still reported.
    async fn prompts(
        &self,
        context: &EvaluationContext<'_>,
        inventory: &Inventory,
        proposal: &Proposal,
    ) -> Result<(Loaded, Option<String>), HandlerError> {
        if proposal.generate.total() == 0 {
            return Ok((Loaded::built_in(), None));
        }
        let actor = &context.command.actor_id;
        let files = PromptsFiles { bucket: &self.bucket, keys: &self.keys };
        let loaded = files.load(actor, inventory.has_own_prompts).await;
        match loaded.and_then(|loaded| loaded.sufficient_for(actor, context.settings.target.counts())) {
            Ok(loaded) => Ok((loaded, None)),
            Err(HandlerError::NeedsOperator(problem)) => Ok((Loaded::built_in(), Some(problem))),
            Err(error) => Err(error),
        }
    }

    /// Why the plan can't be carried out, with the remedy.
    async fn obstacle(
        &self,
        context: &EvaluationContext<'_>,
        plan: &Plan,
        unusable_prompts: Option<String>,
    ) -> Result<Option<String>, HandlerError> {
        let until_then = |problem| Some(format!("{problem} Until then nothing is deleted and nothing generated."));
        if let Some(problem) = unusable_prompts {
            return Ok(until_then(problem));
        }
        if plan.slots.is_empty() {
            return Ok(None);
        }
        let _permit = self.read_permits.acquire().await;
        match self.base_images().load(&context.command.actor_id, &context.record.base_images).await {
            Ok(_) => Ok(None),
            Err(HandlerError::NeedsOperator(problem)) => Ok(until_then(problem)),
            Err(error) => Err(error),
        }
    }

    fn inventory_builder<'a>(
        &'a self,
        context: &'a EvaluationContext<'_>,
        reference: &'a Reference,
    ) -> InventoryBuilder<'a> {
        InventoryBuilder {
            bucket: &self.bucket,
            store: &self.store,
            local: &self.local,
            keys: &self.keys,
            clock: &self.clock,
            read_permits: &self.read_permits,
            observer: self.observer(reference),
            actor: &context.command.actor_id,
            lease_token: context.token,
            observes_revision: context.observes_revision(),
        }
    }

    fn observer<'a>(&'a self, reference: &'a Reference) -> Observer<'a> {
        Observer { model: self.vision.name(), reference: reference.id.as_ref() }
    }

    fn assessor<'a>(
        &'a self,
        context: &'a EvaluationContext<'_>,
        plan_id: &'a str,
        reference: &'a Reference,
    ) -> Assessor<'a> {
        Assessor {
            vision: &self.vision,
            observer: self.observer(reference),
            settings: &context.settings,
            reference,
            budget: &self.budget,
            store: &self.store,
            bucket: &self.bucket,
            keys: &self.keys,
            read_permits: &self.read_permits,
            clock: &self.clock,
            actor: &context.command.actor_id,
            plan_id,
        }
    }
}
